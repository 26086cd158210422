// What a lookup changes besides its reply: the counters of hits, misses and touches, and the item's
// place in the LRU.

import { ClassCounter, Counter } from "../stats/names.ts";
import type { ItemRef } from "../store/item/item.ts";
import { classOf, segmentIndexOf } from "../store/lru/lists.ts";
import { assertAnyShardHeld } from "../store/shard_held.ts";
import { bumpLocked, touchLocked } from "../store/update/bump.ts";
import type { Executor } from "./executor.ts";

/**
 * Marks `it` as read, and counts a hit. Caller holds the shard's lock.
 * @hot
 */
export function readLocked(executor: Executor, it: ItemRef): void {
  bumpLocked(executor.store, it);
  countReadLocked(executor, it);
}

/**
 * Counts a hit. Caller holds the shard's lock.
 * @hot
 */
export function countReadLocked({ store, counters }: Executor, it: ItemRef): void {
  counters.add(Counter.CMD_GET, 1);
  const hits = ClassCounter.HITS_TO_HOT + segmentIndexOf(store.items, it);
  counters.addClass(classOf(store.items, it), hits, 1);
}

/**
 * Gives `it` an expiry, and counts a touch. Caller holds the shard's lock.
 *
 * @param exptime Seconds since start.
 */
export function touchReadLocked(executor: Executor, it: ItemRef, exptime: number): void {
  touchLocked(executor.store, it, exptime);
  countTouchLocked(executor, it);
}

/** Counts a touch of `it`. Caller holds the shard's lock. */
export function countTouchLocked({ store, counters }: Executor, it: ItemRef): void {
  assertAnyShardHeld(store);
  counters.add(Counter.CMD_TOUCH, 1);
  counters.addClass(classOf(store.items, it), ClassCounter.TOUCH_HITS, 1);
}

/**
 * Counts a key that was not found.
 *
 * @param touches The command would have set the item's expiry: the counters are those of touch.
 * Source: memcached proto_text.c, process_get_command.
 */
export function countMiss({ counters }: Executor, touches: boolean): void {
  counters.add(touches ? Counter.CMD_TOUCH : Counter.CMD_GET, 1);
  counters.add(touches ? Counter.TOUCH_MISSES : Counter.GET_MISSES, 1);
}
