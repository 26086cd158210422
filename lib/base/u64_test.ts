// Goal: two words behave as one 64-bit number. Method: BigInt as the model, on edges and at random.

import { assertEquals } from "@std/assert";
import { ascii, latin1 } from "./ascii.ts";
import { Prng } from "./prng.ts";
import { U64, U64_DIGITS_MAX } from "./u64.ts";

const VALUES = 2n ** 64n;
const MAX = VALUES - 1n;
const EDGES: readonly bigint[] = [
  0n,
  1n,
  9n,
  10n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 32n + 1n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  MAX - 2n ** 32n,
  MAX - 1n,
  MAX,
];

function of(value: bigint): U64 {
  const words = new U64();
  words.set(Number(value >> 32n), Number(value & 0xffffffffn));
  return words;
}

function toBigInt({ hi, lo }: U64): bigint {
  return BigInt(hi) << 32n | BigInt(lo);
}

/** Random numbers of every length in bits. */
function random(prng: Prng): bigint {
  return (BigInt(prng.next()) << 32n | BigInt(prng.next())) >> BigInt(prng.below(64));
}

/** All pairs of edges, then random ones. */
function* pairs(): Generator<readonly [bigint, bigint]> {
  for (const a of EDGES) for (const b of EDGES) yield [a, b];
  const prng = new Prng(64);
  for (let n = 0; n < 5000; n++) yield [random(prng), random(prng)];
}

Deno.test("U64.add() wraps at 2^64", () => {
  for (const [a, b] of pairs()) {
    const sum = of(a);
    sum.add(of(b));
    assertEquals(toBigInt(sum), (a + b) % VALUES, `${a} + ${b}`);
  }
});

Deno.test("U64.add() adds a number to itself", () => {
  for (const a of EDGES) {
    const sum = of(a);
    sum.add(sum);
    assertEquals(toBigInt(sum), a * 2n % VALUES);
  }
});

Deno.test("U64.subtractToZero() stops at 0", () => {
  for (const [a, b] of pairs()) {
    const rest = of(a);
    rest.subtractToZero(of(b));
    assertEquals(toBigInt(rest), a > b ? a - b : 0n, `${a} - ${b}`);
  }
});

Deno.test("U64.equals() and isZero() look at both words", () => {
  for (const [a, b] of pairs()) {
    assertEquals(of(a).equals(of(b)), a === b, `${a}, ${b}`);
    assertEquals(of(a).isZero, a === 0n);
  }
});

Deno.test("U64.push() appends a digit, or refuses what does not fit", () => {
  for (const [a] of pairs()) {
    for (const value of [a, a / 10n]) {
      for (const digit of [0, 5, 6, 9]) {
        const expected = value * 10n + BigInt(digit);
        const words = of(value);
        assertEquals(words.push(digit), expected <= MAX, `${value} then ${digit}`);
        if (expected <= MAX) assertEquals(toBigInt(words), expected);
      }
    }
  }
});

Deno.test("U64.write() and U64.parse() are each other's reverse", () => {
  const bytes = new Uint8Array(U64_DIGITS_MAX + 8);
  for (const [value] of pairs()) {
    bytes.fill(0x2e);
    const end = of(value).write(bytes, 3);
    const text = String(value);
    assertEquals(latin1(bytes), `...${text}`.padEnd(bytes.length, "."));
    assertEquals(end, 3 + text.length);
    const parsed = new U64();
    assertEquals(parsed.parse(bytes, 3, end), true);
    assertEquals(toBigInt(parsed), value);
  }
});

const TEXTS: readonly (readonly [text: string, value: bigint | undefined])[] = [
  ["", undefined],
  ["00", 0n],
  ["007", 7n],
  ["0000000000000000000000000000018446744073709551615", MAX],
  ["18446744073709551616", undefined],
  ["18446744073709551620", undefined],
  ["99999999999999999999", undefined],
  ["184467440737095516150", undefined],
  ["+1", undefined],
  ["-1", undefined],
  [" 1", undefined],
  ["1 ", undefined],
  ["1a", undefined],
  ["/", undefined],
  [":", undefined],
];

for (const [text, value] of TEXTS) {
  Deno.test(`U64.parse() ${value === undefined ? "refuses" : "reads"} "${text}"`, () => {
    const words = new U64();
    assertEquals(words.parse(ascii(text), 0, text.length), value !== undefined);
    if (value !== undefined) assertEquals(toBigInt(words), value);
  });
}
