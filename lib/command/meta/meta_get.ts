// mg and me: retrieval by the meta protocol, with the marks against thundering herds.
//
//   W   you are the one to make a new value      (sent once until the item is stored anew)
//   Z   somebody else was told so
//   X   the value is out of date
//
// Source: memcached proto_text.c, process_mget_command; doc/protocol.txt, "Meta Get".

import { CRLF_BYTES } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Verb } from "../../protocol/text/commands.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { makeRoomUnlocked } from "../../store/room/allocate.ts";
import { bumpLocked } from "../../store/update/bump.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  advanceItemTime,
  itemClientFlags,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemNbytes,
  type ItemRef,
  itemTime,
  NO_ITEM,
  readItemCas,
  setItemExptime,
  setItemFlags,
} from "../../store/item/item.ts";
import { classOf, segmentIndexOf } from "../../store/lru/lists.ts";
import { isRefused, type Refusal } from "../../store/outcome.ts";
import { linkNewLocked } from "../../store/update/vivify.ts";
import type { Executor } from "../executor.ts";
import {
  flushFirst,
  META_BYTES_MAX,
  readLine,
  Word,
  writeCas,
  writeKeyFlag,
  writeKeyFlags,
  writeLetter,
  writeTokenBack,
  writeTtl,
} from "./meta_reply.ts";
import { COPIED_BYTES_MAX, startAgain, writeValueLocked } from "../text/retrieval.ts";
import { Outcome, type Session } from "../session.ts";
import { findLocked, hashKey, lockShard, retainLocked, unlockShard } from "../../store/link.ts";

const DIGIT_0 = 0x30;
const Mark = { WON: 0x57, STALE: 0x58, SENT: 0x5a } as const;

/** How a hit ended. */
const Served = { YES: 0, NEEDS_ROOM: 1, FAILED: 2 } as const;
type Served = typeof Served[keyof typeof Served];

const cas = new U64();

/**
 * Runs `mg <key> <flag>*` from the executor's tokens.
 * @hot
 */
export function runMetaGet(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { meta, tokens, store } = executor;
  const otherwise = readLine(executor, session, block, replies);
  if (otherwise !== undefined) return otherwise;
  const { keyBlock, keyFrom, nkey } = meta;
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);
  let served: Served = Served.YES;
  let isNew = false;
  if (session.isAgain) startAgain(executor, session);

  lockShard(store, hv);
  let it: ItemRef | Refusal = findLocked(store, hv, keyBlock, keyFrom, nkey);
  for (let looks = 0; it === NO_ITEM && meta.has(Flag.N); looks++) {
    it = linkNewLocked(store, meta, hv, 0);
    if (!isRefused(it)) isNew = true;
    else if (makeRoomUnlocked(store, it, hv, NO_ITEM, looks)) {
      it = findLocked(store, hv, keyBlock, keyFrom, nkey);
    }
  }
  const found = isRefused(it) ? NO_ITEM : it;
  if (found !== NO_ITEM) served = hitLocked(executor, session, found, isNew, block, replies);
  unlockShard(store, hv);

  if (found === NO_ITEM) miss(executor, isRefused(it), block, replies);
  else if (served === Served.NEEDS_ROOM) {
    session.isAgain = true;
    return flushFirst(executor, session);
  } else if (served === Served.FAILED) replies.write(Reply.TOO_MANY_HOLDERS);
  if (session.sending === NO_ITEM) return Outcome.DONE;
  session.retrieval = Verb.MG; // More of the value comes when this is sent.
  session.resumeAt = tokens.end[tokens.count - 1]!;
  return Outcome.FLUSH;
}

/** Answers and counts a miss, or a vivification that found no memory. */
function miss(
  executor: Executor,
  hasNoMemory: boolean,
  block: Block,
  replies: ReplyBuffer,
): void {
  const { meta, counters } = executor;
  counters.add(Counter.CMD_GET, 1);
  counters.add(Counter.GET_MISSES, 1);
  if (hasNoMemory) {
    replies.write(Reply.NO_MEMORY_VIVIFYING);
    return;
  }
  if (meta.has(Flag.q)) return;
  replies.write(Word.EN);
  writeKeyFlags(executor, block, NO_ITEM, replies);
  replies.write(Reply.CRLF);
}

/**
 * Answers and counts a hit. Caller holds the shard's lock.
 * @hot
 */
