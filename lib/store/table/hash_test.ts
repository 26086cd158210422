// Goal: the hash is the upper bits of HalfSipHash-1-3 with 32 bits of output, and spreads keys
// evenly.
// Method: a second implementation, written from the paper with BigInt for every word and the rounds
// as parameters. It is itself held to vectors of the reference code, which exist for 2-4 only.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { Prng } from "../../base/prng.ts";
import { HASH_BITS, type HashKey, hashKey, randomHashKey } from "./hash.ts";

const WORD = 0xffffffffn;

function rotate(word: bigint, bits: bigint): bigint {
  return (word << bits | word >> 32n - bits) & WORD;
}

function sipRound(v: [bigint, bigint, bigint, bigint]): void {
  v[0] = v[0] + v[1] & WORD;
  v[1] = rotate(v[1], 5n) ^ v[0];
  v[0] = rotate(v[0], 16n);
  v[2] = v[2] + v[3] & WORD;
  v[3] = rotate(v[3], 8n) ^ v[2];
  v[0] = v[0] + v[3] & WORD;
  v[3] = rotate(v[3], 7n) ^ v[0];
  v[2] = v[2] + v[1] & WORD;
  v[1] = rotate(v[1], 13n) ^ v[2];
  v[2] = rotate(v[2], 16n);
}

/** HalfSipHash-c-d of `bytes` with 32 bits of output. */
function halfSipHash(key: HashKey, bytes: Uint8Array, c: number, d: number): number {
  const [k0, k1] = [BigInt(key.k0) & WORD, BigInt(key.k1) & WORD];
  const v: [bigint, bigint, bigint, bigint] = [k0, k1, 0x6c796765n ^ k0, 0x74656462n ^ k1];
  const padded = [...bytes];
  while (padded.length % 4 !== 3) padded.push(0);
  padded.push(bytes.length & 0xff);
  for (let at = 0; at < padded.length; at += 4) {
    const word = padded.slice(at, at + 4).reduceRight((sum, byte) => sum << 8n | BigInt(byte), 0n);
    v[3] ^= word;
    for (let round = 0; round < c; round++) sipRound(v);
    v[0] ^= word;
  }
  v[2] ^= 0xffn;
  for (let round = 0; round < d; round++) sipRound(v);
  return Number(v[1] ^ v[3]);
}

/** What hashKey() must be. */
function expectedHash(key: HashKey, bytes: Uint8Array): number {
  return halfSipHash(key, bytes, 1, 3) >>> (32 - HASH_BITS);
}

/** Key 00 01 … 07 as the reference code reads it. */
const REFERENCE_KEY: HashKey = { k0: 0x03020100, k1: 0x07060504 };

// Source: SipHash reference code, vectors.h, vectors_hsip32: messages (), (0), (0 1), …
const HSIP32_24 = [0x5b9f35a9, 0xb85a4727, 0x03a662fa, 0x04e7fe8a, 0x89466e2a, 0x69b6fac5];

Deno.test("halfSipHash() of this test agrees with the reference code", () => {
  const message = Uint8Array.from({ length: HSIP32_24.length }, (_, at) => at);
  const hashes = HSIP32_24.map((_, n) => halfSipHash(REFERENCE_KEY, message.subarray(0, n), 2, 4));
  assertEquals(hashes, HSIP32_24);
});

Deno.test("hashKey() is HalfSipHash-1-3 at every length and position", () => {
  const prng = new Prng(0x5eed);
  for (let length = 0; length <= 64; length++) {
    for (let from = 0; from < 5; from++) {
      const bytes = Uint8Array.from({ length: from + length + 4 }, () => prng.below(256));
      const key = { k0: prng.next() | 0, k1: prng.next() | 0 };
      const expected = expectedHash(key, bytes.slice(from, from + length));
      const actual = hashKey(key, Block.of(bytes), from, from + length);
      assertEquals(actual, expected, `length ${length} from ${from}`);
    }
  }
  for (const length of [127, 128, 249, 250]) {
    const bytes = Uint8Array.from({ length }, () => prng.below(256));
    const expected = expectedHash(REFERENCE_KEY, bytes);
    assertEquals(hashKey(REFERENCE_KEY, Block.of(bytes), 0, length), expected);
  }
});

Deno.test("hashKey() gives other hashes under another key", () => {
  const block = Block.of(ascii("some:key"));
  const hashes = new Set(
    Array.from({ length: 64 }, (_, k) => hashKey({ k0: k, k1: 0 }, block, 0, 8)),
  );
  assertEquals(hashes.size, 64);
});

Deno.test("randomHashKey() draws another key each time", () => {
  const keys = Array.from({ length: 8 }, () => JSON.stringify(randomHashKey()));
  assertEquals(new Set(keys).size, keys.length);
});

/** How far the counts are from even: about 1 for a fair draw, whatever the number of places. */
function unevenness(counts: readonly number[], draws: number): number {
  const mean = draws / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0) / counts.length;
}

Deno.test("hashKey() spreads keys evenly over the high and over the low bits", () => {
  const shards = new Array<number>(1024).fill(0);
  const buckets = new Array<number>(1024).fill(0);
  const keys = 50_000;
  for (let n = 0; n < keys; n++) {
    const block = Block.of(ascii(`user:${n}`));
    const hv = hashKey(REFERENCE_KEY, block, 0, block.bytes.length);
    shards[hv >>> (HASH_BITS - 10)]! += 1;
    buckets[hv & 1023]! += 1;
  }
  // Chi-squared over 1,023 degrees of freedom: beyond 1.3 one draw in a thousand million.
  assert(unevenness(shards, keys) < 1.3, `shards: ${unevenness(shards, keys)}`);
  assert(unevenness(buckets, keys) < 1.3, `buckets: ${unevenness(buckets, keys)}`);
});

Deno.test("hashKey() changes half of its bits when one bit of the key changes", () => {
  const bytes = ascii("avalanche:12345");
  const before = hashKey(REFERENCE_KEY, Block.of(bytes), 0, bytes.length);
  let changed = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const other = bytes.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    let difference = before ^ hashKey(REFERENCE_KEY, Block.of(other), 0, other.length);
    for (; difference !== 0; difference &= difference - 1) changed++;
  }
  const share = changed / (bytes.length * 8 * HASH_BITS);
  assert(share > 0.45 && share < 0.55, `share ${share}`);
});
