// Goal: a reference names one place in one segment, and the views of a segment show the same bytes.

import { assertEquals } from "@std/assert";
import { Block } from "../base/block.ts";
import {
  openArena,
  SEGMENT_BYTES,
  SEGMENT_SHIFT,
  segmentAddresses,
  segmentLengths,
  SEGMENTS_MAX,
  segmentsIn,
  UNIT_BYTES,
  UNIT_MASK,
} from "./arena.ts";

const LENGTHS: readonly (readonly [bytes: number, lengths: readonly number[]])[] = [
  [0, []],
  [1, [1]],
  [SEGMENT_BYTES - 8, [SEGMENT_BYTES - 8]],
  [SEGMENT_BYTES, [SEGMENT_BYTES]],
  [SEGMENT_BYTES + 8, [SEGMENT_BYTES, 8]],
  [3 * SEGMENT_BYTES + 2 ** 20, [SEGMENT_BYTES, SEGMENT_BYTES, SEGMENT_BYTES, 2 ** 20]],
];

for (const [bytes, lengths] of LENGTHS) {
  Deno.test(`segmentLengths() cuts ${bytes} bytes into ${lengths.length}`, () => {
    assertEquals(segmentLengths(bytes), [...lengths]);
  });
}

Deno.test("a reference reaches every unit of every segment", () => {
  assertEquals((UNIT_MASK + 1) * UNIT_BYTES, SEGMENT_BYTES);
  assertEquals(SEGMENTS_MAX * (UNIT_MASK + 1), 2 ** 32);
  const last = 2 ** 32 - 1;
  assertEquals([last >>> SEGMENT_SHIFT, last & UNIT_MASK], [SEGMENTS_MAX - 1, UNIT_MASK]);
});

Deno.test("openArena() shows the same bytes in every view, segment by segment", () => {
  const memory = new ArrayBuffer(64); // Parts of one buffer, neither of them from its start on.
  const arena = openArena([new Block(memory, 8, 16), new Block(memory, 32, 32)]);
  for (const [segment, length] of [[0, 16], [1, 32]] as const) {
    const { u8, u16, u32, blocks } = arena;
    assertEquals(u8[segment]?.length, length);
    u32[segment]![1] = 0x04030201;
    assertEquals([...u8[segment]!.subarray(4, 8)], [1, 2, 3, 4]);
    assertEquals([...u16[segment]!.subarray(2, 4)], [0x0201, 0x0403]);
    assertEquals(blocks[segment]?.view.getUint32(4, true), 0x04030201);
    u8[segment]!.fill(0);
  }
});

Deno.test("segmentsIn() cuts memory as segmentLengths() and segmentAddresses() say", () => {
  const [only, ...rest] = segmentsIn(new ArrayBuffer(4096));
  assertEquals([only?.bytes.length, only?.view.byteLength, rest.length], [4096, 4096, 0]);
  const bytes = 2 * SEGMENT_BYTES + 5;
  assertEquals(segmentLengths(bytes), [SEGMENT_BYTES, SEGMENT_BYTES, 5]);
  assertEquals(segmentAddresses(7, bytes), [7, 7 + SEGMENT_BYTES, 7 + 2 * SEGMENT_BYTES]);
});
