// 64-bit unsigned numbers as two 32-bit words, for cas and counters, without BigInt.
//
// A value is `hi * 2^32 + lo`. Results come back in the fields of a U64 that the caller reuses.

import { DIGIT_0, DIGIT_9 } from "./ascii.ts";

/** Longest decimal form: 18446744073709551615. */
export const U64_DIGITS_MAX = 20;

/** One 64-bit number, reused by its owner. Both words are unsigned. */
export class U64 {
  hi = 0;
  lo = 0;

  /** Sets both words. */
  set(hi: number, lo: number): void {
    this.hi = hi;
    this.lo = lo;
  }

  /** Whether the value is 0. */
  get isZero(): boolean {
    return this.hi === 0 && this.lo === 0;
  }

  /** Whether both numbers are the same. */
  equals(other: U64): boolean {
    return this.hi === other.hi && this.lo === other.lo;
  }

  /** Whether this number is below `other`. */
  isBelow(other: U64): boolean {
    return this.hi < other.hi || (this.hi === other.hi && this.lo < other.lo);
  }

  /**
   * Adds `other`, wrapping at 2^64.
   * @hot
   */
  add(other: U64): void {
    const lo = this.lo + other.lo;
    this.lo = lo >>> 0;
    this.hi = (this.hi + other.hi + (lo > 0xffffffff ? 1 : 0)) >>> 0;
  }

  /**
   * Subtracts `other`; stops at 0 as decr does.
   * @hot
   */
  subtractToZero(other: U64): void {
    if (this.hi < other.hi || (this.hi === other.hi && this.lo <= other.lo)) {
      this.set(0, 0);
      return;
    }
    const borrow = this.lo < other.lo ? 1 : 0;
    this.lo = (this.lo - other.lo) >>> 0;
    this.hi = (this.hi - other.hi - borrow) >>> 0;
  }

  /**
   * Multiplies by ten and adds `digit`, 0..9.
   *
   * @returns false when the result does not fit in 64 bits; the value is then undefined.
   * @hot
   */
  push(digit: number): boolean {
    const lo = this.lo * 10 + digit;
    const hi = this.hi * 10 + Math.floor(lo / 0x100000000);
    if (hi > 0xffffffff) return false;
    this.lo = lo >>> 0;
    this.hi = hi >>> 0;
    return true;
  }

  /**
   * Reads the decimal digits `bytes[from, to)`, all of them.
   *
   * @returns false when there is none, another byte than a digit, or more than 64 bits.
   * @hot
   */
  parse(bytes: Uint8Array, from: number, to: number): boolean {
    this.set(0, 0);
    if (from >= to) return false;
    for (let at = from; at < to; at++) {
      const byte = bytes[at]!;
      if (byte < DIGIT_0 || byte > DIGIT_9 || !this.push(byte - DIGIT_0)) return false;
    }
    return true;
  }

  /**
   * Writes the decimal form to `bytes` from `at`; the caller has checked for
   * {@linkcode U64_DIGITS_MAX} bytes of room.
   *
   * @returns The position after the last digit.
   * @hot
   */
  write(bytes: Uint8Array, at: number): number {
    let { hi, lo } = this;
    if (hi === 0 && lo < 10) {
      bytes[at] = DIGIT_0 + lo;
      return at + 1;
    }
    let digits = 0;
    while (hi !== 0 || lo !== 0) {
      const top = Math.floor(hi / 10);
      const rest = (hi - top * 10) * 0x100000000 + lo;
      hi = top;
      const low = Math.floor(rest / 10);
      DIGITS[digits++] = rest - low * 10;
      lo = low;
    }
    let end = at;
    while (digits > 0) bytes[end++] = DIGIT_0 + DIGITS[--digits]!;
    return end;
  }
}

/** Digits of the number being written, last one first; `write` runs to its end undisturbed. */
const DIGITS = new Uint8Array(U64_DIGITS_MAX);
