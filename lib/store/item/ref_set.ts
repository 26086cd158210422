// A set of items, as marks: one bit for each place at which an item can start, page by page, for a
// walk through millions of them.

import type { ItemRef } from "./item.ts";

/** Bits of a reference that are a place in a page of 1 MiB. */
const PLACE_BITS = 17;
const WORD_BITS = 5;
const WORDS_PER_PAGE = 2 ** (PLACE_BITS - WORD_BITS);

/** A set of items or chunks. */
export class RefSet {
  /** By page; a page without marks has none. */
  readonly #pages: (Uint32Array | undefined)[] = [];
  #size = 0;

  /** Members. */
  get size(): number {
    return this.#size;
  }

  /** Adds `it`; returns whether it is new. */
  add(it: ItemRef): boolean {
    const page = it >>> PLACE_BITS;
    const words = this.#pages[page] ??= new Uint32Array(WORDS_PER_PAGE);
    const at = (it >>> WORD_BITS) % WORDS_PER_PAGE;
    const bit = 1 << it % 32;
    if ((words[at]! & bit) !== 0) return false;
    words[at]! |= bit;
    this.#size++;
    return true;
  }

  /** Whether `it` is a member. */
  has(it: ItemRef): boolean {
    const words = this.#pages[it >>> PLACE_BITS];
    return words !== undefined &&
      (words[(it >>> WORD_BITS) % WORDS_PER_PAGE]! & 1 << it % 32) !== 0;
  }
}
