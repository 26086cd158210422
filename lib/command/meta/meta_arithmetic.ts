// ma: incr and decr by the meta protocol.
//
// Source: memcached proto_text.c, process_marithmetic_command; doc/protocol.txt, "Meta Arithmetic".

import { Block } from "../../base/block.ts";
import { copyBytes } from "../../base/copy.ts";
import { U64 } from "../../base/u64.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { makeRoomUnlocked } from "../../store/room/allocate.ts";
import { addDeltaLocked, Added, isNoNumber } from "../../store/update/add_delta.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  blockOf,
  type ItemRef,
  itemValueAt,
  NO_ITEM,
  readItemCas,
  setItemCas,
  setItemExptime,
} from "../../store/item/item.ts";
import { logStored } from "../../store/item_events.ts";
import { classOf } from "../../store/lru/lists.ts";
import { isRefused, Stored, StoreMode } from "../../store/outcome.ts";
import { assertAnyShardHeld, assertShardHeld } from "../../store/shard_held.ts";
import { linkNewLocked } from "../../store/update/vivify.ts";
import type { Executor } from "../executor.ts";
import {
  readLine,
  Word,
  writeCas,
  writeKeyFlag,
  writeTokenBack,
  writeTtl,
  writeWord,
} from "./meta_reply.ts";
import { Outcome, type Session } from "../session.ts";
import { findLocked, hashKey, lockShard, unlockShard } from "../../store/link.ts";

/** Characters of the M flag. */
const INCR_MODES: readonly number[] = [0, 0x49, 0x2b]; // none, I, +
const DECR_MODES: readonly number[] = [0x44, 0x2d]; // D, -

const ONE = new U64();
ONE.set(0, 1);
const ZERO = new U64();
const result = new U64();
const cas = new U64();
const text = new Block(new ArrayBuffer(32));

/** Runs `ma <key> <flag>*` from the executor's tokens. Takes: bucket, LRU, slab, page. */
export function runMetaArithmetic(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { meta, store } = executor;
  const early = readLine(executor, session, block, replies, true);
  if (early !== undefined) return early;
  const isIncr = INCR_MODES.includes(meta.mode);
  if (!isIncr && !DECR_MODES.includes(meta.mode)) {
    replies.write(Reply.BAD_MA_MODE);
    return Outcome.DONE;
  }
  const { keyBlock, keyFrom, nkey } = meta;
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);

  lockShard(store, hv);
  for (let looks = 0, answered = false; !answered; looks++) {
    const it = findLocked(store, hv, keyBlock, keyFrom, nkey);
    if (it !== NO_ITEM) answered = changeLocked(executor, hv, it, isIncr, looks, block, replies);
    else if (meta.has(Flag.N)) answered = vivifyLocked(executor, hv, looks, block, replies);
    else {
      executor.counters.add(isIncr ? Counter.INCR_MISSES : Counter.DECR_MISSES, 1);
      writeWord(executor, block, Word.NF, replies);
      answered = true;
    }
  }
  unlockShard(store, hv);

  return Outcome.DONE;
}

/**
 * Makes the item with its initial value, and answers. Caller holds the shard's lock.
 *
 * @returns false when room was made without the lock: the caller looks the key up again.
 */
function vivifyLocked(
  executor: Executor,
  hv: number,
  looks: number,
  block: Block,
  replies: ReplyBuffer,
): boolean {
  const { meta, store } = executor;
  assertShardHeld(store, hv);
  const initial = meta.has(Flag.J) ? meta.initial : ZERO;
  const digits = initial.write(text.bytes, 0);
  const it = linkNewLocked(store, meta, hv, digits);
  if (isRefused(it)) {
    if (makeRoomUnlocked(store, it, hv, NO_ITEM, looks)) return false;
    replies.write(Reply.NO_MEMORY_VIVIFYING);
    return true;
  }
  logStored(store, it, Stored.STORED, StoreMode.ADD);
  copyBytes(text, 0, blockOf(store.items, it), itemValueAt(store.items, it), digits);
  setItemExptime(store.items, it, 0); // N takes effect at its place among the flags.
  writeNumberLocked(executor, it, initial, true, block, replies);
  return true;
}

/**
 * Adds to `it`, or subtracts from it, and answers. Caller holds the shard's lock.
 *
 * @returns false when room was made without the lock: the caller looks the key up again.
 */
function changeLocked(
  executor: Executor,
  hv: number,
  it: ItemRef,
  isIncr: boolean,
  looks: number,
  block: Block,
  replies: ReplyBuffer,
): boolean {
  const { meta, store, counters } = executor;
  assertShardHeld(store, hv);
  const { items } = store;
  if (isNoNumber(items, it)) {
    replies.write(Reply.NON_NUMERIC);
    return true;
  }
  readItemCas(items, it, cas);
  if (meta.has(Flag.C) && !meta.compare.isZero && !cas.equals(meta.compare)) {
    writeWord(executor, block, Word.EX, replies);
    return true;
  }
  const clsid = classOf(items, it);
  const delta = meta.has(Flag.D) ? meta.delta : ONE;
  const added = addDeltaLocked(store, hv, it, isIncr, delta, result, looks);
  if (added === Added.AGAIN) return false;
  if (added === Added.NON_NUMERIC) replies.write(Reply.NON_NUMERIC);
  else counters.addClass(clsid, isIncr ? ClassCounter.INCR_HITS : ClassCounter.DECR_HITS, 1);
  if (added === Added.NO_MEMORY) replies.write(Reply.NO_MEMORY_ADDING);
  if (added !== Added.OK) return true;

  // A longer number has moved to another item.
  const changed = store.assoc.findLocked(hv, meta.keyBlock, meta.keyFrom, meta.nkey);
  if (meta.has(Flag.E) && !meta.explicit.isZero) setItemCas(items, changed, meta.explicit);
  writeNumberLocked(executor, changed, result, false, block, replies);
  return true;
}

/**
 * Answers with the flags, and the number if the request has `v`; T and N take effect at their place
 * among the flags. Caller holds the shard's lock.
 */
function writeNumberLocked(
  executor: Executor,
  it: ItemRef,
  number: U64,
  isNew: boolean,
  block: Block,
  replies: ReplyBuffer,
): void {
  const { meta, tokens, store } = executor;
  assertAnyShardHeld(store);
  const { items, clock } = store;
  const before = replies.used;
  const digits = number.write(text.bytes, 0);
  if (meta.has(Flag.v)) {
    replies.write(Word.VA);
    replies.writeUint(digits);
  } else replies.write(Word.HD);
  for (let index = meta.firstFlag; index < tokens.count; index++) {
    const letter = block.bytes[tokens.start[index]!];
    if (letter === Flag.T) setItemExptime(items, it, toExptime(meta.ttl, clock));
    else if (letter === Flag.N && isNew) {
      setItemExptime(items, it, toExptime(meta.vivifyTtl, clock));
    } else if (letter === Flag.c) writeCas(store, it, replies);
    else if (letter === Flag.t) writeTtl(store, it, replies);
    else if (letter === Flag.k) writeKeyFlag(executor, NO_ITEM, replies);
    else if (letter === Flag.O) writeTokenBack(executor, block, index, replies);
  }
  replies.write(Reply.CRLF);
  if (meta.has(Flag.v)) {
    replies.writeRange(text, 0, digits);
    replies.write(Reply.CRLF);
  }
  if (meta.has(Flag.q)) replies.used = before;
}
