// incr and decr: 64-bit arithmetic on values that are decimal text.
//
// Source: memcached memcached.c, do_add_delta.

import { CHECKS } from "../../base/assert.ts";
import { CR, CRLF_BYTES, DIGIT_0, DIGIT_9, LF, PLUS, SPACE } from "../../base/ascii.ts";
import { copyBytes } from "../../base/copy.ts";
import { Block } from "../../base/block.ts";
import type { U64 } from "../../base/u64.ts";
import { allocate, makeRoomUnlocked } from "../room/allocate.ts";
import { updateLocked } from "./bump.ts";
import { isChunked } from "../item/chunk.ts";
import {
  advanceItemTime,
  blockOf,
  itemClientFlags,
  itemExptime,
  itemKeyAt,
  itemNbytes,
  itemNkey,
  type ItemRef,
  type Items,
  itemValueAt,
  keepKeyForm,
} from "../item/item.ts";
import { loadRefcount } from "../item/refcount.ts";
import { renewCasLocked, replaceLocked } from "../link.ts";
import { isRefused, type Refusal } from "../outcome.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

/** How an arithmetic operation ended. */
export const Added = {
  OK: 0,
  NON_NUMERIC: 1,
  NO_MEMORY: 2,
  /** Room was made, and the shard's lock given back meanwhile: the item is to be found again. */
  AGAIN: 3,
} as const;
export type Added = typeof Added[keyof typeof Added];

const TAB = 0x09;

/** The new value's digits, with room for a CRLF. */
const text = new Block(new ArrayBuffer(64));

/**
 * Whether the value of `it` cannot be a number, whatever its text: it is empty, or in chunks. Said
 * before the version is compared. Source: memcached memcached.c, do_add_delta.
 */
export function isNoNumber(items: Items, it: ItemRef): boolean {
  return isChunked(items, it) || itemNbytes(items, it) <= CRLF_BYTES;
}

/**
 * Adds `delta` to the value of `it`, or subtracts it, and leaves the result in `result`.
 *
 * incr wraps at 2^64, decr stops at 0. A result no longer than the old text is written over it and
 * filled up with spaces; a longer one moves to a new item. Flags and expiry stay, the version is
 * new. Caller holds the shard's lock. Takes: LRU, slab.
 *
 * @param looks How often the caller has found the item before: see {@linkcode Added.AGAIN}.
 */
export function addDeltaLocked(
  store: Store,
  hv: number,
  it: ItemRef,
  increment: boolean,
  delta: U64,
  result: U64,
  looks: number,
): Added {
  if (CHECKS) assertShardHeld(store, hv);
  if (isNoNumber(store.items, it)) return Added.NON_NUMERIC;
  const at = itemValueAt(store.items, it);
  const length = itemNbytes(store.items, it) - CRLF_BYTES;
  if (!readNumber(blockOf(store.items, it).bytes, at, at + length, result)) {
    return Added.NON_NUMERIC;
  }
  if (increment) result.add(delta);
  else result.subtractToZero(delta);

  const digits = result.write(text.bytes, 0);
  // A client that is being sent the item holds it: its bytes must not change under the send.
  if (digits <= length && loadRefcount(store.items, it) === 1) {
    copyBytes(text, 0, blockOf(store.items, it), at, digits);
    blockOf(store.items, it).bytes.fill(SPACE, at + digits, at + length);
    renewCasLocked(store, it);
    updateLocked(store, it);
    advanceItemTime(store.items, it, store.clock.now); // Stored, as far as a flush is concerned.
    return Added.OK;
  }
  const moved = moveLocked(store, hv, it, digits);
  if (!isRefused(moved)) return Added.OK;
  return makeRoomUnlocked(store, moved, hv, it, looks) ? Added.AGAIN : Added.NO_MEMORY;
}

/** Replaces `it` by an item with the first `digits` bytes of `text` as its value. */
function moveLocked(store: Store, hv: number, it: ItemRef, digits: number): ItemRef | Refusal {
  const { items } = store;
  const moved = allocate(
    store,
    blockOf(store.items, it),
    itemKeyAt(items, it),
    itemNkey(items, it),
    itemClientFlags(items, it),
    itemExptime(items, it),
    digits + CRLF_BYTES,
  );
  if (isRefused(moved)) return moved;
  text.bytes[digits] = CR;
  text.bytes[digits + 1] = LF;
  copyBytes(
    text,
    0,
    blockOf(store.items, moved),
    itemValueAt(store.items, moved),
    digits + CRLF_BYTES,
  );
  keepKeyForm(items, it, moved);
  replaceLocked(store, hv, it, moved);
  return moved;
}

/**
 * Reads a number as memcached's strtoull does: white space, an optional plus sign, digits, any of
 * them zeros in front, then the end or white space and anything.
 */
function readNumber(bytes: Uint8Array, from: number, to: number, value: U64): boolean {
  let at = from;
  while (at < to && isSpace(bytes[at]!)) at++;
  if (at < to && bytes[at] === PLUS) at++;
  let end = at;
  while (end < to && bytes[end]! >= DIGIT_0 && bytes[end]! <= DIGIT_9) end++;
  if (end < to && !isSpace(bytes[end]!)) return false;
  return value.parse(bytes, at, end);
}

/** Source: isspace() in the C locale. */
function isSpace(byte: number): boolean {
  return byte === SPACE || (byte >= TAB && byte <= CR);
}
