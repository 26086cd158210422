// The holders of an item: the only field of the header that changes without a lock.
//
// A holder is added under the lock of the item's shard, while the item is linked. The thread that
// removes the last holder owns the chunk, and gives it back.

import { SEGMENT_SHIFT, UNIT_MASK } from "../../memory/arena.ts";
import { addWord, loadWord } from "../../memory/atomic.ts";
import { ITEM, type ItemRef, type Items, U16_PER_UNIT } from "./item.ts";

const REFCOUNT = ITEM.index.refcount;

/** Most holders an item may have. Source: memcached memcached.c, IT_REFCOUNT_LIMIT. */
export const REFCOUNT_MAX = 60000;

/** Holders of the item; the hash table counts as one. */
export function loadRefcount(items: Items, it: ItemRef): number {
  return loadWord(
    items.u16[it >>> SEGMENT_SHIFT]!,
    (it & UNIT_MASK) * U16_PER_UNIT + REFCOUNT,
  );
}

/** Adds `delta` holders; returns how many there were before. */
export function addRefcount(items: Items, it: ItemRef, delta: number): number {
  return addWord(
    items.u16[it >>> SEGMENT_SHIFT]!,
    (it & UNIT_MASK) * U16_PER_UNIT + REFCOUNT,
    delta,
  );
}

/**
 * Takes the only holder away, if there is but one: the caller. No other thread can become a holder
 * then, and a processor stores nothing ahead of the branch that it depends on; so this needs no
 * atomic operation, which V8 makes a call of. What is loaded next may be older than the count.
 *
 * @returns false when there are more, and nothing has changed.
 * @hot
 */
export function dropOnlyHolder(items: Items, it: ItemRef): boolean {
  const halves = items.u16[it >>> SEGMENT_SHIFT]!;
  const at = (it & UNIT_MASK) * U16_PER_UNIT + REFCOUNT;
  if (halves[at] !== 1) return false;
  halves[at] = 0;
  return true;
}

/** Leaves the item one holder, the hash table. Before any thread uses the store. */
export function resetRefcount(items: Items, it: ItemRef): void {
  items.u16[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U16_PER_UNIT + REFCOUNT] = 1;
}
