// Base64 of keys: the standard alphabet, padding required, no strings in between.
// Source: RFC 4648, section 4.

import { ascii } from "./ascii.ts";

const ALPHABET = ascii("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
const PAD = 0x3d;
/** What a byte stands for in Base64, 64 for none. */
const NONE = 64;
const VALUES = new Uint8Array(256).fill(NONE);
ALPHABET.forEach((byte, value) => VALUES[byte] = value);

/** What {@linkcode decodeBase64} returns for bytes that are not Base64. */
export const NOT_BASE64 = -1;

/** Bytes that `count` bytes take in Base64. */
export function base64Bytes(count: number): number {
  return Math.ceil(count / 3) * 4;
}

/**
 * Decodes `bytes[from, to)` to `target` from its start; the caller has checked the room.
 *
 * @returns How many bytes there are, or {@linkcode NOT_BASE64}.
 * @hot
 */
export function decodeBase64(
  bytes: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
): number {
  if (to === from || (to - from) % 4 !== 0) return NOT_BASE64;
  const pads = bytes[to - 1] !== PAD ? 0 : bytes[to - 2] !== PAD ? 1 : 2;
  let count = 0;
  for (let at = from; at < to; at += 4) {
    const isLast = at + 4 === to;
    let word = 0;
    for (let place = 0; place < 4; place++) {
      const isPad = isLast && place >= 4 - pads;
      const value = isPad ? 0 : VALUES[bytes[at + place]!]!;
      if (value === NONE) return NOT_BASE64;
      word = (word << 6) | value;
    }
    const kept = isLast ? 3 - pads : 3;
    target[count++] = word >>> 16;
    if (kept > 1) target[count++] = (word >>> 8) & 0xff;
    if (kept > 2) target[count++] = word & 0xff;
  }
  return count;
}

/**
 * Writes `source[from, to)` in Base64 to `target` at `at`; the caller has checked the room.
 *
 * @returns The position after the last byte.
 * @hot
 */
export function encodeBase64(
  source: Uint8Array,
  from: number,
  to: number,
  target: Uint8Array,
  at: number,
): number {
  let end = at;
  for (let byte = from; byte < to; byte += 3) {
    const left = to - byte;
    const second = left > 1 ? source[byte + 1]! : 0;
    const third = left > 2 ? source[byte + 2]! : 0;
    const word = (source[byte]! << 16) | (second << 8) | third;
    target[end++] = ALPHABET[word >>> 18]!;
    target[end++] = ALPHABET[(word >>> 12) & 63]!;
    target[end++] = left > 1 ? ALPHABET[(word >>> 6) & 63]! : PAD;
    target[end++] = left > 2 ? ALPHABET[word & 63]! : PAD;
  }
  return end;
}
