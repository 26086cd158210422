// `stats sizes`: how many items there are of each size, in steps of 32 bytes. Only with
// `-o track_sizes`. The counts are shared, and added to atomically.
// Source: memcached items.c, item_stats_sizes_add.

import { addWord, loadWord } from "../../memory/atomic.ts";
import { type Control, wordIndex } from "../../memory/regions.ts";

/** Bytes of a step. */
export const SIZE_STEP_BYTES = 32;

/** Words that the counts take for items of up to `itemSizeMax` bytes. */
export function sizeCountWords(itemSizeMax: number): number {
  return Math.ceil(itemSizeMax / SIZE_STEP_BYTES) + 1;
}

/** One thread's way to the counts. */
export class SizeCounts {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #from: number;
  readonly #steps: number;

  constructor({ u32, regions }: Control) {
    this.#u32 = u32;
    this.#from = wordIndex(regions.itemSizesAt);
    this.#steps = regions.itemSizes;
  }

  /** Whether sizes are counted. */
  get areTracked(): boolean {
    return this.#steps > 0;
  }

  /**
   * Counts an item of `bytes` bytes more, or with -1 less.
   * @hot
   */
  add(bytes: number, count: 1 | -1): void {
    if (this.#steps === 0) return;
    addWord(this.#u32, this.#from + Math.ceil(bytes / SIZE_STEP_BYTES), count);
  }

  /** The sizes there are, each rounded up to a step, with the number of items. */
  *entries(): Generator<readonly [bytes: number, count: number]> {
    for (let step = 0; step < this.#steps; step++) {
      const count = loadWord(this.#u32, this.#from + step);
      if (count > 0) yield [step * SIZE_STEP_BYTES, count];
    }
  }
}
