// Chunks: which chunks of a class are free, and which page a class is cutting up.
//
//   class    free list of chunks given back, then the rest of the page opened last, then the pages
//            that it was handed and has not opened
//   thread   one chunk of each class, given back last, for its next item
//
// A class's record (record.ts) and its free chunks are read and written only under its slab
// lock. A page is cut up as chunks are needed: memory that no item has used is never touched.
//
// While a page moves away (leaving.ts), its free chunks are on no list: they are parked, those
// given back meanwhile too, until all of them are.

import { assert, CHECKS } from "../../base/assert.ts";
import { compareExchangeWord, exchangeWord, loadWord } from "../../memory/atomic.ts";
import { UNIT_BYTES } from "../../memory/arena.ts";
import type { Locks } from "../../memory/lock.ts";
import { type Control, wordIndex } from "../../memory/regions.ts";
import type { Counters } from "../../stats/counters.ts";
import { CLASSES_MAX, Counter } from "../../stats/names.ts";
import { ItemFlag, type ItemRef, type Items, NO_ITEM, setItemFlags } from "../item/item.ts";
import { wakeMaintainer } from "../control/requests.ts";
import { PageArriving } from "./arriving.ts";
import { PageLeaving } from "./leaving.ts";
import type { SlabClass, SlabClasses } from "./classes.ts";
import { NO_PAGE, Pages } from "./pages.ts";
import { pageOf, SlabRecords, SlabWord, UNITS_PER_PAGE } from "./record.ts";
import { Tunables } from "../control/tunables.ts";

/** Largest chunk that a thread keeps for itself. */
const SPARE_BYTES_MAX = 16 * 1024;

/** What one thread's slabs need of its part of the store. */
export interface SlabParts {
  readonly thread: number;
  readonly control: Control;
  readonly locks: Locks;
  readonly counters: Counters;
  readonly plan: {
    /** Pages that `-m` allows. */
    readonly pageLimit: number;
    readonly shape: {
      /** Pages may move between classes. */
      readonly slabReassign: boolean;
      /** Each class has its first page within the limit. */
      readonly reservesFirstPages: boolean;
    };
  };
}

/** How far a class may grow for a chunk. */
const Growth = {
  /** It takes from the pages that it has. */
  NONE: 0,
  /** It takes a page if the limit allows. */
  WITHIN: 1,
  /** Its first page may be one more than the limit. */
  BEYOND: 2,
} as const;
type Growth = typeof Growth[keyof typeof Growth];

/** One thread's way to the slabs. */
export class Slabs {
  readonly pages: Pages;
  readonly leaving: PageLeaving;
  readonly arriving: PageArriving;
  readonly #records: SlabRecords;
  readonly #control: Control;
  readonly #counters: Counters;
  readonly #tunables: Tunables;
  readonly #items: Items;
  readonly #classes: SlabClasses;
  readonly #mayReassign: boolean;
  /** Pages are kept for the classes that have none, and there are enough of them. */
  readonly #reserves: boolean;
  /** By class: a word for the chunk that this thread gave back last and keeps for its next item. */
  readonly #spares: number;

