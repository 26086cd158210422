// Item memory: segments of 1 GiB that every thread maps, and how a reference names a place in them.
//
//   ref (u32)   [ segment : 5 ][ 8-byte unit within the segment : 27 ]
//
// An index of 2^31 or more into a typed array is 20 times slower than a smaller one, so memory is
// a list of segments and no record crosses from one into the next. A reference counts units of 8
// bytes: 32 bits reach 32 GiB.

import { Block } from "../base/block.ts";

/** Bytes of a segment; the last one may be shorter. */
export const SEGMENT_BYTES = 2 ** 30;
/** Segments that a 32-bit reference can tell apart. */
export const SEGMENTS_MAX = 32;
/** Bytes that a reference counts. */
export const UNIT_BYTES = 8;
/** `bytes >>> UNIT_SHIFT` are whole units. */
export const UNIT_SHIFT = 3;

/** `ref >>> SEGMENT_SHIFT` is the segment. */
export const SEGMENT_SHIFT = 27;
/** `ref & UNIT_MASK` is the unit within it. */
export const UNIT_MASK = 2 ** SEGMENT_SHIFT - 1;

/** One thread's views of the item memory, by segment. */
export interface Arena {
  readonly u8: readonly Uint8Array<ArrayBuffer>[];
  readonly u16: readonly Uint16Array<ArrayBuffer>[];
  readonly u32: readonly Uint32Array<ArrayBuffer>[];
  readonly blocks: readonly Block[];
}

/** Lengths in bytes of the segments that hold `bytes` bytes of items. */
export function segmentLengths(bytes: number): number[] {
  const lengths: number[] = [];
  for (let left = bytes; left > 0; left -= SEGMENT_BYTES) {
    lengths.push(Math.min(left, SEGMENT_BYTES));
  }
  return lengths;
}

/** Where the segments are that hold `bytes` bytes, one behind the other from `address` on. */
export function segmentAddresses(address: number, bytes: number): number[] {
  return segmentLengths(bytes).map((_, index) => address + index * SEGMENT_BYTES);
}

/** The parts of `memory` that are its segments. */
export function segmentsIn(memory: ArrayBuffer): Block[] {
  return segmentLengths(memory.byteLength).map((length, index) =>
    new Block(memory, index * SEGMENT_BYTES, length)
  );
}

/** Opens the views over the memory of the segments, in order. */
export function openArena(segments: readonly Block[]): Arena {
  return {
    u8: segments.map(({ bytes }) => bytes),
    u16: segments.map(({ bytes }) =>
      new Uint16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2))
    ),
    u32: segments.map(({ bytes }) =>
      new Uint32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4))
    ),
    blocks: segments,
  };
}
