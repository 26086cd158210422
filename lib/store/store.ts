// The store: every operation on items that the commands are made of.
//
// A command takes the lock of its key's shard, calls `…Locked` functions, and gives the lock back.
// Each thread has a Store of its own over the same memory.
//
// Order of locks: bucket, LRU, slab, page. Making room goes against it, and only tries.

import { assert } from "../base/assert.ts";
import type { Block } from "../base/block.ts";
import type { Clock } from "../base/clock.ts";
import { copyBytes } from "../base/copy.ts";
import { U64 } from "../base/u64.ts";
import { LockRank, type Locks } from "../memory/lock.ts";
import { type Control, Global } from "../memory/regions.ts";
import type { LockIndex } from "../memory/lock.ts";
import { type Counters, resetCountersLocked } from "../stats/counters.ts";
import { ClassCounter, Counter } from "../stats/names.ts";
import { Assoc } from "./assoc.ts";
import { takeCas } from "./cas.ts";
import { flushGeneration, flushLaterLocked, flushNowLocked, isFlushed } from "./flush.ts";
import {
  addRefcount,
  initItem,
  isExpired,
  itemBytes,
  itemBytesFor,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  type ItemRef,
  type Items,
  itemTime,
  itemValueAt,
  loadRefcount,
  NO_ITEM,
  openItems,
  publishItem,
  REFCOUNT_MAX,
  segmentOf,
  setItemCas,
  setItemExptime,
  setItemFlags,
  setItemTime,
} from "./item.ts";
import { classOf, Lru, lruIdOf, LruSegment } from "./lru.ts";
import { makeRoom } from "./evict.ts";
import type { StoreShape, StoreThread } from "./memory.ts";
import { NO_CLASS, type SlabClass, SlabClasses } from "./slab_class.ts";
import { Slabs } from "./slab.ts";

/** Why {@linkcode Store.findLocked} found nothing, or {@linkcode Store.allocate} no memory. */
export const Miss = {
  /** There is no such item. */
  ABSENT: 0,
  /** It was there, and its time had passed. */
  EXPIRED: 1,
  /** It was there, and older than the last flush. */
  FLUSHED: 2,
  /** Larger than any item may be. */
  TOO_LARGE: 3,
  /** No chunk is free and none could be made free. */
  NO_MEMORY: 4,
} as const;
export type Miss = typeof Miss[keyof typeof Miss];

/** Times an allocation makes room before it gives up. Source: memcached items.c, do_item_alloc. */
const ROOM_TRIES_MAX = 10;

/**
 * A hit moves an item to the head of its list, and notes the time, no more often than this: what is
 * read all the time costs nothing. Source: memcached items.c, ITEM_UPDATE_INTERVAL.
 */
const BUMP_SECONDS = 60;

const SETTINGS_LOCK = Global.SETTINGS_LOCK as LockIndex;

/** One thread's store. */
export class Store {
  readonly items: Items;
  readonly assoc: Assoc;
  readonly lru: Lru;
  readonly slabs: Slabs;
  readonly classes: SlabClasses;
  readonly locks: Locks;
  readonly control: Control;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly shape: StoreShape;
  /** Why the last find or allocation came back empty. */
  miss: Miss = Miss.ABSENT;
  readonly #cas = new U64();

  constructor({ plan, memory, control, locks, counters, clock }: StoreThread) {
    this.shape = plan.shape;
    this.control = control;
    this.locks = locks;
    this.counters = counters;
    this.clock = clock;
    this.items = openItems(memory.segments, plan.shape.useCas);
    const buckets = new Uint32Array(memory.buckets);
    this.assoc = new Assoc(control, this.items, buckets, plan.hashKey, plan.assoc);
    this.lru = new Lru(control, this.items);
    this.classes = new SlabClasses(plan.shape);
    this.slabs = new Slabs(control, this.items, locks, this.classes);
  }

  /** Hash of the key `block[from, to)`. */
  hash(block: Block, from: number, to: number): number {
    return this.assoc.hash(block, from, to);
  }

  /**
   * Takes the lock of the shard of `hv`.
   * @hot
   */
  lock(hv: number): void {
    this.locks.lock(this.assoc.lockOf(hv), LockRank.BUCKET);
  }

  /**
   * Gives the lock of the shard of `hv` back.
   * @hot
   */
  unlock(hv: number): void {
    this.locks.unlock(this.assoc.lockOf(hv), LockRank.BUCKET);
  }

  /**
   * Finds the live item with the key `block[from, from + nkey)`. An expired or flushed one is
   * unlinked on the way. Caller holds the shard's lock.
   *
   * @returns The item, or {@linkcode NO_ITEM} with the reason in {@linkcode miss}.
   * Source: memcached items.c, do_item_get.
   * @hot
   */
  findLocked(hv: number, block: Block, from: number, nkey: number): ItemRef {
    const it = this.assoc.findLocked(hv, block, from, nkey);
    if (it === NO_ITEM) {
      this.miss = Miss.ABSENT;
      return NO_ITEM;
    }
    const { now } = this.clock;
    if (isFlushed(this.control, this.items, it, now)) this.miss = Miss.FLUSHED;
    else if (isExpired(this.items, it, now)) this.miss = Miss.EXPIRED;
    else return it;
    this.unlinkLocked(hv, it);
    return NO_ITEM;
  }

