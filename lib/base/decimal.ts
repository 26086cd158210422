// Decimal numbers in command lines and replies: digits to number and back, no strings in between.

import { ascii, DIGIT_0, DIGIT_9, MINUS, PLUS } from "./ascii.ts";

/** What the parsers return for a token that is not a number they accept. */
export const NOT_A_NUMBER = NaN;

/** Below this every whole number fits in 64 bits with a sign, rounded or not. */
const INT64_SURE = 2 ** 62;
const INT64_MAX_DIGITS = ascii("9223372036854775807");
const INT64_MIN_DIGITS = ascii("9223372036854775808");

/**
 * Reads an unsigned decimal number from `bytes[from, to)`. One leading `+` is accepted, as strtoul
 * does.
 *
 * @param max Largest value accepted, at most 2^53 - 1.
 * @returns The value, or {@linkcode NOT_A_NUMBER} when the token is empty, has another character
 * than a digit, or exceeds `max`.
 * @hot
 */
export function parseUint(bytes: Uint8Array, from: number, to: number, max: number): number {
  let at = from;
  if (at < to && bytes[at] === PLUS) at++;
  if (at === to) return NOT_A_NUMBER;
  let value = 0;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte < DIGIT_0 || byte > DIGIT_9) return NOT_A_NUMBER;
    value = value * 10 + (byte - DIGIT_0);
    if (value > max) return NOT_A_NUMBER;
  }
  return value;
}

/**
 * Reads a signed decimal number from `bytes[from, to)`; one leading `+` or `-` is accepted.
 *
 * @returns The value, exact up to 2^53 and rounded above, or {@linkcode NOT_A_NUMBER} when the
 * token is empty, has another character than a digit after the sign, or exceeds 64 bits.
 * @hot
 */
export function parseInt64(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  const first = at < to ? bytes[at]! : 0;
  if (first === PLUS || first === MINUS) at++;
  if (at === to) return NOT_A_NUMBER;
  let value = 0;
  for (; at < to; at++) {
    const byte = bytes[at]!;
    if (byte < DIGIT_0 || byte > DIGIT_9) return NOT_A_NUMBER;
    value = value * 10 + (byte - DIGIT_0);
  }
  if (value >= INT64_SURE && !fitsInt64(bytes, from, to, first === MINUS)) return NOT_A_NUMBER;
  return first === MINUS ? -value : value;
}

/**
 * Whether the digits that end at `to` are at most 2^63 - 1, or 2^63 when negative. Digit by digit:
 * numbers of that size are rounded.
 */
function fitsInt64(bytes: Uint8Array, from: number, to: number, negative: boolean): boolean {
  const max = negative ? INT64_MIN_DIGITS : INT64_MAX_DIGITS;
  const start = to - max.length;
  if (start < from) return true;
  for (let at = from; at < start; at++) if (bytes[at]! > DIGIT_0) return false;
  for (let i = 0; i < max.length; i++) {
    if (bytes[start + i] !== max[i]) return bytes[start + i]! < max[i]!;
  }
  return true;
}

/**
 * Writes the decimal digits of `value` to `bytes` from `at`; the caller has checked the room.
 *
 * @param value A whole number, 0..2^53-1.
 * @returns The position after the last digit.
 * @hot
 */
export function writeUint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 10) {
    bytes[at] = DIGIT_0 + value;
    return at + 1;
  }
  let end = at + 1;
  for (let limit = 10; value >= limit; limit *= 10) end++;
  if (value <= 0x7fffffff) {
    // Integer arithmetic: three times faster than the division of doubles below.
    let rest = value | 0;
    for (let to = end - 1; to >= at; to--) {
      const next = (rest / 10) | 0;
      bytes[to] = DIGIT_0 + (rest - next * 10);
      rest = next;
    }
    return end;
  }
  let rest = value;
  for (let to = end - 1; to >= at; to--) {
    const next = Math.floor(rest / 10);
    bytes[to] = DIGIT_0 + (rest - next * 10);
    rest = next;
  }
  return end;
}
