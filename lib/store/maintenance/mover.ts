// The page mover: empties a page of one slab class and gives it to another, or to the global pool.
//
//   begin   the page's free chunks are parked: no thread takes them any more
//   pass    each other chunk is rescued (rescue.ts); the next pass comes back for those in use
//   end     all chunks are parked: the page goes on. Or clients hold some for too long: it stays
//
// Source: memcached slabs.c, slab_rebalance_start, _move and _finish.

import { ClassCounter, CLASSES_MAX, Counter } from "../../stats/names.ts";
import { POOL } from "../control/requests.ts";
import type { ItemRef } from "../item/item.ts";
import { rescue } from "../room/rescue.ts";
import { SlabWord } from "../slab/record.ts";
import { NO_PAGE } from "../slab/pages.ts";
import { PAGE_BYTES, type SlabClass } from "../slab/classes.ts";
import type { Store } from "../store.ts";
import { UNIT_BYTES } from "../../memory/arena.ts";

/** Most chunks that one step looks at. */
const CHUNKS_PER_STEP = 200;
/**
 * Passes after which items that are held are unlinked, one each 2 ms: 1.6.18 waits 2.4 s, too.
 * Source: memcached slabs.c, SLAB_MOVE_MAX_LOOPS; the number is ours.
 */
export const GENTLE_PASSES = 1000;
/** Passes after which the page stays where it is. */
export const PASSES_MAX = GENTLE_PASSES + 200;

/** Pages that are tried for a move before it is given up. */
const START_TRIES_MAX = 3;

/** How a step ended. */
export const Moving = {
  /** No page is moving. */
  IDLE: 0,
  /** There is more to do at once. */
  ON: 1,
  /** What is left is in use: come back in a while. */
  WAITS: 2,
} as const;
export type Moving = typeof Moving[keyof typeof Moving];

/** One move at a time. */
export class SlabMover {
  readonly #store: Store;
  #page = NO_PAGE;
  #from = POOL;
  #to = POOL;
  #next = 0;
  #passes = 0;
  /** By class: evictions, since start, that made room for a page to move away. */
  readonly evicted = new Uint32Array(CLASSES_MAX);
  /** Where the next search for a page of a class begins, so that it finds each in turn. */
  #searchFrom = 1;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether a page is moving. */
  get isRunning(): boolean {
    return this.#page !== NO_PAGE;
  }

  /**
   * Begins to move a page of `from` to `to`; either may be {@linkcode POOL}. An empty page comes
   * first, and has moved when this returns. Takes: slab, page.
   *
   * @returns false when `from` has no page to give.
   */
  start(from: number, to: number): boolean {
    const { slabs } = this.#store;
    if (from === POOL) return this.#hand(slabs.pages.takeFromPool(), to);
    const clsid = from as SlabClass;
    slabs.takeBackSpares(clsid);
    for (let tries = 0; tries < START_TRIES_MAX; tries++) {
      const empty = slabs.leaving.takeUnopened(clsid) || slabs.leaving.takeEmpty(clsid, 1);
      if (empty !== NO_PAGE) return this.#hand(empty, to);
      const page = this.#findPage(clsid);
      if (page === NO_PAGE) return false;
      // Other threads change what was found; a command may take one itself, see room.ts.
      if (!slabs.leaving.begin(page, clsid)) continue;
      this.#page = page;
      this.#from = from;
      this.#to = to;
      this.#next = 0;
      this.#passes = 0;
      return true;
    }
    return false;
  }

  /** A page of `clsid`, which has more than one; another one at each call. */
  #findPage(clsid: SlabClass): number {
    const { slabs, slabs: { pages } } = this.#store;
    if (slabs.word(clsid, SlabWord.PAGES) < 2) return NO_PAGE;
    const count = pages.used;
    for (let step = 0; step < count; step++) {
      const page = (this.#searchFrom + step - 1) % count + 1;
      if (pages.ownerOf(page) !== clsid) continue;
      this.#searchFrom = page % count + 1;
      return page;
    }
    return NO_PAGE;
  }

  /** Gives a page that no class owns to `to`. */
  #hand(page: number, to: number): boolean {
    if (page === NO_PAGE) return false;
    const { slabs, counters } = this.#store;
    if (to === POOL) slabs.pages.give(page);
    else slabs.arriving.add(page, to as SlabClass);
    counters.add(Counter.SLABS_MOVED, 1);
    return true;
  }

  /** Works on the move for a while. Takes: bucket, LRU, slab, page. */
  step(): Moving {
    if (this.#page === NO_PAGE) return Moving.IDLE;
    const { classes, slabs } = this.#store;
    const clsid = this.#from as SlabClass;
    if (slabs.word(clsid, SlabWord.MOVING) !== this.#page) { // A command has ended it; see room.ts.
      this.#page = NO_PAGE;
      return Moving.IDLE;
    }
    const perPage = classes.perPage[clsid]!;
    const to = Math.min(this.#next + CHUNKS_PER_STEP, perPage);
    while (this.#next < to) this.#empty(clsid, this.#next++);
    if (this.#next < perPage) return Moving.ON;

    this.#next = 0;
    this.#passes++;
    this.#store.slabs.takeBackSpares(clsid);
    if (this.#store.slabs.leaving.end(clsid, this.#page)) {
      const page = this.#page;
      this.#page = NO_PAGE;
      this.#hand(page, this.#to);
      return Moving.IDLE;
    }
    const isMoving = this.#store.slabs.word(clsid, SlabWord.MOVING) === this.#page;
    if (isMoving && this.#passes < PASSES_MAX) return Moving.WAITS;
    this.cancel();
    return Moving.IDLE;
  }

  /** Leaves the page to its class. Takes: slab. */
  cancel(): void {
    if (this.#page === NO_PAGE) return;
    this.#store.slabs.leaving.cancel(this.#from as SlabClass, this.#page);
    this.#page = NO_PAGE;
  }

  /** Rescues what is in chunk `index` of the page. */
  #empty(clsid: SlabClass, index: number): void {
    const { classes, counters, slabs } = this.#store;
    const units = (this.#page * PAGE_BYTES + index * classes.chunkBytes[clsid]!) / UNIT_BYTES;
    const chunk = units as ItemRef;
    if (slabs.leaving.isSlabbed(chunk)) return;
    const count = (id: SlabClass): number => counters.ofClass(id, ClassCounter.EVICTIONS);
    const before = count(clsid);
    const largeBefore = count(classes.last);
    rescue(this.#store, clsid, chunk, this.#passes >= GENTLE_PASSES);
    this.evicted[clsid]! += count(clsid) - before;
    if (clsid !== classes.last) this.evicted[classes.last]! += count(classes.last) - largeBefore;
  }
}
