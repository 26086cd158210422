// get, gets, gat, gats: any number of keys, answered in order.
//
// The keys are taken from the read buffer one by one. When the replies fill up, the command stops
// before the next key, the connection sends, and the command goes on: so a request for any number
// of keys needs no more memory than one for a few, and a client that does not read is not served.

import { ascii, CRLF_BYTES, LF, SPACE } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { U64, U64_DIGITS_MAX } from "../../base/u64.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { type Command, Verb } from "../../protocol/text/commands.ts";
import { parseStrictExptime } from "../../protocol/text/exptime_token.ts";
import { KEY_MAX } from "../../protocol/text/tokens.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { bumpLocked, touchLocked } from "../../store/update/bump.ts";
import { firstChunk, isChunked } from "../../store/item/chunk.ts";
import { Watched } from "../../log/event_log.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  blockOf,
  itemClientFlags,
  itemNbytes,
  type ItemRef,
  type Items,
  itemValueAt,
  NO_ITEM,
  readItemCas,
  segmentOf,
} from "../../store/item/item.ts";
import { classOf, segmentIndexOf } from "../../store/lru/lists.ts";
import {
  findLocked,
  hashKey,
  lockShard,
  releaseItem,
  retainLocked,
  unlockShard,
} from "../../store/link.ts";
import type { Store } from "../../store/store.ts";
import { ValueCursor } from "../../store/item/value_cursor.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";

const VALUE = Block.of(ascii("VALUE "));

/**
 * Values up to this many bytes are copied into the replies, under the shard's lock; longer ones are
 * sent from the item's memory. Measured in docs/decisions/0006-copies-and-references.md.
 */
export const COPIED_BYTES_MAX = 4096;

/** Most bytes a hit adds besides the value: `VALUE <key> <flags> <bytes> <cas>\r\n` … `END\r\n`. */
const HIT_BYTES_MAX = VALUE.bytes.length + KEY_MAX + 3 * (1 + U64_DIGITS_MAX) + 2 * CRLF_BYTES +
  Reply.END.bytes.length;

/** How far one key came. */
const Served = { YES: 0, NEEDS_ROOM: 1, FAILED: 2 } as const;
type Served = typeof Served[keyof typeof Served];

const cas = new U64();
const pieces = new ValueCursor();

/**
 * Starts a retrieval: `block[from, to)` is what follows the command's name.
 *
 * @param whole Whether `to` is the end of the line; otherwise more keys may come after it.
 * @hot
 */
export function runRetrieval(
  executor: Executor,
  session: Session,
  command: Command,
  block: Block,
  from: number,
  to: number,
  whole: boolean,
  replies: ReplyBuffer,
): Outcome {
  const { bytes } = block;
  let at = skipSpaces(bytes, from, to);
  if (command.verb === Verb.GAT || command.verb === Verb.GATS) {
    const end = tokenEnd(bytes, at, to);
    const raw = parseStrictExptime(bytes, at, end);
    at = skipSpaces(bytes, end, to);
    if (at === to && whole) {
      replies.write(Reply.BAD_FORMAT);
      return Outcome.DONE;
    }
    if (Number.isNaN(raw)) {
      replies.write(Reply.BAD_EXPTIME);
      return Outcome.DONE;
    }
    session.exptime = toExptime(raw, executor.store.clock);
  }
  // An answer to a whole line is either its values or an error, never some values and an error.
  if (whole && (at === to || hasLongKey(bytes, at, to))) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  session.retrieval = command.verb;
  return continueRetrieval(executor, session, block, at, to, whole, replies);
}

/**
 * Answers the keys in `block[from, to)`; ends the retrieval if `whole`.
 *
 * @returns {@linkcode Outcome.FLUSH} with `session.resumeAt` when the replies are full; otherwise
 * {@linkcode Outcome.DONE}, which without `whole` means that the range is used up.
 * @hot
 */
