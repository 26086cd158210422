// Makes a store out of saved items: the hash table, the LRU lists in their order, pages, free
// chunks and counts. The items have passed saved_check.ts; they are written to from here on.
//
// What no item on a list uses is free: values that never came whole, chunks that threads kept, what
// clients held, a page half moved. Items whose time has passed meanwhile, and flushed ones, go.

import { ClassCounter, CLASSES_MAX, Counter } from "../../stats/names.ts";
import { restoreCas } from "../item/cas.ts";
import { chunkNext, firstChunk, isChunked } from "../item/chunk.ts";
import { ChunkMarks } from "../slab/chunk_marks.ts";
import { isFlushed, restoreFlush } from "../item/generation.ts";
import {
  blockOf,
  isExpired,
  itemBytes,
  itemKeyAt,
  itemNkey,
  itemPrev,
  type ItemRef,
  NO_ITEM,
} from "../item/item.ts";
import { resetRefcount } from "../item/refcount.ts";
import { classOf, type LruId, lruIdOf, LRUS_MAX, LruSegment } from "../lru/lists.ts";
import { LIST_WORDS, ListWord, type SavedStore } from "./saved_store.ts";
import type { SlabClass } from "../slab/classes.ts";
import type { Store } from "../store.ts";

/** The segments, in the order in which their items may come together in one list. */
const OLDEST_FIRST = [LruSegment.COLD, LruSegment.WARM, LruSegment.HOT, LruSegment.TEMP];

/**
 * Fills a new store, whose clock shows the time, with the items of `saved`. Before any thread uses
 * it.
 *
 * @returns How many items there are now.
 */
export function restoreStore(store: Store, saved: SavedStore): number {
  return store.locks.exclusively(() => restore(store, saved));
}

function restore(store: Store, saved: SavedStore): number {
  const { control, slabs, classes, assoc } = store;
  const { owners, lists } = saved;
  restoreCas(control, saved.cas);
  restoreFlush(control, saved.flush);
  slabs.pages.setUsed(owners.length - 1);
  let count = 0;
  for (let id = 0; id < LRUS_MAX; id++) count += lists[id * LIST_WORDS + ListWord.COUNT]!;
  assoc.makeRoomFor(count, saved.buckets);

  const used = new ChunkMarks(owners, classes);
  let kept = 0;
  for (const segment of OLDEST_FIRST) {
    for (let clsid = 0; clsid < CLASSES_MAX; clsid++) {
      const id = lruIdOf(clsid as SlabClass, segment);
      const list = lruIdOf(clsid as SlabClass, segmentNow(store, segment));
      // The oldest first: each is put in front of those before it.
      let it = lists[id * LIST_WORDS + ListWord.TAIL]! as ItemRef;
      while (it !== NO_ITEM) {
        const next = itemPrev(store.items, it);
        if (isAlive(store, it) && link(store, it, list)) {
          mark(store, used, it);
          kept++;
        }
        it = next;
      }
    }
  }
  assoc.growTo(saved.buckets);
  for (let page = owners.length - 1; page > 0; page--) {
    const clsid = owners[page]!;
    if (clsid === 0) slabs.pages.give(page);
    else slabs.arriving.adopt(page, clsid as SlabClass, used);
  }
  return kept;
}

/**
 * The segment for what was in `segment`: all is COLD in flat mode. Nothing is evicted from TEMP, so
 * nothing may be left there when no item is to go there any more.
 */
function segmentNow({ tunables }: Store, segment: LruSegment): LruSegment {
  if (!tunables.isSegmented) return LruSegment.COLD;
  if (segment === LruSegment.TEMP && tunables.temporaryTtl < 0) return LruSegment.COLD;
  return segment;
}

function isAlive({ items, control, clock: { now } }: Store, it: ItemRef): boolean {
  return !isExpired(items, it, now) && !isFlushed(control, items, it, now);
}

/** Puts `it` into the table and at the head of its list; false if its key is there already. */
function link(store: Store, it: ItemRef, list: LruId): boolean {
  const { items, assoc, counters } = store;
  const at = itemKeyAt(items, it);
  const nkey = itemNkey(items, it);
  const block = blockOf(store.items, it);
  const hv = assoc.hash(block, at, at + nkey);
  if (assoc.findLocked(hv, block, at, nkey) !== NO_ITEM) return false;
  resetRefcount(items, it);
  store.lru.linkLocked(list, it);
  assoc.insertLocked(hv, it);
  const bytes = itemBytes(items, it);
  counters.addClass(classOf(items, it), ClassCounter.NUMBER, 1);
  counters.addClass(classOf(items, it), ClassCounter.MEM_REQUESTED, bytes);
  counters.add(Counter.TOTAL_ITEMS, 1);
  store.sizes.add(bytes, 1);
  return true;
}

/** Marks the chunks of `it` as used. */
function mark({ items }: Store, used: ChunkMarks, it: ItemRef): void {
  used.add(it);
  if (!isChunked(items, it)) return;
  let chunk = firstChunk(items, it);
  for (; chunk !== NO_ITEM; chunk = chunkNext(items, chunk)) used.add(chunk);
}
