// Items of COLD that were read again and are to move to WARM: one ring for each worker, filled by
// that worker and emptied by the LRU maintainer, so that a hit takes no lock of a list.
//
//   end     written by the worker      both only grow; their low bits are places in the ring
//   start   written by the maintainer
//
// An item in a buffer is not held: it may be gone when the maintainer comes to it.
// Source: memcached items.c, lru_bump_async.

import { loadWord, storeWord } from "../../memory/atomic.ts";
import { type Control, LINE_BYTES, wordIndex } from "../../memory/regions.ts";
import { type ItemRef, NO_ITEM } from "../item/item.ts";

/** Items that one buffer holds; a power of two. Source: memcached items.c, LRU_BUMP_BUF_SIZE. */
export const BUMPS_PER_THREAD = 8192;
const PLACE_MASK = BUMPS_PER_THREAD - 1;
const WORDS_PER_LINE = LINE_BYTES / 4;

/** One buffer, as either of its two threads sees it. */
export class BumpBuffer {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #end: number;
  readonly #start: number;
  readonly #ring: number;

  /** @param thread The worker that fills it. */
  constructor({ u32, regions }: Control, thread: number) {
    this.#u32 = u32;
    this.#end = wordIndex(regions.bumpsAt + thread * regions.bumpStride);
    this.#start = this.#end + WORDS_PER_LINE;
    this.#ring = this.#start + WORDS_PER_LINE;
  }

  /**
   * Adds `it`. For the worker.
   *
   * @returns false when the buffer is full.
   * @hot
   */
  push(it: ItemRef): boolean {
    const end = this.#u32[this.#end]!;
    if (((end - loadWord(this.#u32, this.#start)) >>> 0) >= BUMPS_PER_THREAD) return false;
    this.#u32[this.#ring + (end & PLACE_MASK)] = it;
    storeWord(this.#u32, this.#end, (end + 1) >>> 0);
    return true;
  }

  /** Takes the oldest item; {@linkcode NO_ITEM} when there is none. For the maintainer. */
  shift(): ItemRef {
    const start = this.#u32[this.#start]!;
    if (start === loadWord(this.#u32, this.#end)) return NO_ITEM;
    const it = this.#u32[this.#ring + (start & PLACE_MASK)]! as ItemRef;
    storeWord(this.#u32, this.#start, (start + 1) >>> 0);
    return it;
  }
}
