// How a page leaves its class: at once when nothing in it is used, else bit by bit.
//
//   takeUnopened, takeEmpty
//               an empty page: its free chunks, if any, are taken off the list
//   begin       a page that is used: its free chunks are parked, on no list, and so is what comes
//               back
//   end         all chunks are parked
//   cancel      a client keeps one in use: what was parked is free again
//
// The thread that took the page gives it to another class; meanwhile no class owns it. mover.ts
// empties pages.

import { CHECKS, fail } from "../../base/assert.ts";
import { UNIT_BYTES } from "../../memory/arena.ts";
import type { Control } from "../../memory/regions.ts";
import { ItemFlag, itemFlags, type ItemRef, type Items, setItemFlags } from "../item/item.ts";
import type { SlabClass, SlabClasses } from "./classes.ts";
import { NO_PAGE, type Pages } from "./pages.ts";
import { pageOf, type SlabRecords, SlabWord, UNITS_PER_PAGE } from "./record.ts";

/** One thread's way to take pages from classes. */
export class PageLeaving {
  readonly #control: Control;
  readonly #items: Items;
  readonly #classes: SlabClasses;
  readonly #records: SlabRecords;
  readonly #pages: Pages;
  /** Where the search for an empty page goes on. */
  #searchFrom = 0;

  constructor(
    control: Control,
    items: Items,
    classes: SlabClasses,
    records: SlabRecords,
    pages: Pages,
  ) {
    this.#control = control;
    this.#items = items;
    this.#classes = classes;
    this.#records = records;
    this.#pages = pages;
  }

