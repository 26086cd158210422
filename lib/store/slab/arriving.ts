// How a page comes to a class by another way than an allocation: the mover, a command or a restart
// brings it. The class opens an empty page once it has no free chunk left.

import { UNIT_BYTES } from "../../memory/arena.ts";
import type { Control } from "../../memory/regions.ts";
import { ItemFlag, type ItemRef, type Items, setItemFlags } from "../item/item.ts";
import type { ChunkMarks } from "./chunk_marks.ts";
import type { SlabClass, SlabClasses } from "./classes.ts";
import type { Pages } from "./pages.ts";
import { type SlabRecords, SlabWord, UNITS_PER_PAGE } from "./record.ts";

/** One thread's way to give pages to classes. */
export class PageArriving {
  readonly #control: Control;
  readonly #items: Items;
  readonly #classes: SlabClasses;
  readonly #records: SlabRecords;
  readonly #pages: Pages;

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

  /** Gives `page`, which no class owns and no list has, to `clsid`. Takes: slab, page. */
  add(page: number, clsid: SlabClass): void {
    const { u32 } = this.#control;
    const record = this.#records.of(clsid);

    this.#records.lock(record);
    this.#pages.handOver(page, clsid);
    this.#pages.setLink(page, u32[record + SlabWord.UNOPENED_HEAD]!);
    u32[record + SlabWord.UNOPENED_HEAD] = page;
    u32[record + SlabWord.UNOPENED_COUNT]! += 1;
    this.#records.countPagesLocked(record, 1, 0);
    this.#records.unlock(record);
  }

  /**
   * Gives `page` to `clsid` with what is in it: the chunks that `used` has are in use, the rest
   * is free. A page that holds nothing is not touched. Takes: slab, page.
   */
  adopt(page: number, clsid: SlabClass, used: ChunkMarks): void {
    if (!used.hasAnyIn(page)) return this.add(page, clsid);
    const record = this.#records.of(clsid);
    const chunkUnits = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;
    let inUse = 0;

    this.#records.lock(record);
    this.#pages.handOver(page, clsid);
    for (let index = this.#classes.perPage[clsid]! - 1; index >= 0; index--) {
      const chunk = page * UNITS_PER_PAGE + index * chunkUnits as ItemRef;
      if (used.has(page, index)) {
        inUse++;
        continue;
      }
      setItemFlags(this.#items, chunk, ItemFlag.SLABBED);
      this.#records.linkLocked(record, chunk);
    }
    this.#records.setUsed(page, inUse);
    this.#records.countPagesLocked(record, 1, 0);
    this.#records.unlock(record);
  }
}
