// Items in the table and on the lists: find, link, replace, unlink, retain, release.
//
// A caller takes the lock of its key's shard, calls `…Locked` functions, and gives the lock back.
//
// Order of locks: bucket, LRU, slab, page. Making room goes against it, and only tries.

import { assert, CHECKS } from "../base/assert.ts";
import { type Block } from "../base/block.ts";
import { U64 } from "../base/u64.ts";
import { LockRank } from "../memory/lock.ts";
import { ClassCounter, Counter } from "../stats/names.ts";
import { takeCas } from "./item/cas.ts";
import { isFlushed, storedGeneration } from "./item/generation.ts";
import {
  isExpired,
  itemBytes,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemLruId,
  itemNbytes,
  itemNkey,
  type ItemRef,
  NO_ITEM,
  publishItem,
  segmentOf,
  setItemCas,
  setItemFlags,
} from "./item/item.ts";
import { addRefcount, dropOnlyHolder, loadRefcount, REFCOUNT_MAX } from "./item/refcount.ts";
import { chunkClass, chunkNext, FIRST_CHUNK_BYTES, firstChunk, isChunked } from "./item/chunk.ts";
import { Watched } from "../log/event_log.ts";
import { logFoundLocked } from "./item_events.ts";
import { classOf, type LruId } from "./lru/lists.ts";
import { Lookup, NOT_LINKED } from "./outcome.ts";
import { type SlabClass } from "./slab/classes.ts";
import { assertAnyShardHeld, assertShardHeld } from "./shard_held.ts";
import type { Store } from "./store.ts";

const version = new U64();

/**
 * Hash of the key `block[from, to)`, which a command names: once for each that it serves.
 * @hot
 */
export function hashKey(store: Store, block: Block, from: number, to: number): number {
  const hv = store.assoc.hash(block, from, to);
  if (store.hotKeys.isDue()) store.hotKeys.note(hv, block.bytes, from, to, store.clock.now);
  return hv;
}

/**
 * Takes the lock of the shard of `hv`.
 * @hot
 */
export function lockShard(store: Store, hv: number): void {
  store.locks.lock(store.assoc.lockOf(hv), LockRank.BUCKET);
}

/**
 * Gives the lock of the shard of `hv` back.
 * @hot
 */
export function unlockShard(store: Store, hv: number): void {
  store.locks.unlock(store.assoc.lockOf(hv), LockRank.BUCKET);
}

/**
 * Finds the live item with the key `block[from, from + nkey)`. An expired or flushed one is
 * unlinked on the way. Caller holds the shard's lock.
 *
 * @param isLogged Whether the log has this lookup already: its command found no room in the replies
 * and runs again.
 * @returns The item, or {@linkcode NO_ITEM}. Source: memcached items.c, do_item_get.
 * @hot
 */
export function findLocked(
  store: Store,
  hv: number,
  block: Block,
  from: number,
  nkey: number,
  isLogged = false,
): ItemRef {
  let it = store.assoc.findLocked(hv, block, from, nkey);
  let lookup: Lookup = Lookup.ABSENT;
  if (it !== NO_ITEM) {
    lookup = checkAliveLocked(store, it);
    if (lookup !== Lookup.FOUND) {
      unlinkLocked(store, hv, it);
      it = NO_ITEM;
    }
  }
  if (!isLogged && store.log.wants(Watched.FETCHERS)) {
    logFoundLocked(store, it, lookup, block, from, nkey);
  }
  return it;
}

/**
 * Checks whether an item of the table is alive, and counts one that is not.
 * @hot
 */
function checkAliveLocked(store: Store, it: ItemRef): Lookup {
  const { now } = store.clock;
  if (isFlushed(store.control, store.items, it, now)) {
    store.counters.add(Counter.GET_FLUSHED, 1);
    return Lookup.FLUSHED;
  }
  if (!isExpired(store.items, it, now)) return Lookup.FOUND;
  store.counters.add(Counter.GET_EXPIRED, 1);
  return Lookup.EXPIRED;
}