  /**
   * Records that a client read `it`, at most once in {@linkcode BUMP_SECONDS} also in the LRU.
   * Caller holds the shard's lock. Takes: LRU.
   * Source: memcached items.c, do_item_bump.
   * @hot
   */
  bumpLocked(it: ItemRef): void {
    const flags = itemFlags(this.items, it);
    if ((flags & ItemFlag.ACTIVE) === 0) {
      const bit = (flags & ItemFlag.FETCHED) === 0 ? ItemFlag.FETCHED : ItemFlag.ACTIVE;
      setItemFlags(this.items, it, flags | bit);
    }
    if (this.clock.now - itemTime(this.items, it) >= BUMP_SECONDS) this.#toHeadLocked(it);
  }

  /** Moves `it` to the head of its list. Caller holds the shard's lock. Takes: LRU. */
  #toHeadLocked(it: ItemRef): void {
    const lru = lruIdOf(classOf(this.items, it), LruSegment.COLD);
    setItemTime(this.items, it, this.clock.now);

    this.locks.lock(this.lru.lockOf(lru), LockRank.LRU);
    this.lru.unlinkLocked(lru, it);
    this.lru.linkLocked(lru, it);
    this.locks.unlock(this.lru.lockOf(lru), LockRank.LRU);
  }

  /** Changes the expiry, in seconds since start. Caller holds the shard's lock. */
  touchLocked(it: ItemRef, exptime: number): void {
    setItemExptime(this.items, it, exptime);
    this.bumpLocked(it);
    setItemTime(this.items, it, this.clock.now); // A flush to come spares what is touched after it.
  }

  /**
   * Makes an item that only the caller knows: key, flags and expiry filled in, the value not.
   *
   * @param nbytes Length of the value with its CRLF, in bytes.
   * @param exptime Seconds since start; 0 never.
   * @returns The item with one holder, the caller, or {@linkcode NO_ITEM} with the reason in
   * {@linkcode miss}. Takes: slab, page; LRU and buckets where room must be made.
   * Source: memcached items.c, do_item_alloc.
   * @hot
   */
  allocate(
    block: Block,
    keyFrom: number,
    nkey: number,
    clientFlags: number,
    exptime: number,
    nbytes: number,
  ): ItemRef {
    const bytes = itemBytesFor(this.items, nkey, clientFlags, nbytes);
    const clsid = bytes > this.shape.itemSizeMax ? NO_CLASS : this.classes.fit(bytes);
    if (clsid === NO_CLASS) {
      this.miss = Miss.TOO_LARGE;
      return NO_ITEM;
    }
    const it = this.#takeChunk(clsid);
    if (it === NO_ITEM) {
      this.miss = Miss.NO_MEMORY;
      return NO_ITEM;
    }
    initItem(this.items, it, clsid, nkey, clientFlags, exptime, nbytes);
    const keyAt = itemKeyAt(this.items, it);
    copyBytes(block, keyFrom, this.items.blocks[segmentOf(it)]!, keyAt, nkey);
    return it;
  }

  #takeChunk(clsid: SlabClass): ItemRef {
    for (let tries = 0; tries < ROOM_TRIES_MAX; tries++) {
      const chunk = this.slabs.take(clsid);
      if (chunk !== NO_ITEM) return chunk;
      if (tries === 0) this.counters.addClass(clsid, ClassCounter.DIRECT_RECLAIMS, 1);
      if (!makeRoom(this, clsid)) break;
    }
    this.counters.addClass(clsid, ClassCounter.OUTOFMEMORY, 1);
    return NO_ITEM;
  }

  /**
   * Makes `it` findable, with a new version. Caller holds the shard's lock, has made sure that no
   * other item has the key, and hands its hold on `it` over to the store. Takes: LRU.
   * Source: memcached items.c, do_item_link.
   * @hot
   */
  linkLocked(hv: number, it: ItemRef): void {
    const clsid = classOf(this.items, it);
    this.#publish(it);
    this.counters.addClass(clsid, ClassCounter.NUMBER, 1);
    this.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, itemBytes(this.items, it));
    const lru = lruIdOf(clsid, LruSegment.COLD);

    this.locks.lock(this.lru.lockOf(lru), LockRank.LRU);
    this.lru.linkLocked(lru, it);
    this.locks.unlock(this.lru.lockOf(lru), LockRank.LRU);

    this.assoc.insertLocked(hv, it); // Published.
  }

  /** Fills in what `it` gets on becoming findable, with a new version. */
  #publish(it: ItemRef): void {
    takeCas(this.control, this.#cas);
    publishItem(this.items, it, this.clock.now, flushGeneration(this.control), this.#cas);
    this.counters.add(Counter.TOTAL_ITEMS, 1);
  }

  /** Gives `it` the next version. Caller holds the shard's lock. */
  renewCasLocked(it: ItemRef): void {
    takeCas(this.control, this.#cas);
    setItemCas(this.items, it, this.#cas);
  }

  /**
   * Makes `it` unfindable; its memory is free once the last holder has let go. Caller holds the
   * shard's lock. Takes: LRU, slab.
   * Source: memcached items.c, do_item_unlink.
   * @hot
   */
  unlinkLocked(hv: number, it: ItemRef): void {
    const lru = lruIdOf(classOf(this.items, it), LruSegment.COLD);

    this.locks.lock(this.lru.lockOf(lru), LockRank.LRU);
    this.lru.unlinkLocked(lru, it);
    this.locks.unlock(this.lru.lockOf(lru), LockRank.LRU);

    this.forgetLocked(hv, it);
  }

  /** The rest of an unlink, for an item that is off its LRU list. Caller holds the shard's lock. */
  forgetLocked(hv: number, it: ItemRef): void {
    const { items } = this;
    const flags = itemFlags(items, it);
    assert((flags & ItemFlag.LINKED) !== 0, "Item unlinked that was not linked");
    const clsid = classOf(items, it);
    this.counters.addClass(clsid, ClassCounter.NUMBER, -1);
    this.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, -itemBytes(items, it));
    setItemFlags(items, it, flags & ~ItemFlag.LINKED);
    this.assoc.removeLocked(hv, it);
    this.release(it);
  }

  /**
   * Puts `it` in the place of `old`, which has the same key: an unlink and a link, with the work
   * that both share done once. The caller's hold on `it` goes to the store. Caller holds the
   * shard's lock. Takes: LRU, slab.
   * @hot
   */
  replaceLocked(hv: number, old: ItemRef, it: ItemRef): void {
    const { items, lru } = this;
    const clsid = classOf(items, it);
    if (classOf(items, old) !== clsid) {
      this.unlinkLocked(hv, old);
      this.linkLocked(hv, it);
      return;
    }
    const flags = itemFlags(items, old);
    assert((flags & ItemFlag.LINKED) !== 0, "Item replaced that was not linked");
    this.#publish(it);
    const grown = itemBytes(items, it) - itemBytes(items, old);
    if (grown !== 0) this.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, grown);
    const list = lruIdOf(clsid, LruSegment.COLD);

    this.locks.lock(lru.lockOf(list), LockRank.LRU);
    lru.unlinkLocked(list, old);
    lru.linkLocked(list, it);
    this.locks.unlock(lru.lockOf(list), LockRank.LRU);

    setItemFlags(items, old, flags & ~ItemFlag.LINKED);
    this.assoc.swapLocked(hv, old, it); // Published.
    this.release(old);
  }

  /**
   * Becomes a holder of a findable item, so that its memory stays while the value is sent. Caller
   * holds the shard's lock.
   *
   * @returns false when it has as many holders as it can have.
   */
  retainLocked(it: ItemRef): boolean {
    if (loadRefcount(this.items, it) >= REFCOUNT_MAX) return false;
    addRefcount(this.items, it, 1);
    return true;
  }

  /**
   * Lets go of an item; the last holder gives its chunk back. Takes: slab.
   * Source: memcached items.c, do_item_remove.
   * @hot
   */
  release(it: ItemRef): void {
    const before = addRefcount(this.items, it, -1);
    assert(before > 0, "Item released by more than its holders");
    if (before > 1) return;
    assert((itemFlags(this.items, it) & ItemFlag.LINKED) === 0, "Linked item without a holder");
    this.slabs.give(it, classOf(this.items, it));
  }

  /** The block of memory that holds `it`: positions in it are the item's. */
  blockOf(it: ItemRef): Block {
    return this.items.blocks[segmentOf(it)]!;
  }

  /** Position of the value of `it` in its block. */
  valueAt(it: ItemRef): number {
    return itemValueAt(this.items, it);
  }

  /** How long the item that is next to go has not been read, in seconds. Takes: LRU. */
  tailAge(clsid: SlabClass): number {
    const lru = lruIdOf(clsid, LruSegment.COLD);

    this.locks.lock(this.lru.lockOf(lru), LockRank.LRU);
    const tail = this.lru.tailLocked(lru);
    const age = tail === NO_ITEM ? 0 : Math.max(0, this.clock.now - itemTime(this.items, tail));
    this.locks.unlock(this.lru.lockOf(lru), LockRank.LRU);

    return age;
  }

  /** Makes every counter read 0 from now on. Takes: settings. */
  resetCounters(): void {
    this.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    resetCountersLocked(this.control);
    this.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
  }

  /** Makes everything stored so far invisible. Takes: settings. */
  flushNow(): void {
    this.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    flushNowLocked(this.control, this.clock.now);
    this.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
  }

  /** Makes what was stored before `at`, in seconds since start, invisible then. Takes: settings. */
  flushAt(at: number): void {
    this.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    flushLaterLocked(this.control, at, this.clock.now);
    this.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
  }
}
