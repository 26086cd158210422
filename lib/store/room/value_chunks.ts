// The chunks of a value that is too large for one: taken as the value arrives, or all at once.

import { CR, CRLF_BYTES, LF } from "../../base/ascii.ts";
import { holdsShard, takeChunk, tryTakeChunk } from "./allocate.ts";
import {
  CHUNK,
  chunkUsed,
  chunkValueAt,
  initChunk,
  setChunkNext,
  setFirstChunk,
} from "../item/chunk.ts";
import { itemNbytes, type ItemRef, type Items, NO_ITEM, segmentOf } from "../item/item.ts";
import { ValueCursor } from "../item/value_cursor.ts";
import { needPage } from "../control/requests.ts";
import { reclaimChunk } from "./room.ts";
import { NO_CLASS, PAGE_BYTES } from "../slab/classes.ts";
import { isRefused, Refusal } from "../outcome.ts";
import type { Store } from "../store.ts";

const end = new ValueCursor();

/**
 * Takes a chunk for the next piece of a value that is being filled in, after the chunk `last`,
 * which is {@linkcode NO_ITEM} for the first piece.
 *
 * @param left Bytes that the value still needs.
 * @returns The chunk, or {@linkcode Refusal.NO_MEMORY}.
 * Takes: as {@linkcode takeChunk}. Source: memcached items.c, do_item_alloc_chunk.
 */
export function takeValueChunk(
  store: Store,
  it: ItemRef,
  last: ItemRef,
  left: number,
): ItemRef | Refusal {
  const { items, classes } = store;
  const largest = classes.chunkBytes[classes.last]! - CHUNK.bytes;
  const fitting = left >= largest
    ? classes.last
    : store.slabs.classFor(classes.fit(left + CHUNK.bytes));
  let clsid = fitting;
  let chunk: ItemRef | Refusal = tryTakeChunk(store, clsid);
  if (chunk === NO_ITEM) {
    // The lists of large items are those of the largest class: there one can go for it.
    clsid = classes.last;
    chunk = takeChunk(store, clsid);
  }
  if (isRefused(chunk) && fitting !== classes.last && !holdsShard(store)) {
    clsid = fitting;
    const reclaimed = reclaimChunk(store, clsid);
    if (reclaimed !== NO_ITEM) chunk = reclaimed;
  }
  if (isRefused(chunk)) {
    const alternative = fitting === classes.last ? NO_CLASS : fitting;
    store.lack.set(classes.last, Math.ceil(itemNbytes(items, it) / largest), alternative);
    if (left > PAGE_BYTES) needPage(store.control, clsid, Math.ceil(left / PAGE_BYTES));
    return chunk;
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
  if (missing > 0 && isRefused(takeValueChunk(store, it, chunk, missing))) return false;
  end.openChunk(items, chunk);
  end.at = at;
  putByte(items, CR);
  putByte(items, LF);
  return true;
}

/** Writes one byte at the position of `end`, and goes on behind it. */
function putByte(items: Items, byte: number): void {
  if (end.at === end.to) end.openNext(items);
  items.blocks[end.segment]!.bytes[end.at++] = byte;
}

/** Takes all chunks of a chunked item that has none. False, with those taken, if one is missing. */
export function takeAllChunks(store: Store, it: ItemRef): boolean {
  let last: ItemRef = NO_ITEM;
  for (let left = itemNbytes(store.items, it); left > 0;) {
    const chunk = takeValueChunk(store, it, last, left);
    if (isRefused(chunk)) return false;
    last = chunk;
    left -= chunkUsed(store.items, last);
  }
  return true;
}
