// What an access does to an item: flags, time, and place on its list.

import { CHECKS } from "../../base/assert.ts";
import { LockRank } from "../../memory/lock.ts";
import { Counter } from "../../stats/names.ts";
import {
  advanceItemTime,
  ItemFlag,
  itemFlags,
  itemLruId,
  type ItemRef,
  itemTime,
  setItemExptime,
  setItemFlags,
} from "../item/item.ts";
import { isCold, type LruId } from "../lru/lists.ts";
import { assertAnyShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

/**
 * In flat mode a hit moves an item to the head of its list, and notes the time, no more often than
 * this: what is read all the time costs nothing.
 * Source: memcached memcached.h, ITEM_UPDATE_INTERVAL.
 */
const BUMP_SECONDS = 60;

/**
 * Records that a client read `it`. Caller holds the shard's lock.
 *
 * The first hit makes it FETCHED, the second ACTIVE, without a lock of a list; an active item of
 * COLD goes to the bump buffer, for a move to WARM. In flat mode the item moves to the head of its
 * list, no more than once in {@linkcode BUMP_SECONDS}. Takes: LRU, in flat mode.
 * Source: memcached items.c, do_item_bump.
 * @hot
 */
export function bumpLocked(store: Store, it: ItemRef): void {
  if (CHECKS) assertAnyShardHeld(store);
  const flags = itemFlags(store.items, it);
  const { isSegmented } = store.tunables;
  if ((flags & ItemFlag.ACTIVE) === 0) {
    const bit = (flags & ItemFlag.FETCHED) === 0 ? ItemFlag.FETCHED : ItemFlag.ACTIVE;
    setItemFlags(store.items, it, flags | bit);
    if (isSegmented && bit === ItemFlag.ACTIVE) activateLocked(store, it, flags);
  }
  if (!isSegmented) toHeadLocked(store, it);
}

/**
 * Records that a client wrote to `it`, or was refused because it is there: that is no read, so only
 * its time is new. Caller holds the shard's lock. Takes: LRU, in flat mode.
 * Source: memcached items.c, do_item_update.
 */
export function updateLocked(store: Store, it: ItemRef): void {
  if (CHECKS) assertAnyShardHeld(store);
  if (store.tunables.isSegmented) advanceItemTime(store.items, it, store.clock.now);
  else toHeadLocked(store, it);
}

/** Notes the time of a second hit. Where there is no room for the move, the item is as it was. */
function activateLocked(store: Store, it: ItemRef, flags: number): void {
  if (!isCold(store.items, it)) {
    advanceItemTime(store.items, it, store.clock.now);
  } else if (!store.bumps.push(it)) {
    store.counters.add(Counter.LRU_BUMPS_DROPPED, 1);
    setItemFlags(store.items, it, flags);
  }
}

/**
 * Moves `it` to the head of its list, no more than once in {@linkcode BUMP_SECONDS}. Caller holds
 * the shard's lock. Takes: LRU.
 * @hot
 */
function toHeadLocked(store: Store, it: ItemRef): void {
  if (store.clock.now - itemTime(store.items, it) < BUMP_SECONDS) return;
  const { locks, lru } = store;
  const list = itemLruId(store.items, it) as LruId;
  advanceItemTime(store.items, it, store.clock.now);

  locks.lock(lru.lockOf(list), LockRank.LRU);
  lru.unlinkLocked(list, it);
  lru.linkLocked(list, it);
  locks.unlock(lru.lockOf(list), LockRank.LRU);
}

/** Changes the expiry, in seconds since start. Caller holds the shard's lock. */
export function touchLocked(store: Store, it: ItemRef, exptime: number): void {
  if (CHECKS) assertAnyShardHeld(store);
  setItemExptime(store.items, it, exptime);
  bumpLocked(store, it);
  advanceItemTime(store.items, it, store.clock.now); // A flush to come spares it.
}
