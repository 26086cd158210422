// What ChunkTransport answers for a connection that is lost or closed, and what it tells of bytes
// that were taken.

import { assertEquals } from "@std/assert";
import { BlockStore } from "./block_store.ts";
import { ChunkTransport, TAKEN_STEP } from "./chunk_transport.ts";
import { Io } from "./transport.ts";

const FD = 5;
const STRANGER = 9;

function opened(told: number[] = []): ChunkTransport {
  const transport = new ChunkTransport([], {
    send: () => {},
    taken: (_fd, count) => told.push(count),
    close: () => {},
  });
  transport.open(FD);
  return transport;
}

Deno.test("ChunkTransport answers GONE for a client that is lost, and for no connection", () => {
  const transport = opened();
  transport.arrived(FD, new Uint8Array(3));
  transport.ended(FD, true);
  for (const fd of [FD, STRANGER]) {
    assertEquals(transport.recv(fd, new Uint8Array(8), 0), Io.GONE);
    assertEquals(transport.sendBytes(fd, new Uint8Array(8)), Io.GONE);
  }
});

Deno.test("ChunkTransport tells of bytes taken when they are a whole step", () => {
  const told: number[] = [];
  const transport = opened(told);
  transport.arrived(FD, new Uint8Array(3 * TAKEN_STEP));
  const take = (count: number): void => {
    assertEquals(transport.recv(FD, new Uint8Array(count), 0), count);
  };
  take(TAKEN_STEP - 1);
  assertEquals(told, []);
  take(1);
  assertEquals(told, [TAKEN_STEP]);
  take(1);
  assertEquals(told, [TAKEN_STEP]);
  take(TAKEN_STEP);
  assertEquals(told, [TAKEN_STEP, TAKEN_STEP + 1]);
});

Deno.test("ChunkTransport.close() gives the memory of what waits back", () => {
  const original = BlockStore.prototype.give;
  let given = 0;
  BlockStore.prototype.give = function (block) {
    given++;
    original.call(this, block);
  };
  try {
    const transport = opened();
    transport.arrived(FD, new Uint8Array(3));
    transport.close(FD);
  } finally {
    BlockStore.prototype.give = original;
  }
  assertEquals(given, 1);
});
