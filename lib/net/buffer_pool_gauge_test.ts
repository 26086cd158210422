// What BufferPool does with what comes back: the gauge of spare memory, and emptiness.

import { assertEquals } from "@std/assert";
import { assert } from "../base/assert.ts";
import { Snapshot } from "../stats/counters.ts";
import { makeStore } from "../store/store_fixture.ts";
import { BufferPool, READ_BYTES, REPLY_BYTES } from "./buffer_pool.ts";

Deno.test("BufferPool.countSpare() follows each take and give", () => {
  const store = makeStore();
  const pool = new BufferPool(new ArrayBuffer(READ_BYTES + REPLY_BYTES), store.counters);
  const spare = (): number => {
    pool.countSpare();
    return new Snapshot(store.control).of("read_buf_bytes_free");
  };
  const read = pool.takeRead();
  const replies = pool.takeReplies();
  assert(read !== undefined && replies !== undefined, "one of each");
  assertEquals(spare(), 0);
  assertEquals(new Snapshot(store.control).of("read_buf_count"), 2);
  pool.giveRead(read);
  assertEquals(spare(), READ_BYTES);
  pool.giveReplies(replies);
  assertEquals(spare(), READ_BYTES + REPLY_BYTES);
  pool.takeRead();
  assertEquals(spare(), REPLY_BYTES);
  pool.takeReplies();
  assertEquals(spare(), 0);
});

Deno.test("BufferPool.giveReplies() empties what was sent", () => {
  const pool = new BufferPool(new ArrayBuffer(REPLY_BYTES), makeStore().counters);
  const replies = pool.takeReplies();
  assert(replies !== undefined, "one");
  replies.used = replies.sent = 5;
  pool.giveReplies(replies);
  const again = pool.takeReplies();
  assertEquals([again === replies, again?.used, again?.sent], [true, 0, 0]);
});