  constructor(
    { control, counters, locks, thread, plan }: SlabParts,
    items: Items,
    classes: SlabClasses,
  ) {
    this.pages = new Pages(control, locks);
    this.#records = new SlabRecords(control, items, locks);
    this.leaving = new PageLeaving(control, items, classes, this.#records, this.pages);
    this.arriving = new PageArriving(control, items, classes, this.#records, this.pages);
    this.#control = control;
    this.#counters = counters;
    this.#tunables = new Tunables(control);
    this.#items = items;
    this.#classes = classes;
    this.#mayReassign = plan.shape.slabReassign;
    this.#reserves = plan.shape.reservesFirstPages && classes.last <= plan.pageLimit;
    this.#spares = this.#sparesOf(thread);
  }

  #sparesOf(thread: number): number {
    return wordIndex(this.#control.regions.sparesAt) + thread * CLASSES_MAX;
  }

  /**
   * The class that an item of `clsid` is to be stored in: the next one while `clsid` is a class in
   * between that has no page, and there is none for it within the limit.
   * @hot
   */
  classFor(clsid: SlabClass): SlabClass {
    if (!this.#classes.isBetween(clsid)) return clsid;
    if (this.#control.u32[this.#records.of(clsid) + SlabWord.PAGES]! > 0) return clsid;
    const hasRoom = this.pages.hasRoom || (this.pages.surplus > 0 && this.#mayMove);
    return hasRoom && !this.#areReserved() ? clsid : clsid + 1 as SlabClass;
  }

  /** Whether all pages that are left are for classes that have none. */
  #areReserved(): boolean {
    if (!this.#reserves) return false;
    const left = this.pages.limit - this.pages.inUse + this.pages.pooled;
    if (left > this.#classes.last) return false;
    let pageless = 0;
    for (let id = 1; id <= this.#classes.last; id++) {
      const clsid = id as SlabClass;
      if (!this.#classes.isBetween(clsid) && this.word(clsid, SlabWord.PAGES) === 0) pageless++;
    }
    return left <= pageless;
  }

  /**
   * Takes a free chunk of `clsid`. If there is none, the class takes a page: one within the limit,
   * or an empty one of another class; a class without any page takes one in any case.
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
    const chunk = this.#take(clsid, Growth.WITHIN);
    return chunk === NO_ITEM ? this.#takeFromOthers(clsid) : chunk;
  }

  /**
   * Takes a chunk of the pages that `clsid` has, but not of one that moves away.
   *
   * @returns The chunk, or {@linkcode NO_ITEM}. Takes: slab.
   */
  takeOwn(clsid: SlabClass): ItemRef {
    const spare = exchangeWord(this.#control.u32, this.#spares + clsid, NO_ITEM) as ItemRef;
    if (spare !== NO_ITEM) this.#giveBack(spare, clsid); // It may be in the page that moves.
    return this.#take(clsid, Growth.NONE);
  }

  /** @hot */
  #take(clsid: SlabClass, growth: Growth): ItemRef {
    const record = this.#records.of(clsid);

    this.#records.lock(record);
    const chunk = this.#takeLocked(clsid, record, growth);
    this.#records.unlock(record);

    return chunk;
  }

  /** @hot */
  #takeLocked(clsid: SlabClass, record: number, growth: Growth): ItemRef {
    if (CHECKS) this.#records.assertHeld(record);
    const { u32 } = this.#control;
    const head = u32[record + SlabWord.FREE_HEAD]! as ItemRef;
    if (head !== NO_ITEM) {
      this.#records.unlinkLocked(record, head);
      this.#records.useLocked(record, pageOf(head));
      setItemFlags(this.#items, head, 0);
      return head;
    }
    if (u32[record + SlabWord.CARVE_LEFT] === 0 && !this.#openPageLocked(clsid, record, growth)) {
      return NO_ITEM;
    }
    const chunk = u32[record + SlabWord.CARVE_AT]! as ItemRef;
    u32[record + SlabWord.CARVE_AT] = chunk + this.#classes.chunkBytes[clsid]! / UNIT_BYTES;
    u32[record + SlabWord.CARVE_LEFT]! -= 1;
    this.#records.useLocked(record, pageOf(chunk));
    setItemFlags(this.#items, chunk, 0); // Whatever was here when another class had the page.
    return chunk;
  }

  /**
   * Gives `clsid` a page to cut up. Source: memcached slabs.c, do_slabs_newslab.
   *
   * @param growth {@linkcode Growth.BEYOND} gives a class without any page its first one, so that
   * no size is impossible to store.
   */
  #openPageLocked(clsid: SlabClass, record: number, growth: Growth): boolean {
    if (CHECKS) this.#records.assertHeld(record);
    const { u32 } = this.#control;
    let page = u32[record + SlabWord.UNOPENED_HEAD]!;
    if (page !== NO_PAGE) {
      u32[record + SlabWord.UNOPENED_HEAD] = this.pages.link(page);
      u32[record + SlabWord.UNOPENED_COUNT]! -= 1;
      this.#records.countPagesLocked(record, 0, 1);
    } else {
      if (growth === Growth.NONE) return false;
      const isFirst = u32[record + SlabWord.PAGES] === 0 && !this.#classes.isBetween(clsid);
      if (!isFirst && this.#areReserved()) return false;
      const mayExceed = growth === Growth.BEYOND && u32[record + SlabWord.PAGES] === 0;
      page = this.pages.take(clsid, mayExceed);
      if (page === NO_PAGE) return false;
      this.#records.countPagesLocked(record, 1, 1);
    }
    u32[record + SlabWord.CARVE_AT] = page * UNITS_PER_PAGE;
    u32[record + SlabWord.CARVE_LEFT] = this.#classes.perPage[clsid]!;
    return true;
  }

  /**
   * Takes a chunk of `clsid` once no page is left for it: an empty page of another class comes
   * first, before anything is evicted. A class without any page takes one beyond the limit.
   */
  #takeFromOthers(clsid: SlabClass): ItemRef {
    const isPageless = this.word(clsid, SlabWord.PAGES) === 0;
    if (!isPageless && this.pages.surplus === 0) return NO_ITEM;
    const mayMove = this.#mayMove;
    if (mayMove && (this.#bringEmpty(clsid, 1) || (isPageless && this.#bringEmpty(clsid, 0)))) {
      const chunk = this.#take(clsid, Growth.NONE);
      if (chunk !== NO_ITEM) return chunk; // Another thread may have been faster.
    }
    if (!isPageless) return NO_ITEM;
    const chunk = this.#take(clsid, Growth.BEYOND);
    const repays = chunk !== NO_ITEM &&
      this.pages.noteExceeded(mayMove ? this.#classesBetween() : 0);
    if (repays) wakeMaintainer(this.#control);
    return chunk;
  }

  /** Whether a class may be given a page of another one. */
  get #mayMove(): boolean {
    return this.#mayReassign && this.#tunables.get("slabAutomove") > 0;
  }

  /** Classes in between that have a page. */
  #classesBetween(): number {
    let count = 0;
    for (let id = 1; id <= this.#classes.last; id++) {
      const clsid = id as SlabClass;
      if (this.#classes.isBetween(clsid) && this.word(clsid, SlabWord.PAGES) > 0) count++;
    }
    return count;
  }

  /** Gives `clsid` an empty page of a class that has more than `kept`; false if there is none. */
  #bringEmpty(clsid: SlabClass, kept: number): boolean {
    for (let id = 1; id <= this.#classes.last; id++) {
      const from = id as SlabClass;
      if (from === clsid || this.word(from, SlabWord.EMPTY) === 0) continue;
      const page = this.leaving.takeEmpty(from, kept);
      if (page === NO_PAGE) continue;
      this.arriving.add(page, clsid);
      this.takeBackSpares(from); // The next page may be empty but for them.
      this.#counters.add(Counter.SLABS_MOVED, 1);
      return true;
    }
    return false;
  }

  /**
   * Gives back a chunk that no reference leads to any more. Takes: slab.
   *
   * The thread keeps one small chunk of each class: a set that replaces a value of about the same
   * size then takes no slab lock at all, which saves 60 ns of 800.
   * @hot
   */
  give(chunk: ItemRef, clsid: SlabClass): void {
    if (CHECKS) assert(!this.leaving.isSlabbed(chunk), "Chunk given back twice");
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

  /** Keeps a chunk of any size for the thread's next item of `clsid`. Takes: slab. */
  keep(chunk: ItemRef, clsid: SlabClass): void {
    const { u32 } = this.#control;
    if (compareExchangeWord(u32, this.#spares + clsid, NO_ITEM, chunk) === NO_ITEM) return;
    this.giveToClass(chunk, clsid);
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
    const record = this.#records.of(clsid);
    const page = pageOf(chunk);

    this.#records.lock(record);
    assert(this.pages.ownerOf(page) === clsid, "Chunk given back to a class without its page");
    setItemFlags(this.#items, chunk, ItemFlag.SLABBED);
    if (page === u32[record + SlabWord.MOVING]) u32[record + SlabWord.PARKED]! += 1;
    else this.#records.linkLocked(record, chunk);
    this.#records.freeLocked(record, page);
    this.#records.unlock(record);
  }

  /** Reads a word of the record of `clsid`; see {@linkcode SlabWord}. */
  word(clsid: SlabClass, word: number): number {
    return this.#records.word(clsid, word);
  }

  /** Chunks of `page` that are in use, those that threads keep too; for a check. */
  usedChunks(page: number): number {
    return this.#records.usedLocked(page);
  }

  /** Chunks of `clsid` that any thread can take, those never used included. */
  freeChunks(clsid: SlabClass): number {
    return this.word(clsid, SlabWord.FREE_COUNT) + this.word(clsid, SlabWord.CARVE_LEFT) +
      this.word(clsid, SlabWord.PARKED) +
      this.word(clsid, SlabWord.UNOPENED_COUNT) * this.#classes.perPage[clsid]!;
  }
}
