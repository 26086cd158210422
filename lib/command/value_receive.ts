// A value on its way from the client: its bytes go from the connection straight into the item.
//
// A piece is what the item has in one range of memory: the whole value, or one chunk of it. The
// session has the current piece, and openPiece() takes memory for the next one.

import { assert } from "../base/assert.ts";
import { CR, CRLF_BYTES, LF } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";
import { copyBytes } from "../base/copy.ts";
import { NOT_A_NUMBER, parseUint } from "../base/decimal.ts";
import { Counter } from "../stats/names.ts";
import { chunkUsed, chunkValueAt, isChunked } from "../store/item/chunk.ts";
import {
  blockOf,
  itemKeyAt,
  itemNkey,
  type ItemRef,
  itemValueAt,
  NO_ITEM,
  segmentOf,
} from "../store/item/item.ts";
import { lastTwoBytes } from "../store/item/value_cursor.ts";
import { logRefused } from "../store/item_events.ts";
import {
  findLocked,
  hashKey,
  lockShard,
  releaseItem,
  unlinkLocked,
  unlockShard,
} from "../store/link.ts";
import { isRefused, Refusal } from "../store/outcome.ts";
import { takeValueChunk } from "../store/room/value_chunks.ts";
import type { Store } from "../store/store.ts";
import type { Executor } from "./executor.ts";
import { Outcome, type Session } from "./session.ts";

/** CR and LF as {@linkcode lastTwoBytes} returns them. */
const CRLF_WORD = (CR << 8) | LF;
/** Longest value length that a line may name. Source: memcached proto_text.c, INT_MAX - 2. */
const VALUE_BYTES_MAX = 2 ** 31 - 3;

/**
 * Reads the length of the value that follows a line.
 *
 * @param index Number of its token.
 * @returns Bytes without the CRLF; NaN when the line has no valid length.
 * @hot
 */
export function readValueLength({ tokens }: Executor, bytes: Uint8Array, index: number): number {
  if (index >= tokens.count) return NOT_A_NUMBER;
  return parseUint(bytes, tokens.start[index]!, tokens.end[index]!, VALUE_BYTES_MAX);
}

/**
 * Prepares the session to receive `session.valueLeft` bytes into `it`, on which it takes over the
 * caller's hold.
 * @hot
 */
export function startValue({ store }: Executor, session: Session, it: ItemRef): Outcome {
  assert(session.item === NO_ITEM, "Value begun while another one is received");
  session.item = it;
  session.valueChunk = NO_ITEM;
  session.valueSegment = segmentOf(it);
  session.valueAt = itemValueAt(store.items, it);
  session.valueEnd = session.request === undefined ? 0 : CRLF_BYTES;
  // A chunked item has no room for any byte yet: openPiece() takes it as the bytes come.
  session.valueTo = isChunked(store.items, it)
    ? session.valueAt
    : session.valueAt + session.valueLeft;
  return Outcome.VALUE;
}

/**
 * Counts and logs that the store has refused an item for a key.
 *
 * @param removes Whether the old value goes all the same, so that no client reads outdated data:
 * after a set, and after an ms of any mode. Source: memcached proto_text.c, process_update_command,
 * process_mset_command.
 * Takes: bucket, LRU, slab.
 */
export function countRefusal(
  { store, counters }: Executor,
  session: Session,
  refusal: Refusal,
  keyBlock: Block,
  keyFrom: number,
  nkey: number,
  removes: boolean,
): void {
  logRefused(store, refusal, session.mode, keyBlock.bytes, keyFrom, nkey);
  const isTooLarge = refusal === Refusal.TOO_LARGE;
  counters.add(isTooLarge ? Counter.STORE_TOO_LARGE : Counter.STORE_NO_MEMORY, 1);
  if (removes) removeOld(store, keyBlock, keyFrom, nkey);
}

/** Removes the item that has a key, if there is one. */
function removeOld(store: Store, keyBlock: Block, keyFrom: number, nkey: number): void {
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);

  lockShard(store, hv);
  const old = findLocked(store, hv, keyBlock, keyFrom, nkey);
  if (old !== NO_ITEM) unlinkLocked(store, hv, old);
  unlockShard(store, hv);
}

/**
 * Takes the next value bytes from `block[from, from + count)`, as many as the piece has room for.
 *
 * @param count At most `session.valueLeft`.
 * @returns How many; 0 when the piece is full, see {@linkcode openPiece}.
 * @hot
 */
export function receiveValue(
  executor: Executor,
  session: Session,
  block: Block,
  from: number,
  count: number,
): number {
  assert(session.item !== NO_ITEM, "Value bytes received without an item");
  assert(count <= session.valueLeft, "Value received past its end");
  const taken = Math.min(count, session.valueTo - session.valueAt);
  const target = executor.store.items.blocks[session.valueSegment]!;
  copyBytes(block, from, target, session.valueAt, taken);
  session.valueAt += taken;
  session.valueLeft -= taken;
  return taken;
}

/**
 * Takes memory for the next bytes of a value whose piece is full. Takes: slab, page; LRU and
 * buckets where room must be made.
 *
 * @returns false when there is no memory: the connection refuses the rest of the value.
 */
export function openPiece(executor: Executor, session: Session): boolean {
  assert(session.item !== NO_ITEM, "Piece opened without an item");
  assert(session.valueAt === session.valueTo, "Piece opened before the last one is full");
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

/** Whether the received value ends in CRLF. */
export function endsInCrlf({ store: { items } }: Executor, session: Session): boolean {
  if (session.valueChunk !== NO_ITEM) return lastTwoBytes(items, session.item) === CRLF_WORD;
  const { bytes } = items.blocks[session.valueSegment]!;
  return bytes[session.valueAt - 2] === CR && bytes[session.valueAt - 1] === LF;
}

/**
 * Ends the reception of a value that is complete.
 *
 * @returns Its item. The session's hold on it goes to the caller.
 * @hot
 */
export function takeReceived(session: Session): ItemRef {
  assert(session.item !== NO_ITEM, "Value finished without an item");
  assert(session.valueLeft === 0, "Value finished before its last byte");
  const it = session.item;
  session.item = NO_ITEM;
  return it;
}

/**
 * Hash of the key of an item that is not linked yet, see {@linkcode hashKey}.
 * @hot
 */
export function hashItemKey(store: Store, it: ItemRef): number {
  const keyAt = itemKeyAt(store.items, it);
  return hashKey(store, blockOf(store.items, it), keyAt, keyAt + itemNkey(store.items, it));
}

/** Lets go of the item that is being received, if there is one: its value stays incomplete. */
export function abandonStorage(executor: Executor, session: Session): void {
  if (session.item === NO_ITEM) return;
  releaseItem(executor.store, session.item);
  session.item = NO_ITEM;
}
