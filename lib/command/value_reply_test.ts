// Goal: a value is copied or referenced by its length, its item is held exactly while it is sent,
// and none of it happens without the shard's lock.

import { assertEquals, assertThrows } from "@std/assert";
import { ascii, CRLF_BYTES } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { defaultSettings } from "../config/settings.ts";
import { TEST_SERVER } from "../net/network_fixture.ts";
import { REFERENCES_MAX, ReplyBuffer } from "../protocol/reply.ts";
import type { ItemRef } from "../store/item/item.ts";
import { loadRefcount } from "../store/item/refcount.ts";
import { hashKey, linkLocked, lockShard, unlockShard } from "../store/link.ts";
import { isRefused } from "../store/outcome.ts";
import { allocate } from "../store/room/allocate.ts";
import type { Store } from "../store/store.ts";
import { makeStore } from "../store/store_fixture.ts";
import { Executor } from "./executor.ts";
import { Session } from "./session.ts";
import {
  COPIED_BYTES_MAX,
  releaseHolders,
  reserveValueLocked,
  Served,
  writeValueLocked,
} from "./value_reply.ts";

const KEY = Block.of(ascii("key"));
/** Bytes of a reply besides its value. */
const HEAD = 10;

/** Links an item with a value of `nbytes`. */
function link(store: Store, nbytes: number): { readonly hv: number; readonly it: ItemRef } {
  const hv = hashKey(store, KEY, 0, KEY.bytes.length);
  const it = allocate(store, KEY, 0, KEY.bytes.length, 0, 0, nbytes);
  if (isRefused(it)) throw new Error("No memory for the test's item");
  lockShard(store, hv);
  linkLocked(store, hv, it);
  unlockShard(store, hv);
  return { hv, it };
}

Deno.test("reserveValueLocked() takes room for a copy to the last byte", () => {
  const store = makeStore();
  const { hv, it } = link(store, 100);
  const fits = new ReplyBuffer(Block.ofLength(HEAD + 100));
  const tooSmall = new ReplyBuffer(Block.ofLength(HEAD + 99));
  lockShard(store, hv);
  assertEquals(reserveValueLocked(store, it, 100, HEAD, fits), Served.YES);
  assertEquals(reserveValueLocked(store, it, 100, HEAD, tooSmall), Served.NEEDS_ROOM);
  unlockShard(store, hv);
  assertEquals(loadRefcount(store.items, it), 1);
});

Deno.test("writeValueLocked() copies up to COPIED_BYTES_MAX and references longer values", () => {
  for (const count of [COPIED_BYTES_MAX, COPIED_BYTES_MAX + 1]) {
    const executor = new Executor(makeStore(), defaultSettings(), TEST_SERVER);
    const { store } = executor;
    const { hv, it } = link(store, count + CRLF_BYTES);
    const replies = new ReplyBuffer(Block.ofLength(HEAD + COPIED_BYTES_MAX));
    const isCopied = count === COPIED_BYTES_MAX;
    lockShard(store, hv);
    assertEquals(reserveValueLocked(store, it, count, HEAD, replies), Served.YES);
    writeValueLocked(store, new Session(), it, count, replies);
    unlockShard(store, hv);
    assertEquals([replies.used, replies.refCount], isCopied ? [count, 0] : [0, 1]);
    assertEquals(loadRefcount(store.items, it), isCopied ? 1 : 2);
    replies.refNext = replies.refCount; // All is sent.
    releaseHolders(executor, replies);
    assertEquals(loadRefcount(store.items, it), 1);
  }
});

Deno.test("reserveValueLocked() holds nothing when the replies take no more references", () => {
  const store = makeStore();
  const { hv, it } = link(store, COPIED_BYTES_MAX + 1);
  const replies = new ReplyBuffer(Block.ofLength(HEAD));
  replies.refCount = REFERENCES_MAX;
  lockShard(store, hv);
  const served = reserveValueLocked(store, it, COPIED_BYTES_MAX + 1, HEAD, replies);
  unlockShard(store, hv);
  assertEquals(served, Served.NEEDS_ROOM);
  assertEquals(loadRefcount(store.items, it), 1);
});

Deno.test("writeValueLocked() needs the shard's lock", () => {
  const store = makeStore();
  const { it } = link(store, 100);
  const replies = new ReplyBuffer(Block.ofLength(HEAD + 100));
  assertThrows(
    () => writeValueLocked(store, new Session(), it, 100, replies),
    InvariantError,
    "No shard is held",
  );
});
