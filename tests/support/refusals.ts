// When the store may refuse memory: nothing is free, nothing may be evicted, no page may be taken.
// It says how many chunks of a class a command could have; room.ts and tail.ts get them. No
// other thread may be at work.

import { UNIT_BYTES } from "../../lib/memory/arena.ts";
import { CHUNK, chunkClass, chunkNext, firstChunk, isChunked } from "../../lib/store/item/chunk.ts";
import { itemChain, type ItemRef, NO_ITEM } from "../../lib/store/item/item.ts";
import { loadRefcount } from "../../lib/store/item/refcount.ts";
import { pageOf, SlabWord } from "../../lib/store/slab/record.ts";
import { NO_CLASS, PAGE_BYTES, type SlabClass } from "../../lib/store/slab/classes.ts";
import { ownClassOf } from "../../lib/store/link.ts";
import type { Store } from "../../lib/store/store.ts";

/** A refusal, as far as it can be told once it has happened. */
export interface Refused {
  /** Size of the item that found no memory. */
  readonly bytes: number;
  /** The item that the command worked on, which was not to go; NO_ITEM for none. */
  readonly kept: ItemRef;
  /** Chunks that the command held meanwhile, besides those of the item. */
  readonly others: number;
}

/** What is wrong with a refusal of the store, if anything is. Called right after it. */
export function refusalProblem(store: Store, { bytes, kept, others }: Refused): string | undefined {
  const { classes, shape, slabs } = store;
  if (!shape.evictions || bytes > slabs.pages.limit * PAGE_BYTES) return undefined;
  const fitting = classes.fit(bytes);
  const isChunked = fitting === NO_CLASS;
  const clsid = isChunked ? classes.last : fitting;
  const largest = classes.chunkBytes[classes.last]! - CHUNK.bytes;
  const needed = isChunked ? Math.ceil(bytes / largest) : 1;
  // A chunk that was held is free by now, and has kept a page where it was.
  const hidden = others + (isChunked ? 2 : 0); // A header, and a last chunk of another class.
  const spare = hidden * (classes.perPage[clsid]! + 1);
  const had = chunksToBeHad(store, clsid, kept);
  if (had < needed + spare) return undefined;
  return `No memory for ${needed} chunks of class ${clsid}, and ${had} were to be had`;
}

/**
 * Chunks of `clsid` that could be had, one after the other, before a value is refused.
 *
 * @param kept An item that is not to go, as a command works on it; {@linkcode NO_ITEM} for none.
 */
export function chunksToBeHad(store: Store, clsid: SlabClass, kept: ItemRef): number {
  const { slabs, classes, shape, tunables } = store;
  for (let id = 1; id <= classes.last; id++) slabs.takeBackSpares(id as SlabClass);
  const free = slabs.freeChunks(clsid);
  if (!shape.evictions) return free;
  const used = new EvictableChunks(store, kept);
  let count = free + (used.ofClass.get(clsid) ?? 0);
  if (!shape.slabReassign || tunables.get("slabAutomove") === 0) return count;
  for (let id = 1; id <= classes.last; id++) {
    const other = id as SlabClass;
    if (other === clsid) continue;
    const last = slabs.word(other, SlabWord.PAGES) - 1; // A class keeps one.
    const pages = Math.min(last, pagesToBeHad(store, other, used));
    count += Math.max(0, pages) * classes.perPage[clsid]!;
  }
  return count;
}

/** Chunks of items that nobody holds, by class and by page. */
class EvictableChunks {
  readonly ofClass = new Map<number, number>();
  readonly ofPage = new Map<number, number>();

  constructor(store: Store, kept: ItemRef) {
    const { assoc, items } = store;
    for (let shard = 0; shard < assoc.shards; shard++) {
      for (let index = 0; index < assoc.bucketsOf(shard); index++) {
        let it = assoc.headOf(shard, index);
        for (; it !== NO_ITEM; it = itemChain(items, it)) {
          if (it !== kept && loadRefcount(items, it) === 1) this.#addItem(store, it);
        }
      }
    }
  }

  #addItem(store: Store, it: ItemRef): void {
    const { items } = store;
    this.#add(ownClassOf(store, it), it);
    if (!isChunked(items, it)) return;
    let chunk = firstChunk(items, it);
    for (; chunk !== NO_ITEM; chunk = chunkNext(items, chunk)) {
      this.#add(chunkClass(items, chunk), chunk);
    }
  }

  #add(clsid: number, chunk: ItemRef): void {
    const page = pageOf(chunk);
    this.ofClass.set(clsid, (this.ofClass.get(clsid) ?? 0) + 1);
    this.ofPage.set(page, (this.ofPage.get(page) ?? 0) + 1);
  }
}

/** Pages of `clsid` in which no chunk is held. */
function pagesToBeHad(store: Store, clsid: SlabClass, used: EvictableChunks): number {
  const { slabs, classes } = store;
  const perPage = classes.perPage[clsid]!;
  let count = slabs.word(clsid, SlabWord.UNOPENED_COUNT);
  for (let page = 1; page <= slabs.pages.used; page++) {
    if (slabs.pages.ownerOf(page) !== clsid) continue;
    const free = freeChunksIn(store, clsid, page);
    if (free < perPage && free + (used.ofPage.get(page) ?? 0) === perPage) count++;
  }
  return count;
}

/** Chunks of an opened page of `clsid` that nobody has; 0 for a page that was never opened. */
function freeChunksIn({ slabs, classes }: Store, clsid: SlabClass, page: number): number {
  const carveAt = slabs.word(clsid, SlabWord.CARVE_AT) as ItemRef;
  const carveLeft = slabs.word(clsid, SlabWord.CARVE_LEFT);
  const isOpen = carveLeft > 0 && pageOf(carveAt) === page;
  let free = isOpen ? carveLeft : 0;
  for (let index = 0; index < classes.perPage[clsid]!; index++) {
    const units = (page * PAGE_BYTES + index * classes.chunkBytes[clsid]!) / UNIT_BYTES;
    const chunk = units as ItemRef;
    if (isOpen && chunk >= carveAt) break;
    if (slabs.leaving.isSlabbed(chunk)) free++;
  }
  return free;
}
