// LRU lists: one for each slab class and segment, newest at the head, next to go at the tail.
//
//   HOT    new items             tail ─► WARM if active, else COLD
//   WARM   read more than once   tail ─► head again if active, else COLD
//   COLD   the rest              read again ─► WARM; the tail is evicted
//   TEMP   short-lived           only expires
//
// In flat mode every item is in COLD. tail.ts has the rules, lru_maintainer.ts applies them.
//
// A list and its items' neighbours are read and written only under the list's lock. Which list an
// item is on changes only under the lock of its shard, too.
// Source: memcached items.h, HOT_LRU to TEMP_LRU; items.c, lru_pull_tail.

import { assert, CHECKS } from "../../base/assert.ts";
import { loadWord } from "../../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../../memory/lock.ts";
import { type Control, LINE_BYTES, wordIndex } from "../../memory/regions.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import { UNIT_BYTES, UNIT_SHIFT } from "../../memory/arena.ts";
import {
  itemBytes,
  itemLruId,
  itemNext,
  itemPrev,
  type ItemRef,
  type Items,
  NO_ITEM,
  setItemLruId,
  setItemNext,
  setItemPrev,
} from "../item/item.ts";
import type { SlabClass } from "../slab/classes.ts";

/** Segments of a class's LRU, as they stand in the high bits of an {@linkcode LruId}. */
export const LruSegment = { HOT: 0, WARM: 64, COLD: 128, TEMP: 192 } as const;
export type LruSegment = typeof LruSegment[keyof typeof LruSegment];

declare const brand: unique symbol;
/** A list: slab class plus {@linkcode LruSegment}. */
export type LruId = number & { readonly [brand]: "LruId" };

/** Lists there can be. */
export const LRUS_MAX = 4 * CLASSES_MAX;

const CLASS_MASK = CLASSES_MAX - 1;

/** The list of `clsid` and `segment`. */
export function lruIdOf(clsid: SlabClass, segment: LruSegment): LruId {
  return (clsid | segment) as LruId;
}

/** The slab class of an item. */
export function classOf(items: Items, it: ItemRef): SlabClass {
  return (itemLruId(items, it) & CLASS_MASK) as SlabClass;
}

/** Every segment, in the order of their numbers: `lruId >>> SEGMENT_SHIFT` is an index. */
export const SEGMENTS: readonly LruSegment[] = Object.values(LruSegment);
const SEGMENT_SHIFT = 6;

/** The segment of a list, 0..3: HOT, WARM, COLD, TEMP. */
export function segmentIndexOf(items: Items, it: ItemRef): number {
  return itemLruId(items, it) >>> SEGMENT_SHIFT;
}

/** Whether `it` is in COLD. */
export function isCold(items: Items, it: ItemRef): boolean {
  return (itemLruId(items, it) & LruSegment.TEMP) === LruSegment.COLD;
}

/** Words of a list's record. */
const LruWord = {
  LOCK: 0,
  HEAD: 1,
  TAIL: 2,
  COUNT: 3,
  /** How long the item evicted last had not been read, in seconds. */
  EVICTED_AGE: 4,
  /** Size of all items, each rounded up to units of 8 bytes. */
  UNITS: 5,
  /** Items evicted from the list so far; wraps. */
  EVICTED: 6,
} as const;

/** What an item counts for on its list, in units of 8 bytes. */
export function itemUnits(items: Items, it: ItemRef): number {
  return (itemBytes(items, it) + UNIT_BYTES - 1) >>> UNIT_SHIFT;
}

/** One thread's way to the lists. */
export class Lru {
  readonly #control: Control;
  readonly #locks: Locks;
  readonly #items: Items;

  constructor(control: Control, locks: Locks, items: Items) {
    this.#control = control;
    this.#locks = locks;
    this.#items = items;
  }

  #record(lru: LruId): number {
    return wordIndex(this.#control.regions.lrusAt + lru * LINE_BYTES);
  }

  /** The lock of a list. */
  lockOf(lru: LruId): LockIndex {
    return this.#record(lru) as LockIndex;
  }

  /** @hot */
  #assertHeld(record: number): void {
    assert(this.#locks.holds(record as LockIndex, LockRank.LRU), "The LRU list is not held");
  }

