// Making room in a slab class: from the tail of its LRU list, expired items first come, then those
// that nobody has read lately.
//
// The caller may hold the lock of one shard; the shards of tail items are only tried.
// Source: memcached items.c, lru_pull_tail.

import { LockRank } from "../memory/lock.ts";
import { ClassCounter } from "../stats/names.ts";
import { isFlushed } from "./flush.ts";
import {
  isExpired,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemPrev,
  type ItemRef,
  itemTime,
  loadRefcount,
  NO_ITEM,
} from "./item.ts";
import { type LruId, lruIdOf, LruSegment } from "./lru.ts";
import type { SlabClass } from "./slab_class.ts";
import type { Store } from "./store.ts";

/** Tail items that are looked at for one that can go. Source: memcached items.c, lru_pull_tail. */
const TAIL_ITEMS_MAX = 5;

/**
 * Frees the chunk of one item of `clsid`: an expired or flushed one, or else, unless evictions are
 * off, the one that was read longest ago. Takes: LRU, slab; tries buckets.
 *
 * @returns Whether a chunk became free. Another thread may take it first.
 */
export function makeRoom(store: Store, clsid: SlabClass): boolean {
  const lru = lruIdOf(clsid, LruSegment.COLD);

  store.locks.lock(store.lru.lockOf(lru), LockRank.LRU);
  const freed = pullTailLocked(store, clsid, lru);
  store.locks.unlock(store.lru.lockOf(lru), LockRank.LRU);

  return freed;
}

/** Looks from the tail for an item that can go. Caller holds the list's lock. */
function pullTailLocked(store: Store, clsid: SlabClass, lru: LruId): boolean {
  let it = store.lru.tailLocked(lru);
  for (let looked = 0; it !== NO_ITEM && looked < TAIL_ITEMS_MAX; looked++) {
    const towardsHead = itemPrev(store.items, it);
    const hv = store.assoc.hashOf(it);
    const bucket = store.assoc.lockOf(hv);
    if (!store.locks.tryLock(bucket, LockRank.BUCKET)) {
      store.counters.addClass(clsid, ClassCounter.LRUTAIL_REFLOCKED, 1);
    } else {
      const fate = judgeLocked(store, clsid, it);
      if (fate === Fate.EVICT) {
        const age = store.clock.now - itemTime(store.items, it);
        store.lru.noteEvictedLocked(lru, Math.max(0, age)); // Clocks may differ by a second.
      }
      if (fate !== Fate.STAY) dropLocked(store, lru, hv, it);
      store.locks.unlock(bucket, LockRank.BUCKET);
      if (fate !== Fate.STAY) return true;
    }
    it = towardsHead;
  }
  return false;
}

/** What becomes of an item at the tail. */
const Fate = { EVICT: 0, RECLAIM: 1, STAY: 2 } as const;
type Fate = typeof Fate[keyof typeof Fate];

/** Decides, and counts. Caller holds the item's shard. */
function judgeLocked(store: Store, clsid: SlabClass, it: ItemRef): Fate {
  const { items, counters } = store;
  const { now } = store.clock;
  const flags = itemFlags(items, it);
  if (loadRefcount(items, it) > 1) {
    // A client is being sent this item, and holds it.
    counters.addClass(clsid, ClassCounter.LRUTAIL_REFLOCKED, 1);
    return Fate.STAY;
  }
  if (isExpired(items, it, now) || isFlushed(store.control, items, it, now)) {
    counters.addClass(clsid, ClassCounter.RECLAIMED, 1);
    if ((flags & ItemFlag.FETCHED) === 0) {
      counters.addClass(clsid, ClassCounter.EXPIRED_UNFETCHED, 1);
    }
    return Fate.RECLAIM;
  }
  if (!store.shape.evictions) return Fate.STAY;
  counters.addClass(clsid, ClassCounter.EVICTIONS, 1);
  if (itemExptime(items, it) !== 0) counters.addClass(clsid, ClassCounter.EVICTED_NONZERO, 1);
  if ((flags & ItemFlag.FETCHED) === 0) counters.addClass(clsid, ClassCounter.EVICTED_UNFETCHED, 1);
  if ((flags & ItemFlag.ACTIVE) !== 0) counters.addClass(clsid, ClassCounter.EVICTED_ACTIVE, 1);
  return Fate.EVICT;
}

/** Unlinks an item. Caller holds its shard and its list. */
function dropLocked(store: Store, lru: LruId, hv: number, it: ItemRef): void {
  store.lru.unlinkLocked(lru, it);
  store.forgetLocked(hv, it);
}
