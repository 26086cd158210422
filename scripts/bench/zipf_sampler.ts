// Draws keys as a busy cache sees them: the key of rank k with a share of 1 / k^skew.
//
// The cumulated shares lie in a table; a draw is a random number looked up in it. All of it follows
// from a seed, so two servers can be asked for the same keys in the same order.

const WORD_COUNT = 2 ** 32;
const GOLDEN = 0x9e3779b9;

/** Value sizes of the mixed load, in bytes; each key has one of them for good. */
export const VALUE_SIZES: readonly number[] = [50, 100, 200, 500, 1000, 2000, 5000, 10_000];

/** Spreads a 32-bit number over 0..2^32-1. Source: MurmurHash3.cpp, fmix32 (public domain). */
function mix(word: number): number {
  let hash = word | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The size of the value of `key`, drawn by a hash so that it has nothing to do with the rank. */
export function valueBytesOf(key: number): number {
  return VALUE_SIZES[mix(key + GOLDEN) % VALUE_SIZES.length]!;
}

/** Keys 0, 1, 2 … from the most to the least wanted. */
export class ZipfSampler {
  /** Share of the draws that a key and all before it have. */
  readonly #shares: Float64Array;
  #state: number;

  constructor(keys: number, skew: number, seed: number) {
    const shares = new Float64Array(keys);
    let sum = 0;
    for (let key = 0; key < keys; key++) {
      sum += 1 / (key + 1) ** skew;
      shares[key] = sum;
    }
    this.#shares = shares.map((value) => value / sum);
    this.#state = mix(seed + 1);
  }

  /** Draws a key. */
  next(): number {
    this.#state = (this.#state + GOLDEN) >>> 0;
    const share = mix(this.#state) / WORD_COUNT;
    let from = 0;
    let to = this.#shares.length - 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#shares[middle]! > share) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}
