// The record of a slab class: its free chunks, how many chunks of each of its pages are in use, and
// how many of its pages are empty.
//
//   used chunks of a page   all that are neither free nor never used; a chunk that a thread keeps
//                           for itself counts as used
//   empty page              no chunk is used; not one that moves, and not one that the class was
//                           handed and has not opened: that one it is going to use
//   surplus page            an empty page that the class can miss: it keeps one page in any case
//
// A record and the counts of the class's pages are read and written only under its slab lock. How
// many surplus pages all classes have together is a word that any thread may read.

import { assert, CHECKS } from "../../base/assert.ts";
import { addWord, loadWord } from "../../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../../memory/lock.ts";
import { type Control, LINE_BYTES, wordIndex } from "../../memory/regions.ts";
import {
  itemNext,
  itemPrev,
  type ItemRef,
  type Items,
  NO_ITEM,
  setItemNext,
  setItemPrev,
} from "../item/item.ts";
import { PAGE_BYTES, type SlabClass } from "./classes.ts";
import { NO_PAGE, surplusWord } from "./pages.ts";
import { UNIT_BYTES } from "../../memory/arena.ts";

/** Words of a class's record. */
export const SlabWord = {
  LOCK: 0,
  /** First chunk of the free list. */
  FREE_HEAD: 1,
  /** Chunks on the free list. */
  FREE_COUNT: 2,
  /** Pages the class owns. */
  PAGES: 3,
  /** Next chunk of the open page that was never used. */
  CARVE_AT: 4,
  /** Chunks of the open page that were never used. */
  CARVE_LEFT: 5,
  /** First page that is the class's and was not opened, and how many there are. */
  UNOPENED_HEAD: 6,
  UNOPENED_COUNT: 7,
  /** The page that is moving away; 0 for none. */
  MOVING: 8,
  /** Chunks of that page that are parked. */
  PARKED: 9,
  /** Empty pages. */
  EMPTY: 10,
} as const;

/** Units in a page. */
export const UNITS_PER_PAGE = PAGE_BYTES / UNIT_BYTES;
const UNITS_PER_PAGE_LOG2 = Math.log2(UNITS_PER_PAGE);

/**
 * The page that a chunk is in.
 * @hot
 */
export function pageOf(chunk: ItemRef): number {
  return chunk >>> UNITS_PER_PAGE_LOG2;
}

/** One thread's way to the records of all classes. */
export class SlabRecords {
  readonly #control: Control;
  readonly #items: Items;
  readonly #locks: Locks;
  readonly #at: number;
  readonly #used: number;
  readonly #surplus: number;

  constructor(control: Control, items: Items, locks: Locks) {
    this.#control = control;
    this.#items = items;
    this.#locks = locks;
    this.#at = wordIndex(control.regions.slabsAt);
    this.#used = wordIndex(control.regions.pageUsedAt);
    this.#surplus = surplusWord(control.regions);
  }

  /**
   * First word of the record of `clsid`.
   * @hot
   */
  of(clsid: SlabClass): number {
    return this.#at + clsid * (LINE_BYTES / Uint32Array.BYTES_PER_ELEMENT);
  }

  /** @hot */
  lock(record: number): void {
    this.#locks.lock(record as LockIndex, LockRank.SLAB);
  }

