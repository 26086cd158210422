// A cursor over the pieces of a value, which is in one chunk or in many.

import { assert } from "../../base/assert.ts";
import { copyBytes } from "../../base/copy.ts";
import { chunkNext, chunkUsed, chunkValueAt, firstChunk, isChunked } from "./chunk.ts";
import { itemNbytes, type ItemRef, type Items, itemValueAt, NO_ITEM, segmentOf } from "./item.ts";

/**
 * A position in a value: bytes `[at, to)` of a segment are the rest of the current piece. It is
 * valid while the item can be neither freed nor moved.
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

  /** Goes to the start of `chunk`; {@linkcode NO_ITEM} leaves the cursor without a piece. */
  openChunk(items: Items, chunk: ItemRef): void {
    this.segment = segmentOf(chunk);
    this.at = chunk === NO_ITEM ? 0 : chunkValueAt(chunk);
    this.to = chunk === NO_ITEM ? 0 : this.at + chunkUsed(items, chunk);
    this.#next = chunk === NO_ITEM ? NO_ITEM : chunkNext(items, chunk);
  }

  /** The chunk after the current piece; {@linkcode NO_ITEM} after the last one. */
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
    assert(step > 0, "Value copied past its end");
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
