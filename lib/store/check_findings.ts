// What a check has met of a store, and which rules it found broken: table, lists, slabs and gauges
// are compared with each other through it.

import { itemPosition, type ItemRef } from "./item/item.ts";
import { RefSet } from "./item/ref_set.ts";
import { PAGE_BYTES, type SlabClass } from "./slab/classes.ts";
import type { Store } from "./store.ts";
import { CLASSES_MAX } from "../stats/names.ts";

/** Clients may hold any number of chunks. */
export const ANY = -1;

/** What one check has found so far. */
export class CheckFindings {
  /** One line for each broken rule. */
  readonly problems: string[] = [];
  /** Items in the table. */
  readonly linked = new RefSet();
  /** Chunks of large items. */
  readonly parts = new RefSet();
  /** Items by the size that they count for, if they are counted. */
  readonly sizes = new Map<number, number>();
  /** By class: chunks that are part of a linked item. */
  readonly used = new Array<number>(CLASSES_MAX).fill(0);
  readonly store: Store;
  /** Chunks that are taken but not part of a linked item; {@linkcode ANY} on a running server. */
  readonly held: number;
  /** Bytes of all items. */
  bytes = 0;

  constructor(store: Store, held: number) {
    this.store = store;
    this.held = held;
  }

  /** Reports a broken rule. */
  broken(problem: string): void {
    this.problems.push(problem);
  }

  /** Counts `chunk` as part of a linked item. */
  use(chunk: ItemRef, clsid: SlabClass): void {
    this.used[clsid]! += 1;
    this.place(chunk, clsid);
  }

  /** An item starts at a chunk of a page that its class owns. */
  place(it: ItemRef, clsid: SlabClass): void {
    const { slabs, classes } = this.store;
    const position = itemPosition(it);
    const page = Math.floor(position / PAGE_BYTES);
    if (slabs.pages.ownerOf(page) !== clsid) {
      this.broken(`item ${it} is in a page of another class`);
    }
    const within = position % PAGE_BYTES;
    if (within % classes.chunkBytes[clsid]! !== 0) {
      this.broken(`item ${it} is not at a chunk's start`);
    }
  }
}
