// Goal: digits become numbers and back, exactly, and nothing else becomes a number.

import { assertAlmostEquals, assertEquals } from "@std/assert";
import { ascii, latin1 } from "./ascii.ts";
import { NOT_A_NUMBER, parseInt64, parseUint, writeUint } from "./decimal.ts";
import { Prng } from "./prng.ts";

const SAFE = Number.MAX_SAFE_INTEGER;

const UINTS: readonly (readonly [text: string, max: number, value: number])[] = [
  ["0", 0, 0],
  ["1", 0, NOT_A_NUMBER],
  ["00", 9, 0],
  ["+5", 9, 5],
  ["9", 9, 9],
  ["10", 9, NOT_A_NUMBER],
  ["4294967295", 0xffffffff, 0xffffffff],
  ["4294967296", 0xffffffff, NOT_A_NUMBER],
  ["9007199254740991", SAFE, SAFE],
  ["9007199254740992", SAFE, NOT_A_NUMBER],
  ["99999999999999999999999999", SAFE, NOT_A_NUMBER],
  ["", 9, NOT_A_NUMBER],
  ["+", 9, NOT_A_NUMBER],
  ["++1", 9, NOT_A_NUMBER],
  ["-1", 9, NOT_A_NUMBER],
  ["-0", 9, NOT_A_NUMBER],
  ["1-", 9, NOT_A_NUMBER],
  ["1 ", 9, NOT_A_NUMBER],
  [" 1", 9, NOT_A_NUMBER],
  ["1.0", 99, NOT_A_NUMBER],
  ["0x1", 99, NOT_A_NUMBER],
  ["1e3", 9999, NOT_A_NUMBER],
];

for (const [text, max, value] of UINTS) {
  Deno.test(`parseUint() makes "${text}" up to ${max} ${value}`, () => {
    const bytes = ascii(`9${text}9`); // Digits beside the range do not count.
    assertEquals(parseUint(bytes, 1, 1 + text.length, max), value);
  });
}

const INT64S: readonly (readonly [text: string, value: number])[] = [
  ["0", 0],
  ["-0", -0],
  ["+7", 7],
  ["-7", -7],
  ["2147483648", 2 ** 31],
  ["-2147483648", -(2 ** 31)],
  ["9007199254740991", SAFE],
  ["-9007199254740991", -SAFE],
  ["4611686018427387904", 2 ** 62],
  // The largest that 64 bits hold, and one more below. Source: memcached util.c, safe_strtoll.
  ["9223372036854775807", 2 ** 63],
  ["-9223372036854775808", -(2 ** 63)],
  ["0000000000000000000009223372036854775807", 2 ** 63],
  ["9223372036854775808", NOT_A_NUMBER],
  ["-9223372036854775809", NOT_A_NUMBER],
  ["18446744073709551616", NOT_A_NUMBER],
  ["-18446744073709551616", NOT_A_NUMBER],
  ["99999999999999999999999999", NOT_A_NUMBER],
  ["", NOT_A_NUMBER],
  ["-", NOT_A_NUMBER],
  ["+", NOT_A_NUMBER],
  ["--1", NOT_A_NUMBER],
  ["+-1", NOT_A_NUMBER],
  ["1-", NOT_A_NUMBER],
  ["1a", NOT_A_NUMBER],
  ["1.5", NOT_A_NUMBER],
];

for (const [text, value] of INT64S) {
  Deno.test(`parseInt64() makes "${text}" ${value}`, () => {
    const bytes = ascii(`9${text}9`);
    const parsed = parseInt64(bytes, 1, 1 + text.length);
    // Digit by digit the rounding adds up.
    if (Math.abs(value) > SAFE) assertAlmostEquals(parsed, value, 4096);
    else assertEquals(parsed, value);
  });
}

/** Every power of two and of ten with its neighbours, then random numbers of every length. */
function* numbers(): Generator<number> {
  for (let power = 1; power <= SAFE; power *= 2) yield* [power - 1, power, power + 1];
  for (let power = 1; power <= SAFE; power *= 10) yield* [power - 1, power, power + 1];
  const prng = new Prng(53);
  for (let n = 0; n < 5000; n++) {
    yield Math.floor((prng.next() * 2 ** 21 + prng.below(2 ** 21)) / 2 ** prng.below(53));
  }
}

Deno.test("writeUint() and the parsers are each other's reverse", () => {
  const bytes = new Uint8Array(24);
  for (const number of numbers()) {
    if (number > SAFE) continue;
    bytes.fill(0x2e);
    const end = writeUint(bytes, 2, number);
    assertEquals(latin1(bytes), `..${number}`.padEnd(bytes.length, "."));
    assertEquals(end, 2 + String(number).length);
    assertEquals(parseUint(bytes, 2, end, SAFE), number);
    assertEquals(parseInt64(bytes, 2, end), number);
  }
});
