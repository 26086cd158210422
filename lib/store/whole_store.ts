// Operations on the store as a whole: flush, the memory limit, counters.

import { type LockIndex, LockRank } from "../memory/lock.ts";
import { Global } from "../memory/regions.ts";
import { resetCountersLocked } from "../stats/counters.ts";
import { flushLaterLocked, flushNowLocked } from "./item/generation.ts";
import { itemTime, NO_ITEM } from "./item/item.ts";
import { type LruId } from "./lru/lists.ts";
import { wakeMaintainer } from "./control/requests.ts";
import { PAGE_BYTES } from "./slab/classes.ts";
import type { Store } from "./store.ts";

const SETTINGS_LOCK = Global.SETTINGS_LOCK as LockIndex;

/** How long the item at the tail of `lru` has not been read, in seconds. Takes: LRU. */
export function tailAge(store: Store, lru: LruId): number {
  store.locks.lock(store.lru.lockOf(lru), LockRank.LRU);
  const tail = store.lru.tailLocked(lru);
  const age = tail === NO_ITEM ? 0 : Math.max(0, store.clock.now - itemTime(store.items, tail));
  store.locks.unlock(store.lru.lockOf(lru), LockRank.LRU);

  return age;
}

/**
 * Sets `-m`, in bytes: at once to more; to less as pages become free. Takes: page.
 *
 * @returns false when it is more than there is room for.
 */
export function setMemlimit(store: Store, bytes: number): boolean {
  if (bytes > store.shape.maxbytesCeiling) return false;
  store.tunables.set("maxbytes", bytes);
  store.slabs.pages.setLimit(Math.floor(bytes / PAGE_BYTES));
  wakeMaintainer(store.control);
  return true;
}

/** Makes every counter read 0 from now on. Takes: settings, prefixes. */
export function resetCounters(store: Store): void {
  store.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
  resetCountersLocked(store.control, store.locks);
  store.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
  store.prefixes.clear();
}

/** Makes everything stored so far invisible. Takes: settings. */
export function flushNow(store: Store): void {
  store.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
  flushNowLocked(store.control, store.locks, store.clock.now);
  store.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
}

/** Makes what was stored before `at`, in seconds since start, invisible then. Takes: settings. */
export function flushAt(store: Store, at: number): void {
  store.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
  flushLaterLocked(store.control, store.locks, at, store.clock.now);
  store.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
}
