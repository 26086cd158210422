// The rules of pages and chunks: what the free lists and the items have is all that there is.

import { ItemFlag, itemFlags, itemNext, itemPrev, type ItemRef, NO_ITEM } from "./item/item.ts";
import type { SlabClass } from "./slab/classes.ts";
import { NO_PAGE } from "./slab/pages.ts";
import { pageOf, SlabWord } from "./slab/record.ts";
import { CLASSES_MAX } from "../stats/names.ts";
import { ANY, type CheckFindings } from "./check_findings.ts";

/** The check of all pages, after that of the table: it needs to know the chunks of all items. */
export class SlabCheck {
  readonly #found: CheckFindings;
  /** By page: chunks on the free list of its class. */
  readonly #freeIn = new Map<number, number>();
  /** Empty pages that their classes can miss. */
  #surplus = 0;

  constructor(found: CheckFindings) {
    this.#found = found;
  }

  /** Free, used and never used chunks of a class are the chunks of its pages. */
  check(): void {
    const { slabs, classes } = this.#found.store;
    const pages = new Array<number>(CLASSES_MAX).fill(0);
    for (let page = 1; page <= slabs.pages.used; page++) pages[slabs.pages.ownerOf(page)]! += 1;
    this.#pages(pages[0]!);
    let unlinked = 0;
    for (let id = 1; id <= classes.last; id++) {
      const clsid = id as SlabClass;
      const owned = slabs.word(clsid, SlabWord.PAGES);
      if (owned !== pages[id]) {
        this.#found.broken(`class ${id} counts ${owned} pages and owns ${pages[id]}`);
      }
      const onList = this.#freeChunks(clsid);
      const counted = slabs.word(clsid, SlabWord.FREE_COUNT);
      if (onList !== counted) {
        this.#found.broken(`class ${id} has ${onList} free chunks and counts ${counted}`);
      }
      this.#usedChunks(clsid);
      const left = owned * classes.perPage[id]! - this.#found.used[id]! - slabs.freeChunks(clsid);
      if (left < 0) this.#found.broken(`class ${id} has ${-left} chunks more than its pages`);
      unlinked += left;
    }
    if (slabs.pages.surplus !== this.#surplus) {
      this.#found.broken(`${slabs.pages.surplus} surplus pages are counted of ${this.#surplus}`);
    }
    if (this.#found.held !== ANY && unlinked !== this.#found.held) {
      this.#found.broken(
        `${unlinked} chunks are neither free nor linked, ${this.#found.held} held`,
      );
    }
  }

  /** The chunks of a page that are neither free nor never used are its used ones. */
  #usedChunks(clsid: SlabClass): void {
    const { slabs, classes } = this.#found.store;
    const perPage = classes.perPage[clsid]!;
    const carveLeft = slabs.word(clsid, SlabWord.CARVE_LEFT);
    const open = carveLeft === 0
      ? NO_PAGE
      : pageOf(slabs.word(clsid, SlabWord.CARVE_AT) as ItemRef);
    const moving = slabs.word(clsid, SlabWord.MOVING);
    const unopened = new Set<number>();
    let page = slabs.word(clsid, SlabWord.UNOPENED_HEAD);
    for (; page !== NO_PAGE && !unopened.has(page); page = slabs.pages.link(page)) {
      unopened.add(page);
    }
    let empty = 0;
    for (page = 1; page <= slabs.pages.used; page++) {
      if (slabs.pages.ownerOf(page) !== clsid) continue;
      let free = this.#freeIn.get(page) ?? 0;
      if (page === open) free += carveLeft;
      if (page === moving) free += slabs.word(clsid, SlabWord.PARKED);
      if (unopened.has(page)) free = perPage;
      const used = slabs.usedChunks(page);
      if (used !== perPage - free) {
        this.#found.broken(`page ${page} counts ${used} used chunks of ${perPage - free}`);
      }
      if (used === 0 && page !== moving && !unopened.has(page)) empty++;
    }
    const counted = slabs.word(clsid, SlabWord.EMPTY);
    if (counted !== empty) {
      this.#found.broken(`class ${clsid} has ${empty} empty pages and counts ${counted}`);
    }
    const staying = slabs.word(clsid, SlabWord.PAGES) - (moving === NO_PAGE ? 0 : 1);
    this.#surplus += Math.max(0, Math.min(empty, staying - 1));
  }

  /** Pages that no class owns are in the pool or were given back. */
  #pages(unowned: number): void {
    const { slabs: { pages } } = this.#found.store;
    const spare = pages.pooled + pages.used - pages.inUse;
    if (unowned !== spare) this.#found.broken(`${unowned} pages without a class, ${spare} spare`);
  }

  #freeChunks(clsid: SlabClass): number {
    const { slabs, items } = this.#found.store;
    const count = slabs.word(clsid, SlabWord.FREE_COUNT);
    let chunk = slabs.word(clsid, SlabWord.FREE_HEAD) as ItemRef;
    let before: ItemRef = NO_ITEM;
    let walked = 0;
    while (chunk !== NO_ITEM && walked <= count) {
      if ((itemFlags(items, chunk) & ItemFlag.SLABBED) === 0) {
        this.#found.broken(`free chunk ${chunk} in use`);
      }
      if (this.#found.linked.has(chunk)) this.#found.broken(`item ${chunk} is on the free list`);
      if (this.#found.parts.has(chunk)) {
        this.#found.broken(`chunk ${chunk} of a value is on the free list`);
      }
      if (itemPrev(items, chunk) !== before) {
        this.#found.broken(`free chunk ${chunk} has another neighbour`);
      }
      before = chunk;
      this.#freeIn.set(pageOf(chunk), (this.#freeIn.get(pageOf(chunk)) ?? 0) + 1);
      this.#found.place(chunk, clsid);
      chunk = itemNext(items, chunk);
      walked++;
    }
    return walked;
  }
}
