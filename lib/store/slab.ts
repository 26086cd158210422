// Pages and chunks: which class owns a page, which chunks of a class are free.
//
//   pages    1 2 3 …   PAGE_BYTES each; page 0 is never used, so that no item has reference 0
//   class    free list of chunks given back, then the rest of the page opened last
//
// A class's record and its free chunks are read and written only under its slab lock; the next page
// and the owners of pages under the page lock. A page is cut up as chunks are needed: memory that
// no item has used is never touched.

import { loadWord } from "../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../memory/lock.ts";
import { type Control, LINE_BYTES, wordIndex } from "../memory/regions.ts";
import {
  itemNext,
  type ItemRef,
  type Items,
  NO_ITEM,
  setItemNext,
  setItemSlabbed,
} from "./item.ts";
import { PAGE_BYTES, type SlabClass, type SlabClasses } from "./slab_class.ts";
import { UNIT_BYTES } from "../memory/arena.ts";
import { CLASSES_MAX } from "../stats/names.ts";

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
} as const;

/** Words of the record of all pages. */
const PageWord = { LOCK: 0, USED: 1, LIMIT: 2 } as const;

/** Largest chunk that a thread keeps for itself. */
const SPARE_BYTES_MAX = 16 * 1024;

const UNITS_PER_PAGE = PAGE_BYTES / UNIT_BYTES;

/** One thread's way to the slabs. */
export class Slabs {
  readonly #control: Control;
  readonly #items: Items;
  readonly #locks: Locks;
  readonly #classes: SlabClasses;
  readonly #pageRecord: number;
  /** By class: a chunk that this thread gave back last and keeps for its next item. */
  readonly #spare = new Uint32Array(CLASSES_MAX);

  constructor(control: Control, items: Items, locks: Locks, classes: SlabClasses) {
    this.#control = control;
    this.#items = items;
    this.#locks = locks;
    this.#classes = classes;
    this.#pageRecord = wordIndex(control.regions.pagesAt);
  }

  /** Sets how many pages may be used. Called once, before any thread takes a chunk. */
  setPageLimit(pages: number): void {
    this.#control.u32[this.#pageRecord + PageWord.LIMIT] = pages;
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
    const spare = this.#spare[clsid]! as ItemRef;
    if (spare !== NO_ITEM) {
      this.#spare[clsid] = NO_ITEM;
      return spare;
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
      u32[record + SlabWord.FREE_HEAD] = itemNext(this.#items, head);
      u32[record + SlabWord.FREE_COUNT]! -= 1;
      return head;
    }
    if (u32[record + SlabWord.CARVE_LEFT] === 0 && !this.#openPageLocked(clsid, record)) {
      return NO_ITEM;
    }
    const chunk = u32[record + SlabWord.CARVE_AT]! as ItemRef;
    u32[record + SlabWord.CARVE_AT] = chunk + this.#classes.chunkBytes[clsid]! / UNIT_BYTES;
    u32[record + SlabWord.CARVE_LEFT]! -= 1;
    return chunk;
  }

  /**
   * Gives `clsid` a page. Beyond the limit a class without any page still gets its first one, so
   * that no size is impossible to store. Source: memcached slabs.c, do_slabs_newslab.
   */
  #openPageLocked(clsid: SlabClass, record: number): boolean {
    const { u32, regions } = this.#control;
    const pages = this.#pageRecord;

    this.#locks.lock(pages as LockIndex, LockRank.PAGE);
    const used = u32[pages + PageWord.USED]!;
    const limit = u32[record + SlabWord.PAGES] === 0
      ? regions.pages - 1
      : u32[pages + PageWord.LIMIT]!;
    const page = used < limit ? used + 1 : 0;
    if (page !== 0) {
      u32[pages + PageWord.USED] = page;
      u32[wordIndex(regions.pageOwnersAt) + page] = clsid;
    }
    this.#locks.unlock(pages as LockIndex, LockRank.PAGE);

    if (page === 0) return false;
    u32[record + SlabWord.PAGES]! += 1;
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
    setItemSlabbed(this.#items, chunk);
    if (this.#spare[clsid] === NO_ITEM && this.#classes.chunkBytes[clsid]! <= SPARE_BYTES_MAX) {
      this.#spare[clsid] = chunk;
      return;
    }
    this.#giveBack(chunk, clsid);
  }

  /** Gives back the chunks this thread keeps: before a check, or a move of pages. Takes: slab. */
  dropSpares(): void {
    this.#spare.forEach((chunk, clsid) => {
      if (chunk !== NO_ITEM) this.#giveBack(chunk as ItemRef, clsid as SlabClass);
    });
    this.#spare.fill(NO_ITEM);
  }

  /** @hot */
  #giveBack(chunk: ItemRef, clsid: SlabClass): void {
    const { u32 } = this.#control;
    const record = this.#record(clsid);

    this.#locks.lock(record as LockIndex, LockRank.SLAB);
    setItemNext(this.#items, chunk, u32[record + SlabWord.FREE_HEAD]! as ItemRef);
    u32[record + SlabWord.FREE_HEAD] = chunk;
    u32[record + SlabWord.FREE_COUNT]! += 1;
    this.#locks.unlock(record as LockIndex, LockRank.SLAB);
  }

  /** Reads a word of the record of `clsid`; see {@linkcode SlabWord}. */
  word(clsid: SlabClass, word: number): number {
    return loadWord(this.#control.u32, this.#record(clsid) + word);
  }

  /** Pages in use by all classes. */
  get pagesUsed(): number {
    return loadWord(this.#control.u32, this.#pageRecord + PageWord.USED);
  }

  /** The class that owns `page`, 1..{@linkcode pagesUsed}. */
  ownerOf(page: number): SlabClass {
    return loadWord(
      this.#control.u32,
      wordIndex(this.#control.regions.pageOwnersAt) + page,
    ) as SlabClass;
  }
}
