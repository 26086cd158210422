// Values, in one chunk or in many: a cursor over their pieces, and chunks for one that comes.

import { CR, CRLF_BYTES, LF } from "../../base/ascii.ts";
import { copyBytes } from "../../base/copy.ts";
import { holdsShard, noteLack, takeChunk, tryTakeChunk } from "./allocate.ts";
import {
  CHUNK,
  chunkNext,
  chunkUsed,
  chunkValueAt,
  firstChunk,
  initChunk,
  isChunked,
  setChunkNext,
  setFirstChunk,
} from "../item/chunk.ts";
import {
  itemNbytes,
  type ItemRef,
  type Items,
  itemValueAt,
  NO_ITEM,
  segmentOf,
} from "../item/item.ts";
import { needPage } from "../control/requests.ts";
import { reclaimChunk } from "./room.ts";
import { NO_CLASS, PAGE_BYTES } from "../slab/classes.ts";
import type { Store } from "../store.ts";

/**
 * A place in a value: bytes `[at, to)` of a segment are what is left of the piece at hand. It is
 * good for as long as the item cannot go or move.
 */
export class ValueCursor {
  segment = 0;
  at = 0;
  to = 0;
  #next: ItemRef = NO_ITEM;

  /**
   * Goes to the start of the value of `it`.
   * @hot
   */
  open(items: Items, it: ItemRef): void {
    if (isChunked(items, it)) {
      this.openChunk(items, firstChunk(items, it));
      return;
    }
    this.segment = segmentOf(it);
    this.at = itemValueAt(items, it);
    this.to = this.at + itemNbytes(items, it);
    this.#next = NO_ITEM;
  }

  /** Goes to the start of `chunk`; to nowhere for {@linkcode NO_ITEM}. */
  openChunk(items: Items, chunk: ItemRef): void {
    this.segment = segmentOf(chunk);
    this.at = chunk === NO_ITEM ? 0 : chunkValueAt(chunk);
    this.to = chunk === NO_ITEM ? 0 : this.at + chunkUsed(items, chunk);
    this.#next = chunk === NO_ITEM ? NO_ITEM : chunkNext(items, chunk);
  }

  /** The chunk after the piece at hand; {@linkcode NO_ITEM} when that is the last. */
  get next(): ItemRef {
    return this.#next;
  }

  /** Goes on to the next piece. Returns false, and stays, when there is none. */
  openNext(items: Items): boolean {
    if (this.#next === NO_ITEM) return false;
    this.openChunk(items, this.#next);
    return true;
  }
}

/** Copies the next `count` bytes from one value to another; both cursors move. */
export function copyPieces(items: Items, from: ValueCursor, to: ValueCursor, count: number): void {
  let left = count;
  while (left > 0) {
    if (from.at === from.to) from.openNext(items);
    if (to.at === to.to) to.openNext(items);
    const step = Math.min(left, from.to - from.at, to.to - to.at);
    if (step <= 0) throw new RangeError("Value copied past its end");
    copyBytes(items.blocks[from.segment]!, from.at, items.blocks[to.segment]!, to.at, step);
    from.at += step;
    to.at += step;
    left -= step;
  }
}

const ends = new ValueCursor();

/** The last two bytes of the value of `it`, the first of them in the high byte. */
export function lastTwoBytes(items: Items, it: ItemRef): number {
  let word = 0;
  ends.open(items, it);
  do {
    const { bytes } = items.blocks[ends.segment]!;
    for (let at = Math.max(ends.at, ends.to - 2); at < ends.to; at++) {
      word = ((word << 8) | bytes[at]!) & 0xffff;
    }
  } while (ends.openNext(items));
  return word;
}

/**
 * Takes a chunk for the next piece of a value that is being filled in, after the chunk `last`,
 * which is {@linkcode NO_ITEM} for the first piece.
 *
 * @param left Bytes that the value still needs.
 * @returns The chunk, or {@linkcode NO_ITEM} with the reason in `store.miss`.
 * Takes: as {@linkcode takeChunk}. Source: memcached items.c, do_item_alloc_chunk.
 */
export function takeValueChunk(store: Store, it: ItemRef, last: ItemRef, left: number): ItemRef {
  const { items, classes } = store;
  const largest = classes.chunkBytes[classes.last]! - CHUNK.bytes;
  const fitting = left >= largest
    ? classes.last
    : store.slabs.classFor(classes.fit(left + CHUNK.bytes));
  let clsid = fitting;
  let chunk = tryTakeChunk(store, clsid);
  if (chunk === NO_ITEM) {
    // The lists of large items are those of the largest class: there one can go for it.
    clsid = classes.last;
    chunk = takeChunk(store, clsid);
  }
  if (chunk === NO_ITEM && fitting !== classes.last && !holdsShard(store)) {
    clsid = fitting;
    chunk = reclaimChunk(store, clsid);
  }
  if (chunk === NO_ITEM) {
    const otherwise = fitting === classes.last ? NO_CLASS : fitting;
    noteLack(classes.last, Math.ceil(itemNbytes(items, it) / largest), otherwise);
    if (left > PAGE_BYTES) needPage(store.control, clsid, Math.ceil(left / PAGE_BYTES));
    return NO_ITEM;
  }
  initChunk(items, chunk, clsid, it, Math.min(left, largest));
  if (last === NO_ITEM) setFirstChunk(items, it, chunk);
  else setChunkNext(items, last, chunk);
  return chunk;
}

/**
 * Writes the CRLF behind a value that has come without it.
 *
 * @param chunk The chunk that its last byte is in; {@linkcode NO_ITEM} when it is in one piece.
 * @param at Position behind that byte, in the segment of the piece.
 * @returns false when there is no memory for a chunk that the CRLF needs.
 */
export function endInCrlf(store: Store, it: ItemRef, chunk: ItemRef, at: number): boolean {
  const { items } = store;
  if (chunk === NO_ITEM) {
    const { bytes } = items.blocks[segmentOf(it)]!;
    bytes[at] = CR;
    bytes[at + 1] = LF;
    return true;
  }
  const missing = CRLF_BYTES - (chunkValueAt(chunk) + chunkUsed(items, chunk) - at);
  if (missing > 0 && takeValueChunk(store, it, chunk, missing) === NO_ITEM) return false;
  ends.openChunk(items, chunk);
  ends.at = at;
  putByte(items, CR);
  putByte(items, LF);
  return true;
}

/** Writes one byte at the place of `ends`, and goes on behind it. */
function putByte(items: Items, byte: number): void {
  if (ends.at === ends.to) ends.openNext(items);
  items.blocks[ends.segment]!.bytes[ends.at++] = byte;
}

/** Takes all chunks of a chunked item that has none. False, with those taken, if one is missing. */
export function takeAllChunks(store: Store, it: ItemRef): boolean {
  let last: ItemRef = NO_ITEM;
  for (let left = itemNbytes(store.items, it); left > 0;) {
    last = takeValueChunk(store, it, last, left);
    if (last === NO_ITEM) return false;
    left -= chunkUsed(store.items, last);
  }
  return true;
}
