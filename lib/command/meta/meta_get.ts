// mg: retrieval by the meta protocol, with the marks against thundering herds.
//
//   W   won: this client recaches the value      (sent to one client until the item is stored anew)
//   Z   another client has received W
//   X   stale: the value is outdated
//
// Source: memcached proto_text.c, process_mget_command; doc/protocol.txt, "Meta Get".

import { CRLF_BYTES } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Verb } from "../../protocol/text/commands.ts";
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
import { findLocked, hashKey, lockShard, unlockShard } from "../../store/link.ts";
import { isRefused, type Refusal } from "../../store/outcome.ts";
import { linkNewLocked } from "../../store/update/vivify.ts";
import type { Executor } from "../executor.ts";
import { countMiss, countReadLocked, countTouchLocked } from "../hit_counts.ts";
import {
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
import { flushFirst, Outcome, type Session } from "../session.ts";
import { reserveValueLocked, Served, writeValueLocked } from "../value_reply.ts";

const DIGIT_0 = 0x30;
const Mark = { WON: 0x57, STALE: 0x58, SENT: 0x5a } as const;

const cas = new U64();

/**
 * Runs `mg <key> <flag>*` from the executor's tokens. Takes: bucket; LRU, slab, page with N.
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
  const early = readLine(executor, session, block, replies);
  if (early !== undefined) return early;
  const { keyBlock, keyFrom, nkey } = meta;
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);
  let served: Served = Served.YES;
  let isNew = false;
  const isLogged = session.isLookupLogged;

  lockShard(store, hv);
  let it: ItemRef | Refusal = findLocked(store, hv, keyBlock, keyFrom, nkey, isLogged);
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

  session.isLookupLogged = served === Served.NEEDS_ROOM;
  if (served === Served.NEEDS_ROOM) return flushFirst(session, tokens.start[0]!);
  if (found === NO_ITEM) answerMiss(executor, isRefused(it), block, replies);
  else if (served === Served.TOO_MANY_HOLDERS) replies.write(Reply.TOO_MANY_HOLDERS);
  if (!session.isSending) return Outcome.DONE;
  session.retrieval = Verb.MG; // The rest of the value follows when this part is sent.
  return flushFirst(session, tokens.end[tokens.count - 1]!);
}

/** Answers and counts a miss, or a vivification that found no memory. */
function answerMiss(
  executor: Executor,
  hasNoMemory: boolean,
  block: Block,
  replies: ReplyBuffer,
): void {
  const { meta } = executor;
  countMiss(executor, false);
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
 *
 * @returns {@linkcode Served.YES}, or why the value is not in the replies: nothing is counted then.
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
  const { store, meta } = executor;
  const { items } = store;
  const nbytes = itemNbytes(items, it);
  let hasValue = meta.has(Flag.v);
  if (hasValue && meta.has(Flag.C)) {
    readItemCas(items, it, cas);
    hasValue = !cas.equals(meta.compare);
  }
  if (hasValue) {
    const served = reserveValueLocked(store, it, nbytes, META_BYTES_MAX, replies);
    if (served !== Served.YES) return served;
  }

  if (meta.has(Flag.T)) countTouchLocked(executor, it);
  else countReadLocked(executor, it);
  if (hasValue) {
    replies.write(Word.VA);
    replies.writeUint(nbytes - CRLF_BYTES);
  } else replies.write(Word.HD);
  if (isNew) setItemExptime(items, it, 0); // N takes effect at its place among the flags.
  const won = writeFlagsLocked(executor, it, isNew, block, replies) || isNew;
  writeMarksLocked(executor, it, won, isNew, replies);
  replies.write(Reply.CRLF);
  if (!meta.has(Flag.u)) {
    bumpLocked(store, it);
    if (meta.has(Flag.T)) advanceItemTime(items, it, store.clock.now);
  }
  if (hasValue) writeValueLocked(store, session, it, nbytes, replies);
  return Served.YES;
}

/**
 * Writes the returned flags in the order of the request; T and N take effect at their place in it.
 * Caller holds the shard's lock.
 *
 * @returns Whether R makes this client the one that recaches the value.
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

/** Whether `it` lives for less than R, and no client has received W. Caller holds the shard. */
function wantsRecache({ store: { items, clock }, meta }: Executor, it: ItemRef): boolean {
  const exptime = itemExptime(items, it);
  if (exptime === 0 || exptime >= toExptime(meta.recacheTtl, clock)) return false;
  return (itemFlags(items, it) & ItemFlag.TOKEN_SENT) === 0;
}

/**
 * Writes the marks Z, X and W, in this order, and notes in the item that W is sent. Caller holds
 * the shard's lock.
 * @hot
 */
function writeMarksLocked(
  { store }: Executor,
  it: ItemRef,
  won: boolean,
  isNew: boolean,
  replies: ReplyBuffer,
): void {
  const { items } = store;
  const flags = itemFlags(items, it);
  const isSent = (flags & ItemFlag.TOKEN_SENT) !== 0;
  const isStale = (flags & ItemFlag.STALE) !== 0;
  if (isSent && !isNew) writeLetter(replies, Mark.SENT);
  if (isStale) writeLetter(replies, Mark.STALE);
  if (!won && !(isStale && !isSent)) return;
  writeLetter(replies, Mark.WON);
  setItemFlags(items, it, flags | ItemFlag.TOKEN_SENT);
}