/**
 * Takes the lock of the shard of `it`, which the caller has not got by a search: it may be free,
 * or another item by now.
 *
 * @returns The hash of its key; or {@linkcode NOT_LINKED}, and no lock, if it cannot be found.
 */
export function lockLinked(store: Store, it: ItemRef): number {
  const memory = store.items.blocks[segmentOf(it)];
  if (memory === undefined || it === NO_ITEM) return NOT_LINKED;
  if ((itemFlags(store.items, it) & ItemFlag.LINKED) === 0) return NOT_LINKED;
  const from = itemKeyAt(store.items, it);
  const to = from + itemNkey(store.items, it); // Any number: the chunk may be free by now.
  if (to > memory.bytes.length) return NOT_LINKED;
  const hv = store.assoc.hash(memory, from, to);
  lockShard(store, hv);
  if (store.assoc.hasLocked(hv, it)) return hv;
  unlockShard(store, hv);
  return NOT_LINKED;
}

/**
 * Makes `it` findable, with a new version. Caller holds the shard's lock, has made sure that no
 * other item has the key, and hands its hold on `it` over to the store. Takes: LRU.
 * Source: memcached items.c, do_item_link.
 * @hot
 */
export function linkLocked(store: Store, hv: number, it: ItemRef): void {
  if (CHECKS) assertShardHeld(store, hv);
  const clsid = classOf(store.items, it);
  const bytes = itemBytes(store.items, it);
  publish(store, it);
  store.counters.addClass(clsid, ClassCounter.NUMBER, 1);
  store.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, bytes);
  store.sizes.add(bytes, 1);
  const lru = itemLruId(store.items, it) as LruId;

  store.locks.lock(store.lru.lockOf(lru), LockRank.LRU);
  store.lru.linkLocked(lru, it);
  store.locks.unlock(store.lru.lockOf(lru), LockRank.LRU);

  store.assoc.insertLocked(hv, it); // Published.
}

/** Fills in what `it` gets on becoming findable, with a new version. */
function publish(store: Store, it: ItemRef): void {
  takeCas(store.control, version);
  publishItem(store.items, it, store.clock.now, storedGeneration(store.control), version);
  store.counters.add(Counter.TOTAL_ITEMS, 1);
}

/** Gives `it` the next version. Caller holds the shard's lock. */
export function renewCasLocked(store: Store, it: ItemRef): void {
  if (CHECKS) assertAnyShardHeld(store);
  takeCas(store.control, version);
  setItemCas(store.items, it, version);
}

/**
 * Makes `it` unfindable; its memory is free once the last holder releases it. Caller holds the
 * shard's lock. Takes: LRU, slab.
 * Source: memcached items.c, do_item_unlink.
 * @hot
 */
export function unlinkLocked(store: Store, hv: number, it: ItemRef): void {
  if (CHECKS) assertShardHeld(store, hv);
  const lru = itemLruId(store.items, it) as LruId;

  store.locks.lock(store.lru.lockOf(lru), LockRank.LRU);
  store.lru.unlinkLocked(lru, it);
  store.locks.unlock(store.lru.lockOf(lru), LockRank.LRU);

  forgetLocked(store, hv, it);
}

/** The rest of an unlink, for an item that is off its LRU list. Caller holds the shard's lock. */
export function forgetLocked(store: Store, hv: number, it: ItemRef): void {
  if (CHECKS) assertShardHeld(store, hv);
  const { items } = store;
  const flags = itemFlags(items, it);
  assert((flags & ItemFlag.LINKED) !== 0, "Item unlinked that was not linked");
  const clsid = classOf(items, it);
  const bytes = itemBytes(items, it);
  store.counters.addClass(clsid, ClassCounter.NUMBER, -1);
  store.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, -bytes);
  store.sizes.add(bytes, -1);
  setItemFlags(items, it, flags & ~ItemFlag.LINKED);
  store.assoc.removeLocked(hv, it);
  releaseItem(store, it);
}

