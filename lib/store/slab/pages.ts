// Pages: which class owns each one, which are in the global pool, which were given back.
//
//   fresh ──► class ──► pool ──► class …          a page of the pool may go to any class
//                        └──► given back ──► class   while more are in use than the limit allows
//
// Page 0 is never used, so that no item has reference 0. Lists of pages go through a word of each
// page. All is read and written under the page lock, except for what one class owns, and the number
// of surplus pages, which record.ts keeps.
// Source: memcached memcached.h, SLAB_GLOBAL_PAGE_POOL; slabs.c, memory_release.

import { assert, CHECKS } from "../../base/assert.ts";
import { loadWord, storeWord } from "../../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../../memory/lock.ts";
import { type Control, type Regions, wordIndex } from "../../memory/regions.ts";
import type { SlabClass } from "./classes.ts";

/** Words of the record of all pages. */
const PageWord = {
  LOCK: 0,
  /** Pages ever used: the highest one. */
  USED: 1,
  /** Pages that may be in use. */
  LIMIT: 2,
  /** First page of the pool, and how many there are. */
  POOL_HEAD: 3,
  POOL_COUNT: 4,
  /** First page whose memory was given back to the system, and how many there are. */
  RETURNED_HEAD: 5,
  RETURNED_COUNT: 6,
  /** 1 while pages are to be taken from classes because the limit was lowered. */
  SHRINKING: 7,
  /** Empty pages that their classes can miss. */
  SURPLUS: 8,
  /** Pages that may be in use beyond the limit: first ones of classes. */
  EXCESS: 9,
  /** First pages beyond the limit for which another class was to give one up. */
  REPAID: 10,
} as const;

/** No page. */
export const NO_PAGE = 0;

/** The word that holds how many empty pages all classes can miss together. */
export function surplusWord({ pagesAt }: Regions): number {
  return wordIndex(pagesAt) + PageWord.SURPLUS;
}

/** One thread's way to the pages. */
export class Pages {
  readonly #control: Control;
  readonly #locks: Locks;
  readonly #record: number;
  readonly #owners: number;
  readonly #links: number;

  constructor(control: Control, locks: Locks) {
    this.#control = control;
    this.#locks = locks;
    this.#record = wordIndex(control.regions.pagesAt);
    this.#owners = wordIndex(control.regions.pageOwnersAt);
    this.#links = wordIndex(control.regions.pageLinksAt);
  }

