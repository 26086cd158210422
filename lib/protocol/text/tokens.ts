// Splits a command line into tokens without copying: a token is a byte range of the read buffer.

import { SPACE } from "../../base/ascii.ts";

/** Tokens looked at in a line. Source: memcached proto_text.c, MAX_TOKENS. */
export const TOKENS_MAX = 24;

/** Longest key in bytes. Source: memcached memcached.h, KEY_MAX_LENGTH. */
export const KEY_MAX = 250;

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
}