/**
 * Puts `it` in the place of `old`, which has the same key: an unlink and a link, with the work
 * that both share done once. The caller's hold on `it` goes to the store. Caller holds the
 * shard's lock. Takes: LRU, slab.
 * @hot
 */
export function replaceLocked(store: Store, hv: number, old: ItemRef, it: ItemRef): void {
  if (CHECKS) assertShardHeld(store, hv);
  const { items, lru, locks } = store;
  const clsid = classOf(items, it);
  if (classOf(items, old) !== clsid) {
    unlinkLocked(store, hv, old);
    linkLocked(store, hv, it);
    return;
  }
  const flags = itemFlags(items, old);
  assert((flags & ItemFlag.LINKED) !== 0, "Item replaced that was not linked");
  publish(store, it);
  const bytes = itemBytes(items, it);
  const oldBytes = itemBytes(items, old);
  if (bytes !== oldBytes) {
    store.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, bytes - oldBytes);
    store.sizes.add(bytes, 1);
    store.sizes.add(oldBytes, -1);
  }
  const from = itemLruId(items, old) as LruId;
  const to = itemLruId(items, it) as LruId;

  locks.lock(lru.lockOf(from), LockRank.LRU);
  lru.unlinkLocked(from, old);
  if (from === to) lru.linkLocked(to, it);
  locks.unlock(lru.lockOf(from), LockRank.LRU);

  if (from !== to) {
    locks.lock(lru.lockOf(to), LockRank.LRU);
    lru.linkLocked(to, it);
    locks.unlock(lru.lockOf(to), LockRank.LRU);
  }
  setItemFlags(items, old, flags & ~ItemFlag.LINKED);
  store.assoc.swapLocked(hv, old, it); // Published.
  releaseItem(store, old);
}

/**
 * Becomes a holder of a findable item, so that its memory stays while the value is sent. Caller
 * holds the shard's lock.
 *
 * @returns false when it has as many holders as it can have.
 */
export function retainLocked(store: Store, it: ItemRef): boolean {
  if (CHECKS) assertAnyShardHeld(store);
  if (loadRefcount(store.items, it) >= REFCOUNT_MAX) return false;
  const before = addRefcount(store.items, it, 1);
  assert(before > 0, "Item held that has no holder");
  return true;
}

/**
 * Ends a hold on an item; the last holder gives its chunk back. Takes: slab.
 * Source: memcached items.c, do_item_remove.
 * @hot
 */
export function releaseItem(store: Store, it: ItemRef): void {
  if (!dropOnlyHolder(store.items, it)) {
    const before = addRefcount(store.items, it, -1);
    assert(before > 0, "Item released by more than its holders");
    if (before > 1) return;
  }
  let flags = itemFlags(store.items, it);
  // A processor may have read the flags ahead of the count, but not ahead of an atomic load.
  if ((flags & ItemFlag.LINKED) !== 0 && loadRefcount(store.items, it) === 0) {
    flags = itemFlags(store.items, it);
  }
  assert((flags & ItemFlag.LINKED) === 0, "Linked item without a holder");
  if ((flags & ItemFlag.CHUNKED) !== 0) releaseChunks(store, it);
  store.slabs.give(it, ownClassOf(store, it));
}

/** Class of the chunk that the header of `it` is in: not that of its list when it is chunked. */
export function ownClassOf(store: Store, it: ItemRef): SlabClass {
  const { items } = store;
  if (!isChunked(items, it)) return classOf(items, it);
  const valueFrom = itemBytes(items, it) - itemNbytes(items, it);
  return store.classes.fit(valueFrom + FIRST_CHUNK_BYTES);
}

/** Gives the chunks of a chunked item back. Takes: slab. */
function releaseChunks(store: Store, it: ItemRef): void {
  const { items } = store;
  let chunk = firstChunk(items, it);
  while (chunk !== NO_ITEM) {
    const next = chunkNext(items, chunk);
    store.slabs.give(chunk, chunkClass(items, chunk) as SlabClass);
    chunk = next;
  }
}
