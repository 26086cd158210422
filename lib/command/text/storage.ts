// set, add, replace, append, prepend, cas: the line, then the value straight into its item.

import { CR, CRLF_BYTES, LF } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { copyBytes } from "../../base/copy.ts";
import { NOT_A_NUMBER, parseUint } from "../../base/decimal.ts";
import { Status, writeStatus } from "../../protocol/binary/response.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Verb } from "../../protocol/text/commands.ts";
import { parseExptime } from "../../protocol/text/exptime_token.ts";
import { KEY_MAX } from "../../protocol/text/tokens.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { allocate } from "../../store/room/allocate.ts";
import { chunkUsed, chunkValueAt, isChunked } from "../../store/item/chunk.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  blockOf,
  itemKeyAt,
  itemNkey,
  type ItemRef,
  itemValueAt,
  NO_ITEM,
  segmentOf,
} from "../../store/item/item.ts";
import { logRefused } from "../../store/item_events.ts";
import { classOf } from "../../store/lru/lists.ts";
import { isRefused, Refusal, Stored, StoreMode } from "../../store/outcome.ts";
import { storeLocked } from "../../store/update/storing.ts";
import {
  findLocked,
  hashKey,
  lockShard,
  releaseItem,
  unlinkLocked,
  unlockShard,
} from "../../store/link.ts";
import type { Store } from "../../store/store.ts";
import { lastTwoBytes } from "../../store/item/value_cursor.ts";
import { takeValueChunk } from "../../store/room/value_chunks.ts";
import { finishBinaryStorage } from "../binary/binary_stored.ts";
import type { Executor } from "../executor.ts";
import { META_BYTES_MAX } from "../meta/meta_reply.ts";
import { finishMetaSet } from "../meta/meta_stored.ts";
import { Outcome, type Session } from "../session.ts";

/** Places of the tokens in a storage line. */
const Token = { KEY: 1, FLAGS: 2, EXPTIME: 3, BYTES: 4, CAS: 5 } as const;

/** Longest reply to a value that has come: that of ms, with the flags that come back. */
export const STORED_BYTES_MAX = META_BYTES_MAX;
/** CR and LF as {@linkcode lastTwoBytes} has them. */
const CRLF_WORD = (CR << 8) | LF;
/** Longest value length that a line may name. Source: memcached proto_text.c, INT_MAX - 2. */
const VALUE_BYTES_MAX = 2 ** 31 - 3;
const CLIENT_FLAGS_MAX = 0xffffffff;

const MODES: Readonly<Partial<Record<Verb, StoreMode>>> = {
  [Verb.SET]: StoreMode.SET,
  [Verb.ADD]: StoreMode.ADD,
  [Verb.REPLACE]: StoreMode.REPLACE,
  [Verb.APPEND]: StoreMode.APPEND,
  [Verb.PREPEND]: StoreMode.PREPEND,
  [Verb.CAS]: StoreMode.CAS,
};

/** Reply line for each way a value can end. */
const STORED_LINES: Readonly<Record<Stored, Block>> = {
  [Stored.STORED]: Reply.STORED,
  [Stored.NOT_STORED]: Reply.NOT_STORED,
  [Stored.EXISTS]: Reply.EXISTS,
  [Stored.NOT_FOUND]: Reply.NOT_FOUND,
};

/**
 * Reads a storage line from the executor's tokens and makes the item that its value goes into.
 *
 * Without a length that a value can have nobody can tell where the next command starts: the line is
 * answered, noreply or not, and the connection closed. Any other fault is answered, and the value
 * discarded. Source: memcached proto_parser.c, _process_request_storage.
 * @hot
 */
export function runStorage(
  executor: Executor,
  session: Session,
  verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store } = executor;
  const { bytes } = block;
  const nbytes = readValueLength(executor, bytes, Token.BYTES);
  if (Number.isNaN(nbytes)) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.CLOSE;
  }
  session.valueLeft = nbytes + CRLF_BYTES;
  const flags = parseUint(
    bytes,
    tokens.start[Token.FLAGS]!,
    tokens.end[Token.FLAGS]!,
    CLIENT_FLAGS_MAX,
  );
  const raw = parseExptime(bytes, tokens.start[Token.EXPTIME]!, tokens.end[Token.EXPTIME]!);
  const nkey = tokens.length(Token.KEY);
  if (
    nkey > KEY_MAX || Number.isNaN(flags) || Number.isNaN(raw) ||
    (verb === Verb.CAS && !tokens.readU64(bytes, Token.CAS, session.cas))
  ) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.SWALLOW;
  }
  session.mode = MODES[verb]!;
  const exptime = toExptime(raw, store.clock);
  const keyFrom = tokens.start[Token.KEY]!;
  if (store.prefixes.isOn) store.prefixes.countSet(block, keyFrom, keyFrom + nkey);
  const it = allocate(store, block, keyFrom, nkey, flags, exptime, session.valueLeft);
  if (isRefused(it)) {
    const removes = session.mode === StoreMode.SET;
    return refuse(executor, session, it, block, keyFrom, nkey, removes, replies);
  }
  executor.counters.addClass(classOf(store.items, it), ClassCounter.CMD_SET, 1);
  session.how.isMeta = false;
  return startValue(executor, session, it);
}

/**
 * Reads the length of the value that follows a line.
 *
 * @param index Number of its token.
 * @returns Bytes without the CRLF; NaN when the line has none that a value can have.
 * @hot
 */
export function readValueLength({ tokens }: Executor, bytes: Uint8Array, index: number): number {
  if (index >= tokens.count) return NOT_A_NUMBER;
  return parseUint(bytes, tokens.start[index]!, tokens.end[index]!, VALUE_BYTES_MAX);
}

