// The tail of an LRU list: what becomes of the items that have been there longest. An expired item
// goes; a live one moves to another list, or is evicted from COLD.
//
// The caller may hold the lock of one shard; the shards of tail items are only tried. A move from
// one list to another is made under the shard's lock, one list at a time: a thread that walks
// over lists does not find an item between two of them.
// Source: memcached items.c, lru_pull_tail.

import { CHECKS } from "../../base/assert.ts";
import { LockRank } from "../../memory/lock.ts";
import { ClassCounter } from "../../stats/names.ts";
import { isFlushed } from "../item/generation.ts";
import {
  isExpired,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemPrev,
  type ItemRef,
  itemTime,
  NO_ITEM,
  setItemFlags,
} from "../item/item.ts";
import { loadRefcount } from "../item/refcount.ts";
import { logEvictedLocked } from "../item_events.ts";
import { type LruId, lruIdOf, LruSegment } from "../lru/lists.ts";
import { needPage } from "../control/requests.ts";
import type { SlabClass } from "../slab/classes.ts";
import { forgetLocked, unlockShard } from "../link.ts";
import { assertAnyShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

/** Tail items that are looked at for one that can go. Source: memcached items.c, lru_pull_tail. */
const TAIL_ITEMS_MAX = 5;

/** From which automove level on each eviction asks for a page. */
const AUTOMOVE_ON_EVICTION = 2;

/** When an item leaves a list. */
export interface TailRule {
  /** HOT and WARM: an idle item goes when its list is larger, in units of 8 bytes. */
  readonly unitsMax: number;
  /** HOT and WARM: or when it was idle for longer, in seconds. */
  readonly ageMax: number;
  /** COLD: the last item goes for good, unless evictions are off. */
  readonly evict: boolean;
  /** An eviction may ask for a page. */
  readonly asksForPage?: true;
}

const EVICT: TailRule = { unitsMax: 0, ageMax: 0, evict: true, asksForPage: true };
/** For a page that moves away: its class is not to get one for that. */
export const EVICT_FOR_RESCUE: TailRule = { unitsMax: 0, ageMax: 0, evict: true };
const MOVE_ON: TailRule = { unitsMax: 0, ageMax: 0, evict: false };
/** COLD: what is alive stays. */
const RECLAIM: TailRule = { unitsMax: 0, ageMax: 0, evict: false };

/**
 * Frees a chunk of `clsid`, or brings an item nearer to it: an expired or flushed item goes, or
 * else, unless evictions are off, the one that was read longest ago. Takes: LRU, slab; tries
 * buckets.
 *
 * @returns Whether anything changed. Another thread may take the chunk first.
 */
export function makeRoom(store: Store, clsid: SlabClass, rule: TailRule = EVICT): boolean {
  if (pullTail(store, clsid, LruSegment.COLD, rule)) return true;
  return pullTail(store, clsid, LruSegment.HOT, MOVE_ON) ||
    pullTail(store, clsid, LruSegment.WARM, MOVE_ON);
}

/**
 * Frees the expired and flushed items at the tail of the one list that a class has in flat mode: no
 * maintainer looks after it, so each allocation does. Takes: LRU, slab; tries buckets.
 *
 * Source: memcached items.c, do_item_alloc_pull.
 */
export function reclaimTail(store: Store, clsid: SlabClass): void {
  let tries = TAIL_ITEMS_MAX;
  while (tries > 0 && pullTail(store, clsid, LruSegment.COLD, RECLAIM)) tries--;
}

/** What becomes of an item at the tail. */
const Fate = {
  /** It stays, and so does the next one: the list is no larger than it may be. */
  STOP: 0,
  /** It stays; the next one may go. */
  STAY: 1,
  UNLINK: 2,
  EVICT: 3,
  TO_WARM: 4,
  TO_COLD: 5,
} as const;
type Fate = typeof Fate[keyof typeof Fate];

/**
 * Looks from the tail of a list for an item that can go, and lets it. Takes: LRU, slab; tries
 * buckets.
 *
 * @returns Whether one has gone, for good or to another list.
 */
export function pullTail(
  store: Store,
  clsid: SlabClass,
  segment: LruSegment,
  rule: TailRule,
): boolean {
  const { items, locks, lru } = store;
  const list = lruIdOf(clsid, segment);
  if (lru.count(list) === 0) return false;
  let fate: Fate = Fate.STAY;
  let hv = 0;

  locks.lock(lru.lockOf(list), LockRank.LRU);
  let it = lru.tailLocked(list);
  for (let looked = 0; it !== NO_ITEM && looked < TAIL_ITEMS_MAX; looked++) {
    hv = store.assoc.hashOf(it);
    if (locks.tryLock(store.assoc.lockOf(hv), LockRank.BUCKET)) {
      fate = decideFateLocked(store, clsid, segment, list, it, rule);
      if (fate > Fate.STAY) break;
      unlockShard(store, hv);
      if (fate === Fate.STOP) break;
    } else store.counters.addClass(clsid, ClassCounter.LRUTAIL_REFLOCKED, 1);
    it = itemPrev(items, it);
  }
  const goes = fate > Fate.STAY && it !== NO_ITEM;
  if (goes) lru.unlinkLocked(list, it);
  if (fate === Fate.EVICT) {
    const age = store.clock.now - itemTime(items, it);
    lru.noteEvictedLocked(list, Math.max(0, age)); // Clocks may differ by a second.
  }
  locks.unlock(lru.lockOf(list), LockRank.LRU);

  if (!goes) return false;
  if (fate === Fate.TO_WARM) relinkLocked(store, lruIdOf(clsid, LruSegment.WARM), it);
  else if (fate === Fate.TO_COLD) relinkLocked(store, lruIdOf(clsid, LruSegment.COLD), it);
  else {
    if (fate === Fate.EVICT) logEvictedLocked(store, it);
    forgetLocked(store, hv, it);
  }
  unlockShard(store, hv);
  return true;
}

/** Puts an item that is on no list at the head of `list`. Caller holds its shard. Takes: LRU. */
export function relinkLocked(store: Store, list: LruId, it: ItemRef): void {
  if (CHECKS) assertAnyShardHeld(store);
  const { locks, lru } = store;

  locks.lock(lru.lockOf(list), LockRank.LRU);
  lru.linkLocked(list, it);
  locks.unlock(lru.lockOf(list), LockRank.LRU);
}

/** Whether an item's time has passed, or a flush has come after it. */
function isDead({ items, control, clock: { now } }: Store, it: ItemRef): boolean {
  return isExpired(items, it, now) || isFlushed(control, items, it, now);
}

function countReclaimed({ items, counters }: Store, clsid: SlabClass, it: ItemRef): void {
  counters.addClass(clsid, ClassCounter.RECLAIMED, 1);
  if ((itemFlags(items, it) & ItemFlag.FETCHED) !== 0) return;
  counters.addClass(clsid, ClassCounter.EXPIRED_UNFETCHED, 1);
}

function countEvicted({ items, counters }: Store, clsid: SlabClass, it: ItemRef): void {
  const flags = itemFlags(items, it);
  counters.addClass(clsid, ClassCounter.EVICTIONS, 1);
  if (itemExptime(items, it) !== 0) counters.addClass(clsid, ClassCounter.EVICTED_NONZERO, 1);
  if ((flags & ItemFlag.FETCHED) === 0) counters.addClass(clsid, ClassCounter.EVICTED_UNFETCHED, 1);
  if ((flags & ItemFlag.ACTIVE) !== 0) counters.addClass(clsid, ClassCounter.EVICTED_ACTIVE, 1);
}

/**
 * Counts and logs an item of `clsid` that goes for the sake of its memory. Caller holds its shard.
 *
 * @returns Whether it is evicted; else its time had passed.
 */
export function countGoneLocked(store: Store, clsid: SlabClass, it: ItemRef): boolean {
  if (CHECKS) assertAnyShardHeld(store);
  if (isDead(store, it)) {
    countReclaimed(store, clsid, it);
    return false;
  }
  countEvicted(store, clsid, it);
  logEvictedLocked(store, it);
  return true;
}

/** Decides, and counts. Caller holds the item's shard. */
function decideFateLocked(
  store: Store,
  clsid: SlabClass,
  segment: LruSegment,
  list: LruId,
  it: ItemRef,
  rule: TailRule,
): Fate {
  if (CHECKS) assertAnyShardHeld(store);
  const { items, counters } = store;
  const { now } = store.clock;
  const flags = itemFlags(items, it);
  const dead = isDead(store, it);
  if (!dead && rule === RECLAIM) return Fate.STOP;
  if (loadRefcount(items, it) > 1 && isRepairedLocked(store, clsid, it)) return Fate.UNLINK;
  if (dead) {
    countReclaimed(store, clsid, it);
    return Fate.UNLINK;
  }
  if (segment === LruSegment.TEMP) return Fate.STOP;
  if (segment === LruSegment.COLD) return decideColdFateLocked(store, clsid, it, rule);
  if ((flags & ItemFlag.ACTIVE) !== 0) {
    const within = segment === LruSegment.WARM;
    const counter = within ? ClassCounter.MOVES_WITHIN_LRU : ClassCounter.MOVES_TO_WARM;
    counters.addClass(clsid, counter, 1);
    setItemFlags(items, it, flags & ~ItemFlag.ACTIVE);
    return Fate.TO_WARM;
  }
  const isOld = now - itemTime(items, it) > rule.ageMax;
  if (!isOld && store.lru.units(list) <= rule.unitsMax) return Fate.STOP;
  counters.addClass(clsid, ClassCounter.MOVES_TO_COLD, 1);
  return Fate.TO_COLD;
}

/**
 * A client is being sent `it`, and holds it. It goes its way like any other: one that stayed at the
 * tail would be in the way of all behind it, and a client that does not read could stop a class.
 * Its memory is free once the client releases it.
 *
 * @returns Whether `-o tail_repair_time` has passed, after which it is unlinked wherever it is.
 */
function isRepairedLocked(store: Store, clsid: SlabClass, it: ItemRef): boolean {
  const { counters, shape: { tailRepairTime } } = store;
  counters.addClass(clsid, ClassCounter.LRUTAIL_REFLOCKED, 1);
  const heldFor = store.clock.now - itemTime(store.items, it);
  if (tailRepairTime === 0 || heldFor <= tailRepairTime) return false;
  counters.addClass(clsid, ClassCounter.TAILREPAIRS, 1);
  return true;
}

/** Decides over an item at the tail of COLD, and counts. Caller holds the item's shard. */
function decideColdFateLocked(store: Store, clsid: SlabClass, it: ItemRef, rule: TailRule): Fate {
  const { items, counters } = store;
  if (!rule.evict) {
    const flags = itemFlags(items, it);
    if ((flags & ItemFlag.ACTIVE) === 0 || !store.tunables.isSegmented) return Fate.STOP;
    counters.addClass(clsid, ClassCounter.MOVES_TO_WARM, 1);
    setItemFlags(items, it, flags & ~ItemFlag.ACTIVE);
    return Fate.TO_WARM;
  }
  if (!store.shape.evictions) return Fate.STAY; // One behind it may have expired.
  // Its memory would stay with its holder, which may be this command.
  if (rule === EVICT_FOR_RESCUE && loadRefcount(items, it) > 1) return Fate.STAY;
  countEvicted(store, clsid, it);
  const asks = rule.asksForPage === true &&
    store.tunables.get("slabAutomove") >= AUTOMOVE_ON_EVICTION;
  if (asks) needPage(store.control, clsid);
  return Fate.EVICT;
}