function hitLocked(
  executor: Executor,
  session: Session,
  it: ItemRef,
  isNew: boolean,
  block: Block,
  replies: ReplyBuffer,
): Served {
  const { store, meta, counters } = executor;
  const { items } = store;
  const nbytes = itemNbytes(items, it);
  let hasValue = meta.has(Flag.v);
  if (hasValue && meta.has(Flag.C)) {
    readItemCas(items, it, cas);
    hasValue = !cas.equals(meta.compare);
  }
  const isCopied = nbytes <= COPIED_BYTES_MAX;
  if (hasValue && isCopied && replies.room < META_BYTES_MAX + nbytes) return Served.NEEDS_ROOM;
  if (hasValue && !isCopied) {
    if (!replies.hasReferenceRoom) return Served.NEEDS_ROOM;
    if (!retainLocked(store, it)) return Served.FAILED;
  }

  if (meta.has(Flag.T)) {
    counters.add(Counter.CMD_TOUCH, 1);
    counters.addClass(classOf(items, it), ClassCounter.TOUCH_HITS, 1);
  } else {
    counters.add(Counter.CMD_GET, 1);
    const hits = ClassCounter.HITS_TO_HOT + segmentIndexOf(items, it);
    counters.addClass(classOf(items, it), hits, 1);
  }
  if (hasValue) {
    replies.write(Word.VA);
    replies.writeUint(nbytes - CRLF_BYTES);
  } else replies.write(Word.HD);
  if (isNew) setItemExptime(items, it, 0); // N takes effect in its place among the flags.
  const won = writeFlagsLocked(executor, it, isNew, block, replies) || isNew;
  writeMarksLocked(executor, it, won, isNew, replies);
  replies.write(Reply.CRLF);
  if (!meta.has(Flag.u)) {
    bumpLocked(store, it);
    if (meta.has(Flag.T)) advanceItemTime(items, it, store.clock.now);
  }
  if (hasValue) writeValueLocked(store, session, it, nbytes, isCopied, replies);
  return Served.YES;
}

/**
 * Writes the flags that come back, in the order of the request; T and N take effect in theirs.
 *
 * @returns Whether R makes this client the one that makes a new value. Caller holds the shard.
 * @hot
 */
function writeFlagsLocked(
  executor: Executor,
  it: ItemRef,
  isNew: boolean,
  block: Block,
  replies: ReplyBuffer,
): boolean {
  const { tokens, meta, store } = executor;
  const { items, clock } = store;
  let won = false;
  for (let index = meta.firstFlag; index < tokens.count; index++) {
    switch (block.bytes[tokens.start[index]!]) {
      case Flag.T:
        setItemExptime(items, it, toExptime(meta.ttl, clock));
        break;
      case Flag.N:
        if (isNew) setItemExptime(items, it, toExptime(meta.vivifyTtl, clock));
        break;
      case Flag.R:
        won = wantsRecache(executor, it);
        break;
      case Flag.s:
        writeLetter(replies, Flag.s);
        replies.writeUint(itemNbytes(items, it) - CRLF_BYTES);
        break;
      case Flag.t:
        writeTtl(store, it, replies);
        break;
      case Flag.c:
        writeCas(store, it, replies);
        break;
      case Flag.f:
        writeLetter(replies, Flag.f);
        replies.writeUint(itemClientFlags(items, it));
        break;
      case Flag.l:
        writeLetter(replies, Flag.l);
        replies.writeUint(Math.max(0, clock.now - itemTime(items, it)));
        break;
      case Flag.h:
        writeLetter(replies, Flag.h);
        replies.writeByte(DIGIT_0 + ((itemFlags(items, it) & ItemFlag.FETCHED) === 0 ? 0 : 1));
        break;
      case Flag.O:
        writeTokenBack(executor, block, index, replies);
        break;
      case Flag.k:
        writeKeyFlag(executor, it, replies);
    }
  }
  return won;
}

/** Whether `it` lives for less than R, and nobody was told yet. Caller holds the shard. */
function wantsRecache({ store: { items, clock }, meta }: Executor, it: ItemRef): boolean {
  const exptime = itemExptime(items, it);
  if (exptime === 0 || exptime >= toExptime(meta.recacheTtl, clock)) return false;
  return (itemFlags(items, it) & ItemFlag.TOKEN_SENT) === 0;
}

/**
 * Writes the marks Z, X and W, in this order, and remembers who was told. Caller holds the shard.
 * @hot
 */
function writeMarksLocked(
  { store: { items } }: Executor,
  it: ItemRef,
  won: boolean,
  isNew: boolean,
  replies: ReplyBuffer,
): void {
  const flags = itemFlags(items, it);
  const isSent = (flags & ItemFlag.TOKEN_SENT) !== 0;
  const isStale = (flags & ItemFlag.STALE) !== 0;
  if (isSent && !isNew) writeLetter(replies, Mark.SENT);
  if (isStale) writeLetter(replies, Mark.STALE);
  if (!won && !(isStale && !isSent)) return;
  writeLetter(replies, Mark.WON);
  setItemFlags(items, it, flags | ItemFlag.TOKEN_SENT);
}
