// A small seeded generator for tests and sampling. Not for secrets.

/** Deterministic random numbers from one 32-bit seed. Source: Mulberry32, public domain. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next number, 0..2^32-1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number in `[0, below)`. */
  below(below: number): number {
    return Math.floor(this.next() / 0x100000000 * below);
  }

  /** One element of `list`, which is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}