export function continueRetrieval(
  executor: Executor,
  session: Session,
  block: Block,
  from: number,
  to: number,
  whole: boolean,
  replies: ReplyBuffer,
): Outcome {
  const { bytes } = block;
  let at = from;
  for (;;) {
    if (session.sending !== NO_ITEM) {
      if (!continueChunks(session, executor.store.items, replies)) {
        session.resumeAt = at;
        return Outcome.FLUSH;
      }
    }
    at = skipSpaces(bytes, at, to);
    if (at === to) break;
    const end = tokenEnd(bytes, at, to);
    if (end - at > KEY_MAX) return failRetrieval(session, Reply.BAD_FORMAT, replies);
    const served = serveKey(executor, session, block, at, end, replies);
    if (served === Served.NEEDS_ROOM) {
      session.resumeAt = at;
      return Outcome.FLUSH;
    }
    if (served === Served.FAILED) {
      return failRetrieval(session, Reply.NO_MEMORY_READING, replies);
    }
    at = end;
  }
  if (!whole) return Outcome.DONE;
  if (session.retrieval === Verb.MG) {
    session.retrieval = Verb.NONE;
    return Outcome.DONE;
  }
  if (replies.room < Reply.END.bytes.length) {
    session.resumeAt = to;
    return Outcome.FLUSH;
  }
  replies.write(Reply.END);
  session.retrieval = Verb.NONE;
  return Outcome.DONE;
}

/**
 * Lets go of the items whose values have been sent.
 * @hot
 */
export function releaseHolders(executor: Executor, replies: ReplyBuffer): void {
  while (replies.refReleased < replies.refNext) {
    const holder = replies.refHolder[replies.refReleased++]! as ItemRef;
    if (holder !== NO_ITEM) releaseItem(executor.store, holder);
  }
}

/** Ends a retrieval by an error line. */
export function failRetrieval(session: Session, error: Block, replies: ReplyBuffer): Outcome {
  session.retrieval = Verb.NONE;
  if (replies.room >= error.bytes.length) replies.write(error);
  else return Outcome.CLOSE;
  return Outcome.DONE;
}

/**
 * Looks one key up and writes its value, or nothing.
 * @hot
 */
function serveKey(
  executor: Executor,
  session: Session,
  block: Block,
  keyFrom: number,
  keyTo: number,
  replies: ReplyBuffer,
): Served {
  const { store } = executor;
  if (replies.room < HIT_BYTES_MAX) return Served.NEEDS_ROOM;
  const hv = hashKey(store, block, keyFrom, keyTo);
  let served: Served = Served.YES;
  if (session.isAgain) startAgain(executor, session);

  lockShard(store, hv);
  const it = findLocked(store, hv, block, keyFrom, keyTo - keyFrom);
  if (it !== NO_ITEM) served = hitLocked(executor, session, it, block, keyFrom, keyTo, replies);
  unlockShard(store, hv);

  if (it === NO_ITEM) {
    const { retrieval } = session;
    countMiss(executor, retrieval === Verb.GAT || retrieval === Verb.GATS);
  }
  session.keys++;
  session.isAgain = served === Served.NEEDS_ROOM;
  if (store.prefixes.isOn && served !== Served.NEEDS_ROOM) {
    store.prefixes.countGet(block, keyFrom, keyTo, it !== NO_ITEM);
  }
  return served;
}

/** Runs a command once more that had looked its key up, and then found no room. */
export function startAgain({ store }: Executor, session: Session): void {
  session.isAgain = false;
  store.log.isAgain = store.log.wants(Watched.FETCHERS);
}

/**
 * Writes the value of `it` and counts the hit. Caller holds the shard's lock.
 * @hot
 */
function hitLocked(
  executor: Executor,
  session: Session,
  it: ItemRef,
  block: Block,
  keyFrom: number,
  keyTo: number,
  replies: ReplyBuffer,
): Served {
  const { store } = executor;
  const { items } = store;
  const nbytes = itemNbytes(items, it);
  const copied = nbytes <= COPIED_BYTES_MAX;
  if (copied) {
    if (replies.room < HIT_BYTES_MAX + nbytes) return Served.NEEDS_ROOM;
  } else {
    if (!replies.hasReferenceRoom) return Served.NEEDS_ROOM;
    if (!retainLocked(store, it)) return Served.FAILED;
  }

  const verb = session.retrieval;
  if (verb === Verb.GET || verb === Verb.GETS) readLocked(executor, it);
  else touchReadLocked(executor, it, session.exptime);

  replies.write(VALUE);
  replies.writeRange(block, keyFrom, keyTo);
  replies.writeByte(SPACE);
  replies.writeUint(itemClientFlags(items, it));
  replies.writeByte(SPACE);
  replies.writeUint(nbytes - CRLF_BYTES);
  if (verb === Verb.GETS || verb === Verb.GATS) {
    readItemCas(items, it, cas);
    replies.writeByte(SPACE);
    replies.writeU64(cas);
  }
  replies.write(Reply.CRLF);
  writeValueLocked(store, session, it, nbytes, copied, replies);
  return Served.YES;
}

