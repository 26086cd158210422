import { assertEquals, assertThrows } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { U64 } from "../base/u64.ts";
import { REFERENCES_MAX, Reply, ReplyBuffer } from "./reply.ts";

const newReplies = (bytes = 256) => new ReplyBuffer(new Block(new ArrayBuffer(bytes)));

const textOf = (replies: ReplyBuffer) => latin1(replies.block.bytes, replies.sent, replies.used);

Deno.test("ReplyBuffer writes lines, ranges and numbers one after the other", () => {
  const replies = newReplies();
  const cas = new U64();
  cas.set(1, 0);
  replies.write(Reply.STORED);
  replies.writeRange(Block.of(ascii("key of mine")), 4, 6);
  replies.writeByte(0x20);
  replies.writeUint(4294967295);
  replies.writeByte(0x20);
  replies.writeU64(cas);
  replies.write(Reply.CRLF);
  replies.writeText("STAT a 1\r\n");
  assertEquals(textOf(replies), "STORED\r\nof 4294967295 4294967296\r\nSTAT a 1\r\n");
});

Deno.test("ReplyBuffer stops the worker rather than run over its end", () => {
  const replies = newReplies(10);
  replies.write(Reply.STORED);
  assertThrows(() => replies.write(Reply.STORED), InvariantError, "overrun");
  assertThrows(() => replies.writeUint(5), InvariantError, "overrun");
  assertThrows(() => replies.writeText("abc"), InvariantError, "room 2");
});

Deno.test("ReplyBuffer.advance() crosses references at any count", () => {
  for (let step = 1; step <= 40; step++) {
    const replies = newReplies();
    replies.writeText("abc");
    replies.writeReference(0, 100, 110, 7);
    replies.writeText("de");
    replies.writeReference(1, 0, 5, 8);
    replies.writeReference(1, 20, 21, 9);
    replies.writeText("fghi");
    for (let left = 25; left > 0; left -= step) {
      assertEquals(replies.isEmpty, false, `step ${step}, left ${left}`);
      replies.advance(Math.min(step, left));
    }
    assertEquals([replies.isEmpty, replies.refNext, replies.sent], [true, 3, 9], `step ${step}`);
    assertThrows(() => replies.advance(1), InvariantError, "More was sent");
  }
});

Deno.test("ReplyBuffer.reset() stops the worker while a holder is left", () => {
  const replies = newReplies();
  replies.writeReference(0, 0, 1, 7);
  assertThrows(() => replies.reset(), InvariantError, "bytes unsent");
  replies.advance(1);
  assertThrows(() => replies.reset(), InvariantError, "holder left");
  replies.refReleased = 1;
  replies.reset();
  assertEquals([replies.refCount, replies.used], [0, 0]);
});

Deno.test("ReplyBuffer takes no more references than it has places", () => {
  const replies = newReplies();
  for (let i = 0; i < REFERENCES_MAX; i++) replies.writeReference(0, 0, 1, i);
  assertEquals(replies.hasReferenceRoom, false);
  assertThrows(() => replies.writeReference(0, 0, 1, 0), InvariantError, "Too many references");
});
