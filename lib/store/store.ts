// The store: every operation on items that the commands are made of.
//
// A command takes the lock of its key's shard, calls `…Locked` functions, and gives the lock back.
// Each thread has a Store of its own over the same memory.
//
// Order of locks: bucket, LRU, slab, page. Making room goes against it, and only tries.

import { assert } from "../base/assert.ts";
import type { Block } from "../base/block.ts";
import type { Clock } from "../base/clock.ts";
import { U64 } from "../base/u64.ts";
import { storeWord } from "../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../memory/lock.ts";
import { type Control, Global } from "../memory/regions.ts";
import { type Counters, resetCountersLocked } from "../stats/counters.ts";
import { ClassCounter, Counter } from "../stats/names.ts";
import { HotKeys } from "../stats/samples.ts";
import { Assoc } from "./table/assoc.ts";
import { takeCas } from "./item/cas.ts";
import {
  flushLaterLocked,
  flushNowLocked,
  isFlushed,
  storedGeneration,
} from "./item/generation.ts";
import {
  addRefcount,
  dropOnlyHolder,
  isExpired,
  itemBytes,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemLruId,
  itemNbytes,
  itemNkey,
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
  setItemFlags,
} from "./item/item.ts";
import { BumpBuffer } from "./lru/bump_buffer.ts";
import { FIRST_CHUNK_BYTES, isChunked } from "./item/chunk.ts";
import { EventLog, Watched } from "../log/event_log.ts";
import { LogLines } from "../log/lines.ts";
import { logFoundLocked } from "./item_events.ts";
import { Logins } from "../auth/logins.ts";
import { classOf, Lru, type LruId } from "./lru/lists.ts";
import { wakeMaintainer } from "./control/requests.ts";
import { Miss, NOT_LINKED } from "./outcome.ts";
import type { StorePlan, StoreShape, StoreThread } from "./plan.ts";
import { PrefixCounts } from "./counts/prefix_counts.ts";
import { SizeCounts } from "./counts/size_counts.ts";
import { Tunables } from "./control/tunables.ts";
import { releaseChunks } from "./room/value.ts";
import { PAGE_BYTES, type SlabClass, SlabClasses } from "./slab/classes.ts";
import { Slabs } from "./slab/chunks.ts";

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
  readonly tunables: Tunables;
  readonly sizes: SizeCounts;
  readonly logins: Logins;
  readonly prefixes: PrefixCounts;
  /** Keys that are asked for often, where that is noted. */
  readonly hotKeys: HotKeys;
  /** What happens, for who watches. */
  readonly log: EventLog;
  readonly lines: LogLines;
  /** Items of COLD that this thread's clients read again. */
  readonly bumps: BumpBuffer;
  /** Why the last find or allocation came back empty. */
  miss: Miss = Miss.ABSENT;
  readonly #cas = new U64();

  constructor({ thread, plan, memory, control, locks, counters, clock }: StoreThread) {
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
    this.slabs = new Slabs({ control, counters, locks, thread, plan }, this.items, this.classes);
    this.tunables = new Tunables(control);
    this.sizes = new SizeCounts(control);
    this.logins = new Logins(control, locks);
    this.log = new EventLog(control, thread, counters);
    this.lines = new LogLines(control, locks);
    this.prefixes = new PrefixCounts(control, locks, this.assoc, plan.shape.prefixDelimiter);
    this.hotKeys = new HotKeys(control, thread, plan.shape.prefixDelimiter);
    this.bumps = new BumpBuffer(control, thread);
  }

  /** Makes new memory ready. Called once, before any thread uses it. */
  start({ assoc, pageLimit, shape }: StorePlan): void {
    this.assoc.start(assoc);
    this.slabs.pages.setLimit(pageLimit);
    this.tunables.setAll(shape.tuning);
    this.prefixes.turn(shape.detailEnabled);
    storeWord(this.control.u32, Global.STARTED_AT, this.clock.now);
  }

  /**
   * Hash of the key `block[from, to)`, which a command names: once for each that it serves.
   * @hot
   */
  hash(block: Block, from: number, to: number): number {
    const hv = this.assoc.hash(block, from, to);
    if (this.hotKeys.isDue()) this.hotKeys.note(hv, block.bytes, from, to, this.clock.now);
    return hv;
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
    const it = this.#searchLocked(hv, block, from, nkey);
    if (this.log.wants(Watched.FETCHERS)) logFoundLocked(this, it, block, from, nkey);
    return it;
  }

  /** @hot */
  #searchLocked(hv: number, block: Block, from: number, nkey: number): ItemRef {
    const it = this.assoc.findLocked(hv, block, from, nkey);
    if (it === NO_ITEM) {
      this.miss = Miss.ABSENT;
      return NO_ITEM;
    }
    if (isFlushed(this.control, this.items, it, this.clock.now)) this.miss = Miss.FLUSHED;
    else if (isExpired(this.items, it, this.clock.now)) this.miss = Miss.EXPIRED;
    else return it;
    this.counters.add(this.miss === Miss.FLUSHED ? Counter.GET_FLUSHED : Counter.GET_EXPIRED, 1);
    this.unlinkLocked(hv, it);
    return NO_ITEM;
  }

  /**
   * Takes the lock of the shard of `it`, which the caller has not got by a search: it may be free,
   * or another item by now.
   *
   * @returns The hash of its key; or {@linkcode NOT_LINKED}, and no lock, if it cannot be found.
   */
  lockLinked(it: ItemRef): number {
    const memory = this.items.blocks[segmentOf(it)];
    if (memory === undefined || it === NO_ITEM) return NOT_LINKED;
    if ((itemFlags(this.items, it) & ItemFlag.LINKED) === 0) return NOT_LINKED;
    const from = itemKeyAt(this.items, it);
    const to = from + itemNkey(this.items, it); // Whatever is there at this moment.
    if (to > memory.bytes.length) return NOT_LINKED;
    const hv = this.assoc.hash(memory, from, to);
    this.lock(hv);
    if (this.assoc.hasLocked(hv, it)) return hv;
    this.unlock(hv);
    return NOT_LINKED;
  }

  /**
   * Makes `it` findable, with a new version. Caller holds the shard's lock, has made sure that no
   * other item has the key, and hands its hold on `it` over to the store. Takes: LRU.
   * Source: memcached items.c, do_item_link.
   * @hot
   */
  linkLocked(hv: number, it: ItemRef): void {
    const clsid = classOf(this.items, it);
    const bytes = itemBytes(this.items, it);
    this.#publish(it);
    this.counters.addClass(clsid, ClassCounter.NUMBER, 1);
    this.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, bytes);
    this.sizes.add(bytes, 1);
    const lru = itemLruId(this.items, it) as LruId;

    this.locks.lock(this.lru.lockOf(lru), LockRank.LRU);
    this.lru.linkLocked(lru, it);
    this.locks.unlock(this.lru.lockOf(lru), LockRank.LRU);

    this.assoc.insertLocked(hv, it); // Published.
  }

  /** Fills in what `it` gets on becoming findable, with a new version. */
  #publish(it: ItemRef): void {
    takeCas(this.control, this.#cas);
    publishItem(this.items, it, this.clock.now, storedGeneration(this.control), this.#cas);
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
    const lru = itemLruId(this.items, it) as LruId;

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
    const bytes = itemBytes(items, it);
    this.counters.addClass(clsid, ClassCounter.NUMBER, -1);
    this.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, -bytes);
    this.sizes.add(bytes, -1);
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
    const { items, lru, locks } = this;
    const clsid = classOf(items, it);
    if (classOf(items, old) !== clsid) {
      this.unlinkLocked(hv, old);
      this.linkLocked(hv, it);
      return;
    }
    const flags = itemFlags(items, old);
    assert((flags & ItemFlag.LINKED) !== 0, "Item replaced that was not linked");
    this.#publish(it);
    const bytes = itemBytes(items, it);
    const oldBytes = itemBytes(items, old);
    if (bytes !== oldBytes) {
      this.counters.addClass(clsid, ClassCounter.MEM_REQUESTED, bytes - oldBytes);
      this.sizes.add(bytes, 1);
      this.sizes.add(oldBytes, -1);
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
    if (!dropOnlyHolder(this.items, it)) {
      const before = addRefcount(this.items, it, -1);
      assert(before > 0, "Item released by more than its holders");
      if (before > 1) return;
    }
    let flags = itemFlags(this.items, it);
    // A processor may have read the flags ahead of the count, but not ahead of an atomic load.
    if ((flags & ItemFlag.LINKED) !== 0 && loadRefcount(this.items, it) === 0) {
      flags = itemFlags(this.items, it);
    }
    assert((flags & ItemFlag.LINKED) === 0, "Linked item without a holder");
    if ((flags & ItemFlag.CHUNKED) !== 0) releaseChunks(this, it);
    this.slabs.give(it, this.ownClassOf(it));
  }

  /** Class of the chunk that the header of `it` is in: not that of its list when it is chunked. */
  ownClassOf(it: ItemRef): SlabClass {
    const { items } = this;
    if (!isChunked(items, it)) return classOf(items, it);
    const valueFrom = itemBytes(items, it) - itemNbytes(items, it);
    return this.classes.fit(valueFrom + FIRST_CHUNK_BYTES);
  }

  /** The block of memory that holds `it`: positions in it are the item's. */
  blockOf(it: ItemRef): Block {
    return this.items.blocks[segmentOf(it)]!;
  }

  /** Position of the value of `it` in its block. */
  valueAt(it: ItemRef): number {
    return itemValueAt(this.items, it);
  }

  /** How long the item at the tail of `lru` has not been read, in seconds. Takes: LRU. */
  tailAge(lru: LruId): number {
    this.locks.lock(this.lru.lockOf(lru), LockRank.LRU);
    const tail = this.lru.tailLocked(lru);
    const age = tail === NO_ITEM ? 0 : Math.max(0, this.clock.now - itemTime(this.items, tail));
    this.locks.unlock(this.lru.lockOf(lru), LockRank.LRU);

    return age;
  }

  /**
   * Sets `-m`, in bytes: at once to more; to less as pages become free. Takes: page.
   *
   * @returns false when it is more than there is room for.
   */
  setMemlimit(bytes: number): boolean {
    if (bytes > this.shape.maxbytesCeiling) return false;
    this.tunables.set("maxbytes", bytes);
    this.slabs.pages.setLimit(Math.floor(bytes / PAGE_BYTES));
    wakeMaintainer(this.control);
    return true;
  }

  /** Makes every counter read 0 from now on. Takes: settings, prefixes. */
  resetCounters(): void {
    this.locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    resetCountersLocked(this.control);
    this.locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
    this.prefixes.clear();
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