/**
 * Notes that `it` was read. Caller holds the shard's lock.
 * @hot
 */
export function readLocked({ store, counters }: Executor, it: ItemRef): void {
  bumpLocked(store, it);
  counters.add(Counter.CMD_GET, 1);
  const hits = ClassCounter.HITS_TO_HOT + segmentIndexOf(store.items, it);
  counters.addClass(classOf(store.items, it), hits, 1);
}

/**
 * Gives `it` an expiry, and notes that it was touched. Caller holds the shard's lock.
 *
 * @param exptime Seconds since start.
 */
export function touchReadLocked(
  { store, counters }: Executor,
  it: ItemRef,
  exptime: number,
): void {
  touchLocked(store, it, exptime);
  counters.add(Counter.CMD_TOUCH, 1);
  counters.addClass(classOf(store.items, it), ClassCounter.TOUCH_HITS, 1);
}

/**
 * Writes the first `count` bytes of the value of `it`, which has a CRLF at its end. Caller holds
 * the shard's lock, and has made sure of the room.
 *
 * @param copied Copies it; otherwise it is sent from where it is, and the caller's hold goes to the
 * replies. When not all of it is in them yet, `session.sending` is the item.
 * @hot
 */
export function writeValueLocked(
  store: Store,
  session: Session,
  it: ItemRef,
  count: number,
  copied: boolean,
  replies: ReplyBuffer,
): void {
  const { items } = store;
  if (isChunked(items, it)) return writeChunks(session, items, it, count, copied, replies);
  const valueAt = itemValueAt(store.items, it);
  const to = valueAt + count;
  if (copied) replies.writeRange(blockOf(store.items, it), valueAt, to);
  else replies.writeReference(segmentOf(it), valueAt, to, it);
}

/** Writes the value of a chunked item: copied, or the first of its references. */
function writeChunks(
  session: Session,
  items: Items,
  it: ItemRef,
  count: number,
  copied: boolean,
  replies: ReplyBuffer,
): void {
  if (!copied) {
    session.sending = it;
    session.sendingChunk = firstChunk(items, it);
    session.sendingLeft = count;
    continueChunks(session, items, replies);
    return;
  }
  pieces.open(items, it);
  let left = count;
  do {
    const to = Math.min(pieces.to, pieces.at + left);
    left -= to - pieces.at;
    replies.writeRange(items.blocks[pieces.segment]!, pieces.at, to);
  } while (left > 0 && pieces.openNext(items));
}

/**
 * Writes references to the chunks that come next of the item that is being sent, as many as fit.
 * The last one takes the hold on the item over.
 *
 * @returns Whether all are written.
 */
export function continueChunks(session: Session, items: Items, replies: ReplyBuffer): boolean {
  while (session.sendingLeft > 0) {
    if (!replies.hasReferenceRoom) return false;
    pieces.openChunk(items, session.sendingChunk);
    session.sendingChunk = pieces.next;
    const to = Math.min(pieces.to, pieces.at + session.sendingLeft);
    session.sendingLeft -= to - pieces.at;
    const holder = session.sendingLeft === 0 ? session.sending : NO_ITEM;
    replies.writeReference(pieces.segment, pieces.at, to, holder);
  }
  session.sending = NO_ITEM;
  return true;
}

/** Lets go of an item that is being sent to a client that is gone. */
export function abandonRetrieval(executor: Executor, session: Session): void {
  if (session.sending !== NO_ITEM) releaseItem(executor.store, session.sending);
  session.sending = NO_ITEM;
}

/**
 * Counts a key that was not found.
 *
 * @param touches The command would have set its expiry: the counters are those of touch.
 * Source: memcached proto_text.c, process_get_command.
 */
export function countMiss(executor: Executor, touches: boolean): void {
  const { counters } = executor;
  counters.add(touches ? Counter.CMD_TOUCH : Counter.CMD_GET, 1);
  counters.add(touches ? Counter.TOUCH_MISSES : Counter.GET_MISSES, 1);
}

/** @hot */
function skipSpaces(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] === SPACE) at++;
  return at;
}

/** @hot */
function tokenEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE && bytes[at] !== LF) at++;
  return at;
}

/**
 * Whether a key in `bytes[from, to)` is too long. A range that short has none.
 * @hot
 */
function hasLongKey(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from <= KEY_MAX) return false;
  let length = 0;
  for (let at = from; at < to; at++) {
    length = bytes[at] === SPACE ? 0 : length + 1;
    if (length > KEY_MAX) return true;
  }
  return false;
}