  /** @hot */
  unlock(record: number): void {
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /**
   * Stops the thread unless it holds the class of `record`.
   * @hot
   */
  assertHeld(record: number): void {
    assert(this.#locks.holds(record as LockIndex, LockRank.SLAB), "The slab class is not held");
  }

  /** Reads a word of the record of `clsid`; see {@linkcode SlabWord}. */
  word(clsid: SlabClass, word: number): number {
    return loadWord(this.#control.u32, this.of(clsid) + word);
  }

  /**
   * Takes a chunk off the free list.
   * @hot
   */
  unlinkLocked(record: number, chunk: ItemRef): void {
    const { u32 } = this.#control;
    if (CHECKS) this.assertHeld(record);
    const next = itemNext(this.#items, chunk);
    const prev = itemPrev(this.#items, chunk);
    const count = u32[record + SlabWord.FREE_COUNT]!;
    assert(count > 0, "Chunk taken off an empty free list");
    if (prev === NO_ITEM) {
      assert(u32[record + SlabWord.FREE_HEAD] === chunk, "Chunk is not on its free list");
      u32[record + SlabWord.FREE_HEAD] = next;
    } else setItemNext(this.#items, prev, next);
    if (next !== NO_ITEM) setItemPrev(this.#items, next, prev);
    u32[record + SlabWord.FREE_COUNT] = count - 1;
  }

  /**
   * Puts a chunk on the free list.
   * @hot
   */
  linkLocked(record: number, chunk: ItemRef): void {
    const { u32 } = this.#control;
    if (CHECKS) this.assertHeld(record);
    const head = u32[record + SlabWord.FREE_HEAD]! as ItemRef;
    assert(head !== chunk, "Chunk is on its free list already");
    setItemNext(this.#items, chunk, head);
    setItemPrev(this.#items, chunk, NO_ITEM);
    if (head !== NO_ITEM) setItemPrev(this.#items, head, chunk);
    u32[record + SlabWord.FREE_HEAD] = chunk;
    u32[record + SlabWord.FREE_COUNT]! += 1;
  }

  /**
   * Counts a chunk of `page` that is taken.
   * @hot
   */
  useLocked(record: number, page: number): void {
    if (CHECKS) this.assertHeld(record);
    const before = this.#control.u32[this.#used + page]!;
    this.#control.u32[this.#used + page] = before + 1;
    if (before === 0) this.countPagesLocked(record, 0, -1);
  }

  /**
   * Counts a chunk of `page` that has come back.
   * @hot
   */
  freeLocked(record: number, page: number): void {
    if (CHECKS) this.assertHeld(record);
    const { u32 } = this.#control;
    const left = u32[this.#used + page]! - 1;
    assert(left >= 0, "Chunk freed in a page that has none in use");
    u32[this.#used + page] = left;
    if (left === 0 && u32[record + SlabWord.MOVING] !== page) this.countPagesLocked(record, 0, 1);
  }

  /** Chunks of `page` that are in use; 0 in a page that no class owns. Caller holds its class. */
  usedLocked(page: number): number {
    if (CHECKS) assert(this.#locks.holdsRank(LockRank.SLAB), "No slab class is held");
    return this.#control.u32[this.#used + page]!;
  }

  /** Sets how many chunks of `page` are in use, while no class owns it. */
  setUsed(page: number, count: number): void {
    this.#control.u32[this.#used + page] = count;
  }

  /** Changes how many pages the class has, and how many of them are empty. */
  countPagesLocked(record: number, pages: number, empty: number): void {
    if (CHECKS) this.assertHeld(record);
    const { u32 } = this.#control;
    const before = this.#surplusPages(record);
    const pagesNow = u32[record + SlabWord.PAGES]! + pages;
    const emptyNow = u32[record + SlabWord.EMPTY]! + empty;
    assert(emptyNow >= 0 && emptyNow <= pagesNow, "Class with more empty pages than pages");
    u32[record + SlabWord.PAGES] = pagesNow;
    u32[record + SlabWord.EMPTY] = emptyNow;
    this.#countSurplus(this.#surplusPages(record) - before);
  }

  /** Sets the page that moves away, or that none does: {@linkcode NO_PAGE}. */
  setMovingLocked(record: number, page: number): void {
    if (CHECKS) this.assertHeld(record);
    const { u32 } = this.#control;
    const before = this.#surplusPages(record);
    u32[record + SlabWord.MOVING] = page;
    this.#countSurplus(this.#surplusPages(record) - before);
  }

  #countSurplus(change: number): void {
    if (change !== 0) addWord(this.#control.u32, this.#surplus, change);
  }

  #surplusPages(record: number): number {
    const empty = this.#control.u32[record + SlabWord.EMPTY]!;
    return Math.max(0, Math.min(empty, this.stayingLocked(record) - 1));
  }

  /** Pages of a class but one that moves away. */
  stayingLocked(record: number): number {
    if (CHECKS) this.assertHeld(record);
    const { u32 } = this.#control;
    return u32[record + SlabWord.PAGES]! - (u32[record + SlabWord.MOVING] === NO_PAGE ? 0 : 1);
  }
}
