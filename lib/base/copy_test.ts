// Goal: the kernels copy and compare every byte of the range, and no other.

import { assertEquals } from "@std/assert";
import { Block } from "./block.ts";
import { copyBytes, equalBytes, viewOf } from "./copy.ts";
import { Prng } from "./prng.ts";

const LENGTHS_MAX = 200;
const ROOM = 8;

function randomBytes(prng: Prng, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => prng.below(256));
}

/** Positions of both ranges, so that words are misaligned in every way that matters. */
const OFFSETS: readonly (readonly [from: number, to: number])[] = [
  [0, 0],
  [1, 0],
  [0, 1],
  [3, 5],
  [7, 4],
  [4, 8],
];

Deno.test("copyBytes() copies ranges of every length between any positions", () => {
  const prng = new Prng(200);
  for (let length = 0; length <= LENGTHS_MAX; length++) {
    for (const [from, to] of OFFSETS) {
      const source = Block.of(randomBytes(prng, from + length + ROOM));
      const target = Block.of(randomBytes(prng, to + length + ROOM));
      const expected = target.bytes.slice();
      for (let i = 0; i < length; i++) expected[to + i] = source.bytes[from + i]!;
      copyBytes(source, from, target, to, length);
      assertEquals(target.bytes, expected, `${length} bytes from ${from} to ${to}`);
    }
  }
});

Deno.test("copyBytes() reaches the last byte of both blocks", () => {
  for (const length of [1, 4, 7, 8, 15, 16, 160, 161, 5000]) {
    const source = Block.of(randomBytes(new Prng(length), length));
    const target = new Block(new ArrayBuffer(length));
    copyBytes(source, 0, target, 0, length);
    assertEquals(target.bytes, source.bytes);
  }
});

// As doubles these are NaNs of many kinds, denormals and -0: a copy by way of numbers loses bits.
const PATTERNS: readonly bigint[] = [
  0x7ff8000000000000n,
  0x7ff0000000000001n,
  0x7ff7ffffffffffffn,
  0xfff8000000000123n,
  0xffffffffffffffffn,
  0x8000000000000000n,
  0x0000000000000001n,
  0x7fc000017f800001n,
];

Deno.test("copyBytes() keeps bit patterns that are no numbers", () => {
  const source = new Block(new ArrayBuffer(8 * PATTERNS.length));
  PATTERNS.forEach((pattern, index) => source.view.setBigUint64(8 * index, pattern, true));
  for (let count = 0; count <= source.bytes.length; count++) {
    const target = new Block(new ArrayBuffer(source.bytes.length));
    copyBytes(source, 0, target, 0, count);
    assertEquals(target.bytes.subarray(0, count), source.bytes.subarray(0, count));
  }
});

Deno.test("equalBytes() notices any byte that differs, and none outside the range", () => {
  const prng = new Prng(201);
  for (let length = 0; length <= LENGTHS_MAX; length++) {
    const [from, to] = prng.pick(OFFSETS);
    const bytes = randomBytes(prng, length);
    const a = Block.of(randomBytes(prng, from + length + ROOM));
    const b = Block.of(randomBytes(prng, to + length + ROOM));
    a.bytes.set(bytes, from);
    b.bytes.set(bytes, to);
    a.bytes[from + length]! ^= 1;
    if (from > 0) a.bytes[from - 1]! ^= 1;
    assertEquals(equalBytes(a, from, b, to, length), true, `${length} bytes`);
    for (let at = 0; at < length; at++) {
      a.bytes[from + at]! ^= 1 << (at & 7);
      assertEquals(equalBytes(a, from, b, to, length), false, `byte ${at} of ${length}`);
      a.bytes[from + at]! ^= 1 << (at & 7);
    }
  }
});

Deno.test("viewOf() is the same memory", () => {
  const bytes = new Uint8Array(10);
  viewOf(bytes, 3, 7).fill(1);
  assertEquals([...bytes], [0, 0, 0, 1, 1, 1, 1, 0, 0, 0]);
});
