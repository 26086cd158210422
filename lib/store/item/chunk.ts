// Large items: an item whose value does not fit one chunk has it in a chain of chunks.
//
//    header item ─► [ ITEM | cas | key | flags | first ]      in a small slab class
//                                                  │
//         ┌────────────────────────────────────────┘
//         └─► [ CHUNK.bytes | used bytes of value ] ─next─► [ … ] ─next─► 0
//
// Every chunk but the last is of the largest class, the last of the one that fits. A thread
// that may read or write an item may do so with its chain; `head` leads from a chunk to its item.
// The flags are where an item has them: they show whether a place in a page is an item or a chunk.
// Source: memcached memcached.h, struct _strchunk; items.c, do_item_alloc_chunk.

import { SEGMENT_SHIFT, UNIT_BYTES, UNIT_MASK } from "../../memory/arena.ts";
import { layout } from "../../memory/layout.ts";
import {
  ITEM,
  ItemFlag,
  itemFlags,
  type ItemRef,
  type Items,
  itemValueAt,
  NO_ITEM,
  setItemFlags,
} from "./item.ts";

// deno-fmt-ignore
export const CHUNK = layout("Chunk", 32, [
  ["next",  4, "ChunkRef: the next chunk of the item; 0 for none" ], // as its item
  ["head",  4, "ItemRef: the item"                                ], // as its item
  ["used",  4, "value bytes in this chunk"                        ], // as its item
  ["pad0",  4, "–"                                                ],
  ["pad1",  4, "–"                                                ],
  ["pad2",  4, "–"                                                ],
  ["pad3",  2, "–"                                                ],
  ["flags", 2, "ItemFlag.CHUNK"                                   ], // when taken and given back
  ["pad4",  1, "–"                                                ],
  ["clsid", 1, "slab class"                                       ], // when taken
  ["pad5",  2, "–"                                                ],
]);

/** Bytes of the reference to the first chunk, which an item has in the place of its value. */
export const FIRST_CHUNK_BYTES = 4;

const U32_PER_UNIT = UNIT_BYTES / 4;
const { next: NEXT, head: HEAD, used: USED, clsid: CLSID } = CHUNK.index;
if (CHUNK.index.flags !== ITEM.index.flags) throw new Error("Chunk flags are not where items' are");

/** Whether the value of `it` is in chunks. */
export function isChunked(items: Items, it: ItemRef): boolean {
  return (itemFlags(items, it) & ItemFlag.CHUNKED) !== 0;
}

/** First chunk of a chunked item; {@linkcode NO_ITEM} while it has none. */
export function firstChunk(items: Items, it: ItemRef): ItemRef {
  const { view } = items.blocks[it >>> SEGMENT_SHIFT]!;
  return view.getUint32(itemValueAt(items, it), true) as ItemRef;
}

/** Sets the first chunk of a chunked item. */
export function setFirstChunk(items: Items, it: ItemRef, chunk: ItemRef): void {
  items.blocks[it >>> SEGMENT_SHIFT]!.view.setUint32(itemValueAt(items, it), chunk, true);
}

function word(items: Items, chunk: ItemRef, index: number): number {
  return items.u32[chunk >>> SEGMENT_SHIFT]![(chunk & UNIT_MASK) * U32_PER_UNIT + index]!;
}

function setWord(items: Items, chunk: ItemRef, index: number, value: number): void {
  items.u32[chunk >>> SEGMENT_SHIFT]![(chunk & UNIT_MASK) * U32_PER_UNIT + index] = value;
}

/** The chunk after `chunk`; {@linkcode NO_ITEM} behind the last. */
export function chunkNext(items: Items, chunk: ItemRef): ItemRef {
  return word(items, chunk, NEXT) as ItemRef;
}

/** Sets the chunk after `chunk`. */
export function setChunkNext(items: Items, chunk: ItemRef, next: ItemRef): void {
  setWord(items, chunk, NEXT, next);
}

/** The item that `chunk` belongs to. */
export function chunkHead(items: Items, chunk: ItemRef): ItemRef {
  return word(items, chunk, HEAD) as ItemRef;
}

/** Sets the item that `chunk` belongs to. */
export function setChunkHead(items: Items, chunk: ItemRef, head: ItemRef): void {
  setWord(items, chunk, HEAD, head);
}

/** Value bytes in `chunk`. */
export function chunkUsed(items: Items, chunk: ItemRef): number {
  return word(items, chunk, USED);
}

/** Slab class of `chunk`. */
export function chunkClass(items: Items, chunk: ItemRef): number {
  return items.u8[chunk >>> SEGMENT_SHIFT]![(chunk & UNIT_MASK) * UNIT_BYTES + CLSID]!;
}

/** Position in its segment of the first value byte of `chunk`. */
export function chunkValueAt(chunk: ItemRef): number {
  return (chunk & UNIT_MASK) * UNIT_BYTES + CHUNK.bytes;
}

/** Fills the header of a chunk of `clsid` that no other thread sees, the last one of `head`. */
export function initChunk(
  items: Items,
  chunk: ItemRef,
  clsid: number,
  head: ItemRef,
  used: number,
): void {
  setWord(items, chunk, NEXT, NO_ITEM);
  setWord(items, chunk, HEAD, head);
  setWord(items, chunk, USED, used);
  items.u8[chunk >>> SEGMENT_SHIFT]![(chunk & UNIT_MASK) * UNIT_BYTES + CLSID] = clsid;
  setItemFlags(items, chunk, ItemFlag.CHUNK);
}
