// Rescuing what lives in a page that moves away: an item, or a chunk of one, is copied to another
// chunk of its class and takes its own place in the hash table and on its list.
//
// A rescue reads the page's memory without a lock, so that all it reads there is a guess; it relies
// only on what the hash table says under the lock of the item's shard.
// Source: memcached slabs.c, slab_rebalance_move.

import { CHECKS } from "../../base/assert.ts";
import { copyBytes } from "../../base/copy.ts";
import { LockRank } from "../../memory/lock.ts";
import { UNIT_BYTES, UNIT_MASK } from "../../memory/arena.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import {
  chunkClass,
  chunkHead,
  chunkNext,
  firstChunk,
  isChunked,
  setChunkHead,
  setChunkNext,
  setFirstChunk,
} from "../item/chunk.ts";
import { isFlushed } from "../item/generation.ts";
import {
  isExpired,
  ItemFlag,
  itemFlags,
  itemLruId,
  type ItemRef,
  type Items,
  NO_ITEM,
  segmentOf,
} from "../item/item.ts";
import { addRefcount, loadRefcount } from "../item/refcount.ts";
import { classOf, type LruId } from "../lru/lists.ts";
import { EVICT_FOR_RESCUE, makeRoom } from "./tail.ts";
import type { SlabClass } from "../slab/classes.ts";
import { NOT_LINKED } from "../outcome.ts";
import { lockLinked, ownClassOf, unlinkLocked, unlockShard } from "../link.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

/** Times a rescue evicts another item for room. */
const ROOM_TRIES_MAX = 4;

/**
 * Empties a chunk of `clsid`, whose page moves away.
 *
 * @param byForce Whether an item that is held is unlinked, so that the page is free once its holder
 * releases it. Takes: bucket, LRU, slab.
 */
export function rescue(store: Store, clsid: SlabClass, chunk: ItemRef, byForce: boolean): void {
  const { items } = store;
  const isPart = (itemFlags(items, chunk) & ItemFlag.CHUNK) !== 0;
  const it = isPart ? chunkHead(items, chunk) : chunk;
  const hv = lockLinked(store, it);
  if (hv === NOT_LINKED) return; // Being received, being released, or free by now.
  const part = isPart ? chunk : NO_ITEM;
  // A command may have taken the page meanwhile, for another class; see room.ts.
  const isIts = isPart
    ? chunkBefore(items, it, part) !== NO_ITEM && chunkClass(items, part) === clsid
    : ownClassOf(store, it) === clsid;
  if (isIts) {
    rescueLocked(store, clsid, hv, it, part, byForce);
  }
  unlockShard(store, hv);
}

/**
 * Moves `it`, or its chunk `part` unless that is {@linkcode NO_ITEM}. Caller holds the shard of
 * `it`, which is linked.
 */
function rescueLocked(
  store: Store,
  clsid: SlabClass,
  hv: number,
  it: ItemRef,
  part: ItemRef,
  byForce: boolean,
): void {
  if (CHECKS) assertShardHeld(store, hv);
  const { items, counters, control, clock: { now } } = store;
  if (isExpired(items, it, now) || isFlushed(control, items, it, now)) {
    counters.addClass(classOf(items, it), ClassCounter.RECLAIMED, 1);
    unlinkLocked(store, hv, it);
    return;
  }
  if (loadRefcount(items, it) > 1) {
    counters.add(Counter.SLAB_REASSIGN_BUSY_ITEMS, 1);
    if (!byForce) return;
    counters.add(Counter.SLAB_REASSIGN_BUSY_DELETES, 1);
    unlinkLocked(store, hv, it);
    return;
  }
  const copy = takeElsewhere(store, clsid);
  if (copy === NO_ITEM) {
    counters.add(Counter.SLAB_REASSIGN_BUSY_NOMEM, 1);
    if (!store.shape.evictions) return; // The page will stay where it is.
    counters.addClass(classOf(items, it), ClassCounter.EVICTIONS, 1);
    unlinkLocked(store, hv, it);
    return;
  }
  if (part === NO_ITEM) moveItemLocked(store, clsid, hv, it, copy);
  else moveChunkLocked(store, clsid, it, part, copy);
}

/**
 * Takes a chunk of the pages that `clsid` has, evicting the item that was read longest ago if need
 * be. The class takes no page for it: it would have as many as before the move.
 */
function takeElsewhere(store: Store, clsid: SlabClass): ItemRef {
  for (let tries = 0; tries < ROOM_TRIES_MAX; tries++) {
    const chunk = store.slabs.takeOwn(clsid);
    if (chunk !== NO_ITEM) return chunk;
    if (!makeRoom(store, clsid, EVICT_FOR_RESCUE)) return NO_ITEM;
    store.counters.add(Counter.SLAB_REASSIGN_INLINE_RECLAIM, 1);
  }
  return NO_ITEM;
}

/** Copies a chunk of `bytes` bytes. */
function copyChunk(items: Items, from: ItemRef, to: ItemRef, bytes: number): void {
  copyBytes(
    items.blocks[segmentOf(from)]!,
    (from & UNIT_MASK) * UNIT_BYTES,
    items.blocks[segmentOf(to)]!,
    (to & UNIT_MASK) * UNIT_BYTES,
    bytes,
  );
}

/** Puts `copy` in the place of `it`. Caller holds the shard. Takes: LRU, slab. */
function moveItemLocked(
  store: Store,
  clsid: SlabClass,
  hv: number,
  it: ItemRef,
  copy: ItemRef,
): void {
  const { items, locks, lru, classes, assoc, counters } = store;
  const list = itemLruId(items, it) as LruId;
  copyChunk(items, it, copy, classes.chunkBytes[clsid]!);
  if (isChunked(items, copy)) {
    let chunk = firstChunk(items, copy);
    for (; chunk !== NO_ITEM; chunk = chunkNext(items, chunk)) setChunkHead(items, chunk, copy);
  }

  locks.lock(lru.lockOf(list), LockRank.LRU);
  lru.swapLocked(list, it, copy);
  locks.unlock(lru.lockOf(list), LockRank.LRU);

  assoc.swapLocked(hv, it, copy);
  addRefcount(items, it, -1);
  store.slabs.giveToClass(it, clsid);
  counters.add(Counter.SLAB_REASSIGN_RESCUES, 1);
}

/** Puts `copy` in the place of `part`, a chunk of `it`. Caller holds the shard. Takes: slab. */
function moveChunkLocked(
  store: Store,
  clsid: SlabClass,
  it: ItemRef,
  part: ItemRef,
  copy: ItemRef,
): void {
  const { items, classes, counters } = store;
  copyChunk(items, part, copy, classes.chunkBytes[clsid]!);
  const before = chunkBefore(items, it, part);
  if (before === it) setFirstChunk(items, it, copy);
  else setChunkNext(items, before, copy);
  store.slabs.giveToClass(part, clsid);
  counters.add(Counter.SLAB_REASSIGN_CHUNK_RESCUES, 1);
}

/** What leads to `part`: a chunk of `it`, or `it`; {@linkcode NO_ITEM} when nothing does. */
export function chunkBefore(items: Items, it: ItemRef, part: ItemRef): ItemRef {
  if (!isChunked(items, it)) return NO_ITEM;
  let before = it;
  let chunk = firstChunk(items, it);
  while (chunk !== NO_ITEM && chunk !== part) {
    before = chunk;
    chunk = chunkNext(items, chunk);
  }
  return chunk === NO_ITEM ? NO_ITEM : before;
}
