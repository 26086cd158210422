import { assertEquals, assertThrows } from "@std/assert";
import { assert, InvariantError } from "../base/assert.ts";
import { Snapshot } from "../stats/counters.ts";
import { makeStore } from "../store/store_fixture.ts";
import { BufferPool, READ_BYTES, REPLY_BYTES } from "./buffer_pool.ts";

Deno.test("BufferPool gives the buffer again that came back last, empty", () => {
  const pool = new BufferPool(new ArrayBuffer(4 * READ_BYTES), makeStore().counters);
  const first = pool.takeRead();
  const second = pool.takeRead();
  assert(first !== undefined && second !== undefined && first !== second, "two buffers");
  first.received = 9;
  pool.giveRead(second);
  pool.giveRead(first);
  assertEquals(pool.takeRead(), first);
  assertEquals(first.pending, 0);
});

Deno.test("BufferPool never exceeds its memory, and counts the refusal", () => {
  const store = makeStore();
  const pool = new BufferPool(new ArrayBuffer(READ_BYTES + REPLY_BYTES), store.counters);
  const read = pool.takeRead();
  const replies = pool.takeReplies();
  assert(read !== undefined && replies !== undefined, "one of each");
  assertEquals([pool.takeRead(), pool.takeReplies()], [undefined, undefined]);
  pool.giveRead(read);
  pool.countSpare();
  const totals = new Snapshot(store.control);
  assertEquals(totals.of("read_buf_oom"), 2);
  assertEquals(totals.of("read_buf_bytes"), READ_BYTES + REPLY_BYTES);
  assertEquals(totals.of("read_buf_bytes_free"), READ_BYTES);
});

Deno.test("BufferPool.countSpare() stops the worker where a buffer came back twice", () => {
  const pool = new BufferPool(new ArrayBuffer(READ_BYTES), makeStore().counters);
  const read = pool.takeRead();
  assert(read !== undefined, "one");
  pool.giveRead(read);
  pool.giveRead(read);
  assertThrows(() => pool.countSpare(), InvariantError);
});
