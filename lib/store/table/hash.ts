// The hash of a key. Keyed with 64 random bits at each start, so that no client can choose keys
// that fall into one bucket: HalfSipHash-1-3, the 32-bit form of the function that Linux and Python
// protect their tables with. (murmur3 and xxHash have collisions that hold for every seed.)
// Source: Aumasson and Bernstein, SipHash reference code, halfsiphash.c (public domain).

import type { Block } from "../../base/block.ts";

const V2_INIT = 0x6c796765;
const V3_INIT = 0x74656462;
const FINAL = 0xff;

/** Bits of a hash that are kept: numbers this small are never boxed by V8. */
export const HASH_BITS = 30;

/** Two random 32-bit words; the same in all threads of a server. */
export interface HashKey {
  readonly k0: number;
  readonly k1: number;
}

/** Draws a key for this run. */
export function randomHashKey(): HashKey {
  const words = crypto.getRandomValues(new Int32Array(2));
  return { k0: words[0]!, k1: words[1]! };
}

/**
 * Hashes `block[from, to)`. Costs about 20 ns for a key of 16 bytes (scripts/bench/micro).
 *
 * @returns 0..2^30-1, every bit as good as any other.
 * @hot
 */
export function hashKey(key: HashKey, block: Block, from: number, to: number): number {
  const { view, bytes } = block;
  let v0 = key.k0 | 0;
  let v1 = key.k1 | 0;
  let v2 = V2_INIT ^ v0;
  let v3 = V3_INIT ^ v1;
  let word = 0;
  let at = from;
  // Whole words, then one with the rest and the length in its top byte, then the final rounds.
  for (let rounds = ((to - from) >>> 2) + 4; rounds > 0; rounds--) {
    if (rounds > 4) {
      word = view.getInt32(at, true);
      at += 4;
    } else if (rounds === 4) {
      word = (to - from) << 24;
      if (at + 2 < to) word |= bytes[at + 2]! << 16;
      if (at + 1 < to) word |= bytes[at + 1]! << 8;
      if (at < to) word |= bytes[at]!;
    } else if (rounds === 3) {
      word = 0;
      v2 ^= FINAL;
    }
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = (v1 << 5) | (v1 >>> 27);
    v1 ^= v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = (v3 << 8) | (v3 >>> 24);
    v3 ^= v2;
    v0 = (v0 + v3) | 0;
    v3 = (v3 << 7) | (v3 >>> 25);
    v3 ^= v0;
    v2 = (v2 + v1) | 0;
    v1 = (v1 << 13) | (v1 >>> 19);
    v1 ^= v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return (v1 ^ v3) >>> (32 - HASH_BITS);
}
