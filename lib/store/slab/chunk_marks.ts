// Marks on chunks, for a walk through a store that is not at work yet: which places in item memory
// are chunks at all, by the classes that own their pages, and which of them a walk has met.

import { UNIT_BYTES } from "../../memory/arena.ts";
import type { ItemRef } from "../item/item.ts";
import { PAGE_BYTES, type SlabClasses } from "./classes.ts";

const UNITS_PER_PAGE = PAGE_BYTES / UNIT_BYTES;
const WORD_BITS = 32;

/** No chunk starts there. */
export const NO_CHUNK = -1;

/** A set of chunks. */
export class ChunkMarks {
  readonly #owners: Uint8Array;
  readonly #classes: SlabClasses;
  /** By page: a bit for each chunk; a page without marks has none. */
  readonly #pages: (Uint32Array | undefined)[] = [];

  /** @param owners By page, 0 included: its slab class, 0 for none. */
  constructor(owners: Uint8Array, classes: SlabClasses) {
    this.#owners = owners;
    this.#classes = classes;
  }

  /** The slab class of the chunk that starts at `ref`; {@linkcode NO_CHUNK} where none does. */
  classAt(ref: ItemRef): number {
    const clsid = this.#owners[Math.floor(ref / UNITS_PER_PAGE)] ?? 0;
    if (clsid === 0) return NO_CHUNK;
    const units = this.#classes.chunkBytes[clsid]! / UNIT_BYTES;
    const within = ref % UNITS_PER_PAGE;
    return within % units === 0 && within / units < this.#classes.perPage[clsid]!
      ? clsid
      : NO_CHUNK;
  }

  /** Marks the chunk that starts at `ref`; returns false if it was marked. */
  add(ref: ItemRef): boolean {
    const page = Math.floor(ref / UNITS_PER_PAGE);
    const clsid = this.#owners[page]!;
    const words = this.#pages[page] ??= new Uint32Array(
      Math.ceil(this.#classes.perPage[clsid]! / WORD_BITS),
    );
    const index = ref % UNITS_PER_PAGE / (this.#classes.chunkBytes[clsid]! / UNIT_BYTES);
    const bit = 1 << index % WORD_BITS;
    const at = Math.floor(index / WORD_BITS);
    if ((words[at]! & bit) !== 0) return false;
    words[at]! |= bit;
    return true;
  }

  /** Whether chunk number `index` of `page` is marked. */
  has(page: number, index: number): boolean {
    const words = this.#pages[page];
    return words !== undefined &&
      (words[Math.floor(index / WORD_BITS)]! & 1 << index % WORD_BITS) !== 0;
  }

  /** Whether any chunk of `page` is marked. */
  hasAnyIn(page: number): boolean {
    return this.#pages[page] !== undefined;
  }
}