  #lock(): void {
    this.#locks.lock(this.#record as LockIndex, LockRank.PAGE);
  }

  #unlock(): void {
    this.#locks.unlock(this.#record as LockIndex, LockRank.PAGE);
  }

  #assertHeld(): void {
    assert(this.#locks.holds(this.#record as LockIndex, LockRank.PAGE), "Pages are not held");
  }

  #word(word: number): number {
    return loadWord(this.#control.u32, this.#record + word);
  }

  #set(word: number, value: number): void {
    storeWord(this.#control.u32, this.#record + word, value);
  }

  #pushLocked(head: number, count: number, page: number): void {
    if (CHECKS) this.#assertHeld();
    assert(page !== this.#word(head), "Page is on its list already");
    this.setLink(page, this.#word(head));
    this.#set(head, page);
    this.#set(count, this.#word(count) + 1);
  }

  #popLocked(head: number, count: number): number {
    if (CHECKS) this.#assertHeld();
    const page = this.#word(head);
    if (page === NO_PAGE) return NO_PAGE;
    this.#set(head, this.link(page));
    this.#set(count, this.#word(count) - 1);
    return page;
  }

  /**
   * Gives `clsid` a page: one of the pool, one that was given back, or one never used.
   *
   * @param beyondLimit Whether it may be one more than the limit.
   * @returns The page, or {@linkcode NO_PAGE}. Takes: page.
   */
  take(clsid: SlabClass, beyondLimit: boolean): number {
    this.#lock();
    const page = this.#takeLocked(beyondLimit);
    if (page !== NO_PAGE) this.#setOwnerLocked(page, clsid);
    this.#unlock();

    return page;
  }

  #takeLocked(beyondLimit: boolean): number {
    if (CHECKS) this.#assertHeld();
    if (!beyondLimit && this.inUse > this.limit) return NO_PAGE; // The pool is being given back.
    const pooled = this.#popLocked(PageWord.POOL_HEAD, PageWord.POOL_COUNT);
    if (pooled !== NO_PAGE) return pooled;
    if (!beyondLimit && this.inUse >= this.limit) return NO_PAGE;
    const returned = this.#popLocked(PageWord.RETURNED_HEAD, PageWord.RETURNED_COUNT);
    if (returned !== NO_PAGE) return returned;
    const used = this.used;
    if (used + 1 >= this.#control.regions.pages) return NO_PAGE;
    this.#set(PageWord.USED, used + 1);
    return used + 1;
  }

  /** Counts pages 1 to `count` as used. Before any thread uses the store. */
  setUsed(count: number): void {
    this.#set(PageWord.USED, count);
    this.#set(PageWord.EXCESS, Math.max(0, count - this.limit));
  }

  /**
   * Notes that a class has taken its first page beyond the limit. Takes: page.
   *
   * memcached, which has no classes in between, would come to its limit later by the pages that
   * those have: for as many first pages another page is to be given up.
   *
   * @param between Classes in between that have a page.
   * @returns Whether a class is to give one up.
   */
  noteExceeded(between: number): boolean {
    this.#lock();
    const isOver = this.inUse > this.limit + this.#word(PageWord.EXCESS);
    const repays = isOver && this.#word(PageWord.REPAID) < between;
    const word = repays ? PageWord.REPAID : PageWord.EXCESS;
    if (isOver) this.#set(word, this.#word(word) + 1);
    if (repays) this.#set(PageWord.SHRINKING, 1);
    this.#unlock();

    return repays;
  }

  /** Takes a page that no class owns any more into the pool. Takes: page. */
  give(page: number): void {
    this.#lock();
    this.#setOwnerLocked(page, 0);
    this.#pushLocked(PageWord.POOL_HEAD, PageWord.POOL_COUNT, page);
    this.#unlock();
  }

  /** Sets the class that owns `page`; 0 for none. Takes: page. */
  handOver(page: number, clsid: SlabClass | 0): void {
    this.#lock();
    this.#setOwnerLocked(page, clsid);
    this.#unlock();
  }

  /** Takes a page out of the pool: no class owns it. {@linkcode NO_PAGE} if empty. Takes: page. */
  takeFromPool(): number {
    this.#lock();
    const page = this.#popLocked(PageWord.POOL_HEAD, PageWord.POOL_COUNT);
    this.#unlock();

    return page;
  }

  /**
   * Gives the memory of one page of the pool back to the system, if more are in use than may be.
   *
   * @param discard Lets go of a page's memory. Takes: page.
   * @returns Whether a page was given back.
   */
  returnOne(discard: (page: number) => void): boolean {
    if (this.inUse <= this.limit) return false;
    const page = this.takeFromPool();
    if (page === NO_PAGE) return false;
    discard(page);
    this.#lock();
    this.#pushLocked(PageWord.RETURNED_HEAD, PageWord.RETURNED_COUNT, page);
    this.#set(PageWord.EXCESS, Math.min(this.#word(PageWord.EXCESS), this.inUse - this.limit));
    this.#unlock();

    return true;
  }

  /**
   * Sets how many pages may be in use. With fewer than are, pages are to be taken from classes; see
   * {@linkcode isShrinking}. Takes: page.
   */
  setLimit(pages: number): void {
    this.#lock();
    const raised = pages - this.limit;
    const excess = raised < 0 ? 0 : Math.max(0, this.#word(PageWord.EXCESS) - raised);
    this.#set(PageWord.LIMIT, pages);
    this.#set(PageWord.EXCESS, excess);
    this.#set(PageWord.SHRINKING, this.inUse > pages + excess ? 1 : 0);
    this.#unlock();
  }

  /** Asks classes to give up pages if more are in use than may be. */
  startShrinking(): void {
    if (this.inUse > this.limit + this.#word(PageWord.EXCESS)) this.#set(PageWord.SHRINKING, 1);
  }

  /** Whether classes are to give up pages until no more are in use than may be. */
  get isShrinking(): boolean {
    return this.#word(PageWord.SHRINKING) === 1 &&
      this.inUse - this.pooled > this.limit + this.#word(PageWord.EXCESS);
  }

  /** Ends the shrinking: no class can give up another page. */
  stopShrinking(): void {
    this.#set(PageWord.SHRINKING, 0);
  }

  /** Highest page that was ever used. */
  get used(): number {
    return this.#word(PageWord.USED);
  }

  /** Pages that classes own, or that are in the pool. */
  get inUse(): number {
    return this.used - this.#word(PageWord.RETURNED_COUNT);
  }

  /** Pages that may be in use. */
  get limit(): number {
    return this.#word(PageWord.LIMIT);
  }

  /** Whether a class can have one more page that no class owns. */
  get hasRoom(): boolean {
    const { inUse, limit } = this;
    return inUse < limit || (inUse === limit && this.pooled > 0);
  }

  /**
   * Empty pages that their classes can miss.
   * @hot
   */
  get surplus(): number {
    return this.#word(PageWord.SURPLUS);
  }

  /** Pages in the pool. */
  get pooled(): number {
    return this.#word(PageWord.POOL_COUNT);
  }

  /** The class that owns `page`, 1..{@linkcode used}; 0 for none. */
  ownerOf(page: number): SlabClass | 0 {
    return loadWord(this.#control.u32, this.#owners + page) as SlabClass;
  }

  #setOwnerLocked(page: number, clsid: SlabClass | 0): void {
    if (CHECKS) this.#assertHeld();
    assert(page > 0 && page <= this.used, "Page outside of those in use");
    assert(clsid === 0 || this.ownerOf(page) === 0, "Page of two classes");
    storeWord(this.#control.u32, this.#owners + page, clsid);
  }

  /** The page after `page` on its list. */
  link(page: number): number {
    return loadWord(this.#control.u32, this.#links + page);
  }

  /** Sets the page after `page` on its list. */
  setLink(page: number, next: number): void {
    storeWord(this.#control.u32, this.#links + page, next);
  }
}
