// Copying and comparing byte ranges between blocks: the only kernels that do, and the only place
// that makes a `subarray` on the way of a request.
//
// Measured (scripts/bench/micro/copy_bench.ts), ns to copy 16 / 100 / 1,024 / 16,384 bytes:
// byte loop 8 / 58 / 583 / 9,089; DataView words of 8 bytes 5 / 19 / 148 / 2,333;
// `set(subarray)` 24 / 26 / 31 / 142. V8 keeps the 64-bit words in registers: no BigInt is made.

import type { Block } from "./block.ts";

/** From here on `set(subarray)` is faster than words, although it allocates the view. */
const WORDS_BYTES_MAX = 160;

/**
 * Copies `from[fromAt, fromAt + count)` to `to` at `toAt`. The blocks must not overlap.
 * @hot
 */
export function copyBytes(
  from: Block,
  fromAt: number,
  to: Block,
  toAt: number,
  count: number,
): void {
  if (count > WORDS_BYTES_MAX) {
    copyLong(from, fromAt, to, toAt, count);
    return;
  }
  const source = from.view;
  const target = to.view;
  let at = 0;
  for (; at + 8 <= count; at += 8) {
    target.setBigUint64(toAt + at, source.getBigUint64(fromAt + at, true), true);
  }
  if (at + 4 <= count) {
    target.setUint32(toAt + at, source.getUint32(fromAt + at, true), true);
    at += 4;
  }
  for (; at < count; at++) to.bytes[toAt + at] = from.bytes[fromAt + at]!;
}

function copyLong(from: Block, fromAt: number, to: Block, toAt: number, count: number): void {
  to.bytes.set(from.bytes.subarray(fromAt, fromAt + count), toAt);
}

/** A view of `bytes[from, to)`, for a system call that starts in the middle of a buffer. */
export function viewOf(
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  to: number,
): Uint8Array<ArrayBuffer> {
  return bytes.subarray(from, to);
}

/**
 * Whether `count` bytes of `a` from `aAt` equal those of `b` from `bAt`.
 * @hot
 */
export function equalBytes(a: Block, aAt: number, b: Block, bAt: number, count: number): boolean {
  const left = a.view;
  const right = b.view;
  let at = 0;
  for (; at + 4 <= count; at += 4) {
    if (left.getUint32(aAt + at, true) !== right.getUint32(bAt + at, true)) return false;
  }
  for (; at < count; at++) if (a.bytes[aAt + at] !== b.bytes[bAt + at]) return false;
  return true;
}