/**
 * Makes ready to receive the value of `it`.
 * @hot
 */
export function startValue({ store }: Executor, session: Session, it: ItemRef): Outcome {
  session.item = it;
  session.valueChunk = NO_ITEM;
  session.valueSegment = segmentOf(it);
  session.valueAt = itemValueAt(store.items, it);
  session.valueEnd = session.request === undefined ? 0 : CRLF_BYTES;
  // A chunked item has no room for any byte yet: openPiece makes it as the bytes come.
  session.valueTo = isChunked(store.items, it)
    ? session.valueAt
    : session.valueAt + session.valueLeft;
  return Outcome.VALUE;
}

/**
 * Answers that there is no room for the value of a key.
 *
 * @param removes Whether the old value goes all the same, so that no client goes on reading it:
 * that of set, and of every mode of ms. Source: memcached proto_text.c, process_update_command.
 */
export function refuse(
  executor: Executor,
  session: Session,
  refusal: Refusal,
  keyBlock: Block,
  keyFrom: number,
  nkey: number,
  removes: boolean,
  replies: ReplyBuffer,
): Outcome {
  const { store, counters } = executor;
  const tooLarge = refusal === Refusal.TOO_LARGE;
  logRefused(store, refusal, session.mode, keyBlock.bytes, keyFrom, nkey);
  counters.add(tooLarge ? Counter.STORE_TOO_LARGE : Counter.STORE_NO_MEMORY, 1);
  replies.write(tooLarge ? Reply.TOO_LARGE : Reply.NO_MEMORY_STORING);
  if (removes) removeOld(store, keyBlock, keyFrom, nkey);
  return Outcome.SWALLOW;
}

/** Removes what is stored for a key, if anything is. */
export function removeOld(store: Store, keyBlock: Block, keyFrom: number, nkey: number): void {
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);

  lockShard(store, hv);
  const old = findLocked(store, hv, keyBlock, keyFrom, nkey);
  if (old !== NO_ITEM) unlinkLocked(store, hv, old);
  unlockShard(store, hv);
}

/**
 * Takes the next value bytes from `block[from, from + count)`, as many as the piece has room for.
 *
 * @returns How many; 0 when it is full, see {@linkcode openPiece}.
 * @hot
 */
export function receiveValue(
  executor: Executor,
  session: Session,
  block: Block,
  from: number,
  count: number,
): number {
  const taken = Math.min(count, session.valueTo - session.valueAt);
  const target = executor.store.items.blocks[session.valueSegment]!;
  copyBytes(block, from, target, session.valueAt, taken);
  session.valueAt += taken;
  session.valueLeft -= taken;
  return taken;
}

/**
 * Makes room for the next bytes of a value whose piece is full.
 *
 * @returns false when there is no memory: {@linkcode refuseValue} is next.
 */
export function openPiece(executor: Executor, session: Session): boolean {
  const { store } = executor;
  const last = session.valueChunk;
  const chunk = takeValueChunk(store, session.item, last, session.valueLeft + session.valueEnd);
  if (isRefused(chunk)) return false;
  session.valueChunk = chunk;
  session.valueSegment = segmentOf(chunk);
  session.valueAt = chunkValueAt(chunk);
  session.valueTo = session.valueAt + Math.min(chunkUsed(store.items, chunk), session.valueLeft);
  return true;
}

/**
 * Answers that memory ran out in the middle of a value; the rest of it is to be discarded. The
 * connection has made sure that there is room for a line.
 * Source: memcached proto_text.c, complete_nread_ascii, and memcached.c, conn_nread.
 */
export function refuseValue(executor: Executor, session: Session, replies: ReplyBuffer): void {
  executor.counters.add(Counter.STORE_NO_MEMORY, 1);
  abandonStorage(executor, session);
  if (session.request !== undefined) {
    writeStatus(replies, session.request, Status.NO_MEMORY_DURING_READ);
  } else if (!session.noreply) replies.write(Reply.NO_MEMORY_DURING_READ);
}

/** Whether the value that has come ends in CRLF. */
function endsInCrlf({ store: { items } }: Executor, session: Session): boolean {
  if (session.valueChunk !== NO_ITEM) return lastTwoBytes(items, session.item) === CRLF_WORD;
  const { bytes } = items.blocks[session.valueSegment]!;
  return bytes[session.valueAt - 2] === CR && bytes[session.valueAt - 1] === LF;
}

/**
 * Stores the item whose last value byte has come, and answers.
 * @hot
 */
export function finishStorage(executor: Executor, session: Session, replies: ReplyBuffer): void {
  const { store } = executor;
  executor.turn.finish(session.verb);
  if (session.request !== undefined) {
    return finishBinaryStorage(executor, session, session.request, replies);
  }
  const it = session.item;
  const isWhole = endsInCrlf(executor, session);
  if (isWhole && session.how.isMeta) return finishMetaSet(executor, session, replies);
  session.item = NO_ITEM;
  if (!isWhole) {
    releaseItem(store, it);
    if (!session.noreply) replies.write(Reply.BAD_CHUNK);
    return;
  }
  const keyAt = itemKeyAt(store.items, it);
  const hv = hashKey(store, blockOf(store.items, it), keyAt, keyAt + itemNkey(store.items, it));

  lockShard(store, hv);
  const stored = storeLocked(store, hv, it, session.mode, session.cas);
  unlockShard(store, hv);

  if (!session.noreply) replies.write(STORED_LINES[stored]);
}

/** Gives up an item whose value will not come: the client is gone. */
export function abandonStorage(executor: Executor, session: Session): void {
  if (session.item === NO_ITEM) return;
  releaseItem(executor.store, session.item);
  session.item = NO_ITEM;
}
