// Goal: bytes come out of a queue as they went in, however they are cut; a store has memory for
// what waits, and gives the rest back.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { Prng } from "../base/prng.ts";
import { BlockStore, freeBuffer, mappedBuffer, STORE_BLOCK_BYTES } from "./block_store.ts";
import { ByteQueue } from "./byte_queue.ts";

const REGION_BYTES = 2 ** 20;

/** Byte `at` of it is `at % 251`. */
const PATTERN = Uint8Array.from({ length: 4 * STORE_BLOCK_BYTES }, (_, at) => at % 251);

function bytesFrom(start: number, length: number): Uint8Array {
  return PATTERN.subarray(start % 251, start % 251 + length);
}

Deno.test("ByteQueue gives out what was put in, in order, cut in any way", () => {
  const seed = 170_001;
  const prng = new Prng(seed);
  const store = new BlockStore();
  const queues = Array.from({ length: 5 }, () => ({ queue: new ByteQueue(store), put: 0, got: 0 }));
  const target = new Uint8Array(3 * STORE_BLOCK_BYTES);
  for (let round = 0; round < 3000; round++) {
    const one = prng.pick(queues);
    const size = prng.below(prng.below(20) === 0 ? target.length : 3000);
    const move = prng.pick(["append", "append", "take", "skip"]);
    if (move === "append") {
      one.queue.append(bytesFrom(one.put, size));
      one.put += size;
    } else if (move === "take") {
      const count = one.queue.take(target, 7, Math.max(7, size));
      assertEquals(count, Math.min(Math.max(0, size - 7), one.put - one.got), `seed ${seed}`);
      const got = target.subarray(7, 7 + count);
      assert(got.every((byte, at) => byte === (one.got + at) % 251), `seed ${seed}`);
      one.got += count;
    } else if (!one.queue.isEmpty) {
      const piece = one.queue.peek();
      const count = 1 + prng.below(piece.length);
      assertEquals(piece[count - 1], (one.got + count - 1) % 251, `seed ${seed}`);
      one.queue.skip(count);
      one.got += count;
    }
    assertEquals(one.queue.isEmpty, one.put === one.got, `seed ${seed}`);
  }
  for (const { queue } of queues) queue.clear();
  assert(queues.every(({ queue }) => queue.isEmpty && queue.peek().length === 0));
  assertEquals(store.heldBytes, REGION_BYTES);
});

Deno.test("BlockStore has memory for what waits, and one region when nothing does", () => {
  const store = new BlockStore();
  assertEquals(store.heldBytes, 0);
  const blocks = Array.from({ length: 100 }, () => store.take());
  const regions = Math.ceil(100 * STORE_BLOCK_BYTES / REGION_BYTES);
  assertEquals(store.heldBytes, regions * REGION_BYTES);
  for (const block of blocks.slice(1)) store.give(block);
  // The region of the one that is left, and a spare one.
  assertEquals(store.heldBytes, 2 * REGION_BYTES);
  store.give(blocks[0]!);
  assertEquals(store.heldBytes, REGION_BYTES);
  for (let time = 0; time < 1000; time++) {
    const block = store.take();
    assertEquals(store.heldBytes, REGION_BYTES, "the one that was kept");
    store.give(block);
  }
  assertEquals(store.heldBytes, REGION_BYTES);
  const again = Array.from({ length: 100 }, () => store.take());
  assertEquals(store.heldBytes, regions * REGION_BYTES);
  for (const { bytes } of again) assertEquals(bytes.length, STORE_BLOCK_BYTES);
});

Deno.test("freeBuffer() leaves a buffer of no bytes", () => {
  for (const buffer of [new ArrayBuffer(100), mappedBuffer(100)]) {
    const bytes = new Uint8Array(buffer);
    assertEquals(bytes.length, 100);
    freeBuffer(buffer);
    assertEquals([bytes.length, buffer.byteLength], [0, 0]);
  }
});

Deno.test("ByteQueue.skip() stops the worker past what peek() has shown", () => {
  const queue = new ByteQueue(new BlockStore());
  queue.append(bytesFrom(0, 10));
  queue.skip(4);
  assertThrows(() => queue.skip(7), InvariantError);
});

Deno.test("ByteQueue.clear() forgets also what was skipped of the first block", () => {
  const queue = new ByteQueue(new BlockStore());
  queue.append(bytesFrom(0, 10));
  queue.skip(4);
  queue.clear();
  queue.append(bytesFrom(50, 3));
  assertEquals([...queue.peek()], [50, 51, 52]);
});