  /**
   * Takes a page that `clsid` was handed and has not opened. Takes: slab, page.
   *
   * @returns The page, which no class owns then; {@linkcode NO_PAGE} if there is none, or if it is
   * the only page of the class.
   */
  takeUnopened(clsid: SlabClass): number {
    const { u32 } = this.#control;
    const record = this.#records.of(clsid);
    let page = NO_PAGE;

    this.#records.lock(record);
    if (this.#records.stayingLocked(record) > 1) page = u32[record + SlabWord.UNOPENED_HEAD]!;
    if (page !== NO_PAGE) {
      u32[record + SlabWord.UNOPENED_HEAD] = this.#pages.link(page);
      u32[record + SlabWord.UNOPENED_COUNT]! -= 1;
      this.#records.countPagesLocked(record, -1, 0);
      this.#pages.handOver(page, 0);
    }
    this.#records.unlock(record);

    return page;
  }

  /**
   * Takes an empty page of `clsid`. Takes: slab, page.
   *
   * @param kept Pages that the class keeps at least.
   * @returns The page, which no class owns then, or {@linkcode NO_PAGE}.
   */
  takeEmpty(clsid: SlabClass, kept: number): number {
    const { u32 } = this.#control;
    const record = this.#records.of(clsid);
    let page = NO_PAGE;

    this.#records.lock(record);
    if (u32[record + SlabWord.EMPTY]! > 0 && this.#records.stayingLocked(record) > kept) {
      page = this.#findEmptyLocked(clsid, record);
      this.#unlinkFreeLocked(page, clsid, record);
      this.#records.countPagesLocked(record, -1, -1);
      this.#pages.handOver(page, 0);
    }
    this.#records.unlock(record);

    return page;
  }

  /** An empty page of `clsid`, which there is. */
  #findEmptyLocked(clsid: SlabClass, record: number): number {
    if (CHECKS) this.#records.assertHeld(record);
    const moving = this.#control.u32[record + SlabWord.MOVING];
    const count = this.#pages.used;
    for (let step = 0; step < count; step++) {
      const page = (this.#searchFrom + step) % count + 1;
      if (this.#records.usedLocked(page) > 0 || this.#pages.ownerOf(page) !== clsid) continue;
      if (page === moving || this.#isUnopenedLocked(page, record)) continue;
      this.#searchFrom = page;
      return page;
    }
    return fail("An empty page is counted and not there");
  }

  #isUnopenedLocked(page: number, record: number): boolean {
    if (CHECKS) this.#records.assertHeld(record);
    let other = this.#control.u32[record + SlabWord.UNOPENED_HEAD]!;
    while (other !== NO_PAGE && other !== page) other = this.#pages.link(other);
    return other === page;
  }

  /**
   * Takes the free chunks of an opened page off the list, and ends its being cut up.
   *
   * @returns How many there are, those that were never used too.
   */
  #unlinkFreeLocked(page: number, clsid: SlabClass, record: number): number {
    if (CHECKS) this.#records.assertHeld(record);
    const { u32 } = this.#control;
    const chunkUnits = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;
    const carveAt = u32[record + SlabWord.CARVE_AT]!;
    const isOpen = u32[record + SlabWord.CARVE_LEFT]! > 0 && pageOf(carveAt as ItemRef) === page;
    if (isOpen) u32[record + SlabWord.CARVE_LEFT] = 0;
    let free = 0;
    for (let index = 0; index < this.#classes.perPage[clsid]!; index++) {
      const chunk = page * UNITS_PER_PAGE + index * chunkUnits as ItemRef;
      if (isOpen && chunk >= carveAt) setItemFlags(this.#items, chunk, ItemFlag.SLABBED);
      else if (this.isSlabbed(chunk)) this.#records.unlinkLocked(record, chunk);
      else continue;
      free++;
    }
    return free;
  }

  /**
   * Begins to move `page` away from `clsid`, which it seemed to be a page of. Takes: slab.
   *
   * @returns false when it is not, or can be had by {@linkcode takeEmpty}, or is the last one, or
   * another page of the class moves.
   */
  begin(page: number, clsid: SlabClass): boolean {
    const { u32 } = this.#control;
    const record = this.#records.of(clsid);

    this.#records.lock(record);
    const begins = u32[record + SlabWord.MOVING] === NO_PAGE &&
      this.#pages.ownerOf(page) === clsid && this.#records.usedLocked(page) > 0 &&
      u32[record + SlabWord.PAGES]! > 1;
    if (begins) {
      u32[record + SlabWord.PARKED] = this.#unlinkFreeLocked(page, clsid, record);
      this.#records.setMovingLocked(record, page);
    }
    this.#records.unlock(record);

    return begins;
  }

  /** Whether a class has `chunk` back. In a page that moves, that does not change any more. */
  isSlabbed(chunk: ItemRef): boolean {
    return (itemFlags(this.#items, chunk) & ItemFlag.SLABBED) !== 0;
  }

  /**
   * Ends the move of `page` away from `clsid` if all its chunks are parked: no class owns it then,
   * and the caller disposes of it. Takes: slab, page.
   *
   * @returns Whether the move has ended by this call.
   */
  end(clsid: SlabClass, page: number): boolean {
    const { u32 } = this.#control;
    const record = this.#records.of(clsid);

    this.#records.lock(record);
    const done = u32[record + SlabWord.MOVING] === page &&
      u32[record + SlabWord.PARKED] === this.#classes.perPage[clsid];
    if (done) {
      this.#pages.handOver(page, 0);
      this.#records.setMovingLocked(record, NO_PAGE);
      u32[record + SlabWord.PARKED] = 0;
      this.#records.countPagesLocked(record, -1, 0);
    }
    this.#records.unlock(record);

    return done;
  }

  /** Gives up the move of `page`, if it moves: its free chunks can be had again. Takes: slab. */
  cancel(clsid: SlabClass, page: number): void {
    const { u32 } = this.#control;
    const record = this.#records.of(clsid);
    const chunkUnits = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;

    this.#records.lock(record);
    if (u32[record + SlabWord.MOVING] === page) {
      for (let index = 0; index < this.#classes.perPage[clsid]!; index++) {
        const chunk = page * UNITS_PER_PAGE + index * chunkUnits as ItemRef;
        if (this.isSlabbed(chunk)) this.#records.linkLocked(record, chunk);
      }
      this.#records.setMovingLocked(record, NO_PAGE);
      if (this.#records.usedLocked(page) === 0) this.#records.countPagesLocked(record, 0, 1);
      u32[record + SlabWord.PARKED] = 0;
    }
    this.#records.unlock(record);
  }
}
