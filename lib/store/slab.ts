// Chunks: which chunks of a class are free, and which page a class is cutting up.
//
//   class    free list of chunks given back, then the rest of the page opened last, then the pages
//            that it was handed and has not opened
//   thread   one chunk of each class, given back last, for its next item
//
// A class's record and its free chunks are read and written only under its slab lock. A page is cut
// up as chunks are needed: memory that no item has used is never touched.
//
// While a page moves away (slab_mover.ts), its free chunks are on no list: they are parked, those
// given back meanwhile too, until all of them are.

import { assert } from "../base/assert.ts";
import { compareExchangeWord, exchangeWord, loadWord } from "../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../memory/lock.ts";
import { type Control, LINE_BYTES, wordIndex } from "../memory/regions.ts";
import {
  ItemFlag,
  itemFlags,
  itemNext,
  itemPrev,
  type ItemRef,
  type Items,
  NO_ITEM,
  setItemFlags,
  setItemNext,
  setItemPrev,
} from "./item.ts";
import { PAGE_BYTES, type SlabClass, type SlabClasses } from "./slab_class.ts";
import { NO_PAGE, Pages } from "./slab_page.ts";
import { UNIT_BYTES } from "../memory/arena.ts";
import { CLASSES_MAX } from "../stats/names.ts";
import type { ChunkMarks } from "./chunk_marks.ts";

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
} as const;

/** Largest chunk that a thread keeps for itself. */
const SPARE_BYTES_MAX = 16 * 1024;

const UNITS_PER_PAGE = PAGE_BYTES / UNIT_BYTES;

/** The page that a chunk is in. */
export function pageOf(chunk: ItemRef): number {
  return Math.floor(chunk / UNITS_PER_PAGE);
}

/** One thread's way to the slabs. */
export class Slabs {
  readonly pages: Pages;
  readonly #control: Control;
  readonly #items: Items;
  readonly #locks: Locks;
  readonly #classes: SlabClasses;
  /** By class: a word for the chunk that this thread gave back last and keeps for its next item. */
  readonly #spares: number;

  /** @param thread Whose spare chunks these are. */
  constructor(
    control: Control,
    items: Items,
    locks: Locks,
    classes: SlabClasses,
    thread: number,
  ) {
    this.pages = new Pages(control, locks);
    this.#control = control;
    this.#items = items;
    this.#locks = locks;
    this.#classes = classes;
    this.#spares = this.#sparesOf(thread);
  }

  #sparesOf(thread: number): number {
    return wordIndex(this.#control.regions.sparesAt) + thread * CLASSES_MAX;
  }

  /** First word of the record of `clsid`. */
  #record(clsid: SlabClass): number {
    return wordIndex(this.#control.regions.slabsAt + clsid * LINE_BYTES);
  }