  /**
   * Puts `it` at the head of `lru`. Caller holds the list's lock.
   * @hot
   */
  linkLocked(lru: LruId, it: ItemRef): void {
    const { u32 } = this.#control;
    const record = this.#record(lru);
    if (CHECKS) this.#assertHeld(record);
    const head = u32[record + LruWord.HEAD]! as ItemRef;
    if (CHECKS) assert(head !== it, "Item is on its LRU list already");
    setItemLruId(this.#items, it, lru);
    setItemPrev(this.#items, it, NO_ITEM);
    setItemNext(this.#items, it, head);
    if (head === NO_ITEM) u32[record + LruWord.TAIL] = it;
    else {
      if (CHECKS) {
        assert(itemPrev(this.#items, head) === NO_ITEM, "LRU list begins before its head");
      }
      setItemPrev(this.#items, head, it);
    }
    u32[record + LruWord.HEAD] = it;
    u32[record + LruWord.COUNT]! += 1;
    u32[record + LruWord.UNITS]! += itemUnits(this.#items, it);
  }

  /**
   * Takes `it` out of `lru`. Caller holds the list's lock.
   * @hot
   */
  unlinkLocked(lru: LruId, it: ItemRef): void {
    const { u32 } = this.#control;
    const record = this.#record(lru);
    if (CHECKS) this.#assertHeld(record);
    const next = itemNext(this.#items, it);
    const prev = itemPrev(this.#items, it);
    const count = u32[record + LruWord.COUNT]!;
    if (CHECKS) assert(count > 0, "Item taken out of an empty LRU list");
    if (prev === NO_ITEM) {
      assert(u32[record + LruWord.HEAD] === it, "Item is not on its LRU list");
      u32[record + LruWord.HEAD] = next;
    } else {
      if (CHECKS) {
        assert(itemNext(this.#items, prev) === it, "LRU neighbour does not know the item");
      }
      setItemNext(this.#items, prev, next);
    }
    if (next === NO_ITEM) {
      assert(u32[record + LruWord.TAIL] === it, "Item is not on its LRU list");
      u32[record + LruWord.TAIL] = prev;
    } else {
      if (CHECKS) {
        assert(itemPrev(this.#items, next) === it, "LRU neighbour does not know the item");
      }
      setItemPrev(this.#items, next, prev);
    }
    setItemNext(this.#items, it, NO_ITEM);
    setItemPrev(this.#items, it, NO_ITEM);
    u32[record + LruWord.COUNT] = count - 1;
    u32[record + LruWord.UNITS]! -= itemUnits(this.#items, it);
  }

  /**
   * Puts `copy`, whose header is a copy of `it`'s, in the place of `it`. Caller holds the list's
   * lock.
   */
  swapLocked(lru: LruId, it: ItemRef, copy: ItemRef): void {
    const { u32 } = this.#control;
    const record = this.#record(lru);
    if (CHECKS) this.#assertHeld(record);
    if (CHECKS) assert(itemLruId(this.#items, copy) === lru, "Copy of an item of another LRU list");
    const next = itemNext(this.#items, it);
    const prev = itemPrev(this.#items, it);
    setItemNext(this.#items, copy, next);
    setItemPrev(this.#items, copy, prev);
    if (prev === NO_ITEM) u32[record + LruWord.HEAD] = copy;
    else setItemNext(this.#items, prev, copy);
    if (next === NO_ITEM) u32[record + LruWord.TAIL] = copy;
    else setItemPrev(this.#items, next, copy);
  }

  /** Moves the items from `first` to the tail before the head. Caller holds the list's lock. */
  turnLocked(lru: LruId, first: ItemRef): void {
    const { u32 } = this.#control;
    const record = this.#record(lru);
    if (CHECKS) this.#assertHeld(record);
    const newTail = itemPrev(this.#items, first);
    if (newTail === NO_ITEM) return;
    const head = u32[record + LruWord.HEAD]! as ItemRef;
    const tail = u32[record + LruWord.TAIL]! as ItemRef;
    setItemNext(this.#items, newTail, NO_ITEM);
    setItemPrev(this.#items, first, NO_ITEM);
    setItemNext(this.#items, tail, head);
    setItemPrev(this.#items, head, tail);
    u32[record + LruWord.HEAD] = first;
    u32[record + LruWord.TAIL] = newTail;
  }

  /** The item to go next, or {@linkcode NO_ITEM}. Caller holds the list's lock. */
  tailLocked(lru: LruId): ItemRef {
    if (CHECKS) this.#assertHeld(this.#record(lru));
    return this.#control.u32[this.#record(lru) + LruWord.TAIL]! as ItemRef;
  }

  /** The newest item, or {@linkcode NO_ITEM}. Caller holds the list's lock. */
  headLocked(lru: LruId): ItemRef {
    if (CHECKS) this.#assertHeld(this.#record(lru));
    return this.#control.u32[this.#record(lru) + LruWord.HEAD]! as ItemRef;
  }

  /**
   * Records an eviction of an item last read `age` seconds ago. Caller holds the list's lock.
   */
  noteEvictedLocked(lru: LruId, age: number): void {
    const record = this.#record(lru);
    if (CHECKS) this.#assertHeld(record);
    this.#control.u32[record + LruWord.EVICTED_AGE] = age;
    this.#control.u32[record + LruWord.EVICTED]! += 1;
  }

  /** Items evicted from the list so far, less a multiple of 2^32. */
  evicted(lru: LruId): number {
    return loadWord(this.#control.u32, this.#record(lru) + LruWord.EVICTED);
  }

  /** How long the item evicted last had not been read, in seconds. */
  evictedAge(lru: LruId): number {
    return loadWord(this.#control.u32, this.#record(lru) + LruWord.EVICTED_AGE);
  }

  /** Size of the list's items together, each rounded up to units of 8 bytes. */
  units(lru: LruId): number {
    return loadWord(this.#control.u32, this.#record(lru) + LruWord.UNITS);
  }

  /** Whether any item of slab class `clsid` is on a list. */
  hasItems(clsid: number): boolean {
    return SEGMENTS.some((segment) => this.count(lruIdOf(clsid as SlabClass, segment)) > 0);
  }

  /** Items on the list. */
  count(lru: LruId): number {
    return loadWord(this.#control.u32, this.#record(lru) + LruWord.COUNT);
  }
}
