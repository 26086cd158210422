// Splits a command line into tokens without copying: a token is a byte range of the read buffer.

import { ascii, equalsWord, SPACE } from "../../base/ascii.ts";
import type { U64 } from "../../base/u64.ts";

/** Tokens looked at in a line. Source: memcached proto_text.c, MAX_TOKENS. */
export const TOKENS_MAX = 24;

/** Longest key in bytes. Source: memcached memcached.h, KEY_MAX_LENGTH. */
export const KEY_MAX = 250;

/** Most digits of a 64-bit number. Source: memcached vendor/mcmc/mcmc.c, MCMC_TOKTO64_MAX. */
const U64_TOKEN_MAX = 22;

const NOREPLY = ascii("noreply");

/** Byte ranges of the current line's tokens. One per thread, reused for every line. */
export class Tokens {
  count = 0;
  readonly start = new Uint32Array(TOKENS_MAX);
  readonly end = new Uint32Array(TOKENS_MAX);

  /**
   * Finds the tokens of `bytes[from, to)`; further ones than {@linkcode TOKENS_MAX} are dropped.
   * @hot
   */
  scan(bytes: Uint8Array, from: number, to: number): void {
    this.count = 0;
    let at = from;
    while (this.count < TOKENS_MAX) {
      while (at < to && bytes[at] === SPACE) at++;
      if (at === to) return;
      this.start[this.count] = at;
      while (at < to && bytes[at] !== SPACE) at++;
      this.end[this.count++] = at;
    }
  }

  /** Length of token `index` in bytes. */
  length(index: number): number {
    return this.end[index]! - this.start[index]!;
  }

  /**
   * Reads token `index` as an unsigned 64-bit number into `value`.
   *
   * @returns false when there is no such token, it is no number, or it has too many digits, leading
   * zeros included.
   * @hot
   */
  readU64(bytes: Uint8Array, index: number, value: U64): boolean {
    if (index >= this.count || this.length(index) > U64_TOKEN_MAX) return false;
    return value.parse(bytes, this.start[index]!, this.end[index]!);
  }
}

/**
 * Position of the first byte in `bytes[from, to)` that is no space; `to` when all are spaces.
 * @hot
 */
export function skipSpaces(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] === SPACE) at++;
  return at;
}

/**
 * Whether the last token of `bytes[from, to)`, what follows a command's name, is `noreply`: the
 * line asks for silence. Source: memcached proto_parser.c, _process_request_noreply.
 * @hot
 */
export function endsInNoreply(bytes: Uint8Array, from: number, to: number): boolean {
  let end = to;
  while (end > from && bytes[end - 1] === SPACE) end--;
  const start = end - NOREPLY.length;
  return start > from && bytes[start - 1] === SPACE && equalsWord(bytes, start, end, NOREPLY);
}