  /**
   * Takes a free chunk of `clsid`, opening a new page if the limit allows.
   *
   * @returns The chunk, with undefined contents, or {@linkcode NO_ITEM}.
   * Takes: slab, then page.
   * @hot
   */
  take(clsid: SlabClass): ItemRef {
    const { u32 } = this.#control;
    if (u32[this.#spares + clsid] !== NO_ITEM) {
      const spare = exchangeWord(u32, this.#spares + clsid, NO_ITEM) as ItemRef;
      if (spare !== NO_ITEM) return spare; // takeBackSpares may have come first.
    }
    const record = this.#record(clsid);

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    const chunk = this.#takeLocked(clsid, record);
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);

    return chunk;
  }

  /** @hot */
  #takeLocked(clsid: SlabClass, record: number): ItemRef {
    const { u32 } = this.#control;
    const head = u32[record + SlabWord.FREE_HEAD]! as ItemRef;
    if (head !== NO_ITEM) {
      this.#unlinkLocked(record, head);
      setItemFlags(this.#items, head, 0);
      return head;
    }
    if (u32[record + SlabWord.CARVE_LEFT] === 0 && !this.#openPageLocked(clsid, record)) {
      return NO_ITEM;
    }
    const chunk = u32[record + SlabWord.CARVE_AT]! as ItemRef;
    u32[record + SlabWord.CARVE_AT] = chunk + this.#classes.chunkBytes[clsid]! / UNIT_BYTES;
    u32[record + SlabWord.CARVE_LEFT]! -= 1;
    setItemFlags(this.#items, chunk, 0); // Whatever was here when another class had the page.
    return chunk;
  }

  /** Takes a chunk off the free list. */
  #unlinkLocked(record: number, chunk: ItemRef): void {
    const { u32 } = this.#control;
    const next = itemNext(this.#items, chunk);
    const prev = itemPrev(this.#items, chunk);
    if (prev === NO_ITEM) u32[record + SlabWord.FREE_HEAD] = next;
    else setItemNext(this.#items, prev, next);
    if (next !== NO_ITEM) setItemPrev(this.#items, next, prev);
    u32[record + SlabWord.FREE_COUNT]! -= 1;
  }

  /** Puts a chunk on the free list. */
  #linkLocked(record: number, chunk: ItemRef): void {
    const { u32 } = this.#control;
    const head = u32[record + SlabWord.FREE_HEAD]! as ItemRef;
    setItemNext(this.#items, chunk, head);
    setItemPrev(this.#items, chunk, NO_ITEM);
    if (head !== NO_ITEM) setItemPrev(this.#items, head, chunk);
    u32[record + SlabWord.FREE_HEAD] = chunk;
    u32[record + SlabWord.FREE_COUNT]! += 1;
  }

  /**
   * Gives `clsid` a page to cut up. Beyond the limit a class without any page still gets its first
   * one, so that no size is impossible to store. Source: memcached slabs.c, do_slabs_newslab.
   */
  #openPageLocked(clsid: SlabClass, record: number): boolean {
    const { u32 } = this.#control;
    let page = u32[record + SlabWord.UNOPENED_HEAD]!;
    if (page !== NO_PAGE) {
      u32[record + SlabWord.UNOPENED_HEAD] = this.pages.link(page);
      u32[record + SlabWord.UNOPENED_COUNT]! -= 1;
    } else {
      page = this.pages.take(clsid, u32[record + SlabWord.PAGES] === 0);
      if (page === NO_PAGE) return false;
      u32[record + SlabWord.PAGES]! += 1;
    }
    u32[record + SlabWord.CARVE_AT] = page * UNITS_PER_PAGE;
    u32[record + SlabWord.CARVE_LEFT] = this.#classes.perPage[clsid]!;
    return true;
  }

  /**
   * Gives back a chunk that nothing refers to any more. Takes: slab.
   *
   * The thread keeps one small chunk of each class: a set that replaces a value of about the same
   * size then takes no slab lock at all, which saves 60 ns of 800.
   * @hot
   */
  give(chunk: ItemRef, clsid: SlabClass): void {
    setItemFlags(this.#items, chunk, 0);
    const { u32 } = this.#control;
    if (
      u32[this.#spares + clsid] === NO_ITEM &&
      this.#classes.chunkBytes[clsid]! <= SPARE_BYTES_MAX &&
      compareExchangeWord(u32, this.#spares + clsid, NO_ITEM, chunk) === NO_ITEM
    ) return;
    this.#giveBack(chunk, clsid);
  }

  /** Gives back a chunk as {@linkcode give} does, but to the class at once. Takes: slab. */
  giveToClass(chunk: ItemRef, clsid: SlabClass): void {
    setItemFlags(this.#items, chunk, 0);
    this.#giveBack(chunk, clsid);
  }

  /** Gives back the chunks of `clsid` that threads keep: before a check, or a move. Takes: slab. */
  takeBackSpares(clsid: SlabClass): void {
    for (let thread = 0; thread < this.#control.regions.counterThreads; thread++) {
      const spare = exchangeWord(this.#control.u32, this.#sparesOf(thread) + clsid, NO_ITEM);
      if (spare !== NO_ITEM) this.#giveBack(spare as ItemRef, clsid);
    }
  }

  /** How many threads keep a chunk of `clsid`. */
  spareChunks(clsid: SlabClass): number {
    let count = 0;
    for (let thread = 0; thread < this.#control.regions.counterThreads; thread++) {
      if (loadWord(this.#control.u32, this.#sparesOf(thread) + clsid) !== NO_ITEM) count++;
    }
    return count;
  }

  /** @hot */
  #giveBack(chunk: ItemRef, clsid: SlabClass): void {
    const { u32 } = this.#control;
    const record = this.#record(clsid);

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    setItemFlags(this.#items, chunk, ItemFlag.SLABBED);
    const moving = u32[record + SlabWord.MOVING]!;
    if (moving !== NO_PAGE && pageOf(chunk) === moving) u32[record + SlabWord.PARKED]! += 1;
    else this.#linkLocked(record, chunk);
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /** Gives `page`, which nobody owns and which is in no list, to `clsid`. Takes: slab, page. */
  addPage(page: number, clsid: SlabClass): void {
    const { u32 } = this.#control;
    const record = this.#record(clsid);

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    this.pages.handOver(page, clsid);
    this.pages.setLink(page, u32[record + SlabWord.UNOPENED_HEAD]!);
    u32[record + SlabWord.UNOPENED_HEAD] = page;
    u32[record + SlabWord.UNOPENED_COUNT]! += 1;
    u32[record + SlabWord.PAGES]! += 1;
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /**
   * Gives `page` to `clsid` with what is in it: the chunks that `used` has are in use, the others
   * are free. A page that holds nothing is not touched. Takes: slab, page.
   */
  adoptPage(page: number, clsid: SlabClass, used: ChunkMarks): void {
    if (!used.hasAnyIn(page)) return this.addPage(page, clsid);
    const record = this.#record(clsid);
    const chunkUnits = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    this.pages.handOver(page, clsid);
    this.#control.u32[record + SlabWord.PAGES]! += 1;
    for (let index = this.#classes.perPage[clsid]! - 1; index >= 0; index--) {
      const chunk = page * UNITS_PER_PAGE + index * chunkUnits as ItemRef;
      if (used.has(page, index)) continue;
      setItemFlags(this.#items, chunk, ItemFlag.SLABBED);
      this.#linkLocked(record, chunk);
    }
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /** Takes a page that `clsid` has not opened; {@linkcode NO_PAGE} for none. Takes: slab. */
  takeUnopened(clsid: SlabClass): number {
    const { u32 } = this.#control;
    const record = this.#record(clsid);

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    const page = u32[record + SlabWord.UNOPENED_HEAD]!;
    if (page !== NO_PAGE) {
      u32[record + SlabWord.UNOPENED_HEAD] = this.pages.link(page);
      u32[record + SlabWord.UNOPENED_COUNT]! -= 1;
      u32[record + SlabWord.PAGES]! -= 1;
    }
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);

    return page;
  }

  /** Begins to move `page` away from `clsid`, which has opened it: parks its free chunks. */
  beginMove(page: number, clsid: SlabClass): void {
    const { u32 } = this.#control;
    const record = this.#record(clsid);
    const chunkUnits = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    assert(u32[record + SlabWord.MOVING] === NO_PAGE, "Two pages of a class move at once");
    const carveAt = u32[record + SlabWord.CARVE_AT]!;
    const isOpen = u32[record + SlabWord.CARVE_LEFT]! > 0 && pageOf(carveAt as ItemRef) === page;
    if (isOpen) u32[record + SlabWord.CARVE_LEFT] = 0;
    let parked = 0;
    for (let index = 0; index < this.#classes.perPage[clsid]!; index++) {
      const chunk = page * UNITS_PER_PAGE + index * chunkUnits as ItemRef;
      if (isOpen && chunk >= carveAt) setItemFlags(this.#items, chunk, ItemFlag.SLABBED);
      else if (this.isSlabbed(chunk)) this.#unlinkLocked(record, chunk);
      else continue;
      parked++;
    }
    u32[record + SlabWord.MOVING] = page;
    u32[record + SlabWord.PARKED] = parked;
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /** Whether a class has `chunk` back. In a page that moves, that does not change any more. */
  isSlabbed(chunk: ItemRef): boolean {
    return (itemFlags(this.#items, chunk) & ItemFlag.SLABBED) !== 0;
  }

  /**
   * Ends the move of a page away from `clsid` if all its chunks are parked: nobody owns it then.
   * Takes: slab.
   */
  endMove(clsid: SlabClass): boolean {
    const { u32 } = this.#control;
    const record = this.#record(clsid);

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    const done = u32[record + SlabWord.PARKED] === this.#classes.perPage[clsid];
    if (done) {
      u32[record + SlabWord.MOVING] = NO_PAGE;
      u32[record + SlabWord.PARKED] = 0;
      u32[record + SlabWord.PAGES]! -= 1;
    }
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);

    return done;
  }

  /** Gives up the move of a page: its free chunks can be had again. Takes: slab. */
  cancelMove(clsid: SlabClass): void {
    const { u32 } = this.#control;
    const record = this.#record(clsid);
    const chunkUnits = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    const page = u32[record + SlabWord.MOVING]!;
    for (let index = 0; index < this.#classes.perPage[clsid]!; index++) {
      const chunk = page * UNITS_PER_PAGE + index * chunkUnits as ItemRef;
      if (this.isSlabbed(chunk)) this.#linkLocked(record, chunk);
    }
    u32[record + SlabWord.MOVING] = NO_PAGE;
    u32[record + SlabWord.PARKED] = 0;
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /** Reads a word of the record of `clsid`; see {@linkcode SlabWord}. */
  word(clsid: SlabClass, word: number): number {
    return loadWord(this.#control.u32, this.#record(clsid) + word);
  }

  /** Chunks of `clsid` that anybody can have, those never used included. */
  freeChunks(clsid: SlabClass): number {
    return this.word(clsid, SlabWord.FREE_COUNT) + this.word(clsid, SlabWord.CARVE_LEFT) +
      this.word(clsid, SlabWord.PARKED) +
      this.word(clsid, SlabWord.UNOPENED_COUNT) * this.#classes.perPage[clsid]!;
  }
}
