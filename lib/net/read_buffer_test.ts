import { assertEquals, assertThrows } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { NO_LINE, ReadBuffer } from "./read_buffer.ts";

function bufferOf(text: string, capacity = 32): ReadBuffer {
  const buffer = new ReadBuffer(new Block(new ArrayBuffer(capacity)));
  buffer.block.bytes.set(ascii(text));
  buffer.received = text.length;
  return buffer;
}

Deno.test("ReadBuffer.lineEnd() finds lines one after the other", () => {
  const buffer = bufferOf("ab\ncd\r\ne");
  assertEquals(buffer.lineEnd(), 2);
  assertEquals(buffer.lineEnd(), 2, "asking twice changes nothing");
  buffer.consume(3);
  assertEquals(buffer.lineEnd(), 6);
  buffer.consume(4);
  assertEquals([buffer.lineEnd(), buffer.pending], [NO_LINE, 1]);
});

Deno.test("ReadBuffer.lineEnd() does not look at stale bytes", () => {
  const buffer = bufferOf("ab\n");
  buffer.received = 2;
  assertEquals(buffer.lineEnd(), NO_LINE);
  buffer.received = 3;
  assertEquals(buffer.lineEnd(), 2);
});

Deno.test("ReadBuffer.compact() keeps pending bytes and what was searched", () => {
  const buffer = bufferOf("done\npart");
  buffer.consume(5);
  assertEquals(buffer.lineEnd(), NO_LINE);
  buffer.compact();
  assertEquals([buffer.consumed, buffer.searched, buffer.received], [0, 4, 4]);
  assertEquals(String.fromCharCode(...buffer.block.bytes.slice(0, 4)), "part");
});

Deno.test("ReadBuffer.fill() stops the worker past the end of the block", () => {
  assertThrows(() => bufferOf("ab", 4).fill(3), InvariantError, "more than there is room");
});

Deno.test("ReadBuffer.consume() stops the worker past what was received", () => {
  assertThrows(() => bufferOf("ab").consume(3), InvariantError, "more than was received");
});

Deno.test("ReadBuffer.isFull counts pending bytes, not consumed ones", () => {
  const buffer = bufferOf("abcd", 4);
  assertEquals(buffer.isFull, true);
  buffer.consume(1);
  assertEquals(buffer.isFull, false);
});
