// Goal: bytes that come and go in chunks, however cut, make the same conversation as a socket; and
// neither side holds more than its window.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { ascii, latin1 } from "../base/ascii.ts";
import { Block } from "../base/block.ts";
import { makeStore } from "../store/store_fixture.ts";
import { ChunkTransport, SEND_WINDOW, TAKEN_STEP } from "./chunk_transport.ts";
import { ConnLoop } from "./conn_loop.ts";
import { converse, makeShared } from "./network_fixture.ts";

const FD = 5;
const NOT_AT_ALL = 0;

/** A loop over a {@linkcode ChunkTransport} whose other side is this test. */
class Bed {
  readonly store = makeStore({ maxbytes: 16 * 2 ** 20 });
  readonly transport: ChunkTransport;
  readonly loop: ConnLoop;
  readonly received: Uint8Array[] = [];
  taken = 0;
  inFlight = 0;
  inFlightMax = 0;
  isClosed = false;

  constructor() {
    const { store } = this;
    this.transport = new ChunkTransport(
      store.items.u8.map((bytes) => new Block(bytes.buffer, bytes.byteOffset, bytes.length)),
      {
        send: (_fd, bytes) => {
          this.received.push(bytes.slice());
          this.inFlight += bytes.length;
          this.inFlightMax = Math.max(this.inFlightMax, this.inFlight);
        },
        taken: (_fd, count) => this.taken += count,
        close: () => this.isClosed = true,
      },
    );
    const shared = makeShared(store, this.transport);
    const { clock } = store;
    const doorbell = { fd: -1, answer: () => {} };
    const turnLock = { enter: () => {}, leave: () => {} };
    const readClock = () => clock.now;
    this.loop = new ConnLoop(shared, this.transport, doorbell, turnLock, clock, readClock);
    this.transport.open(FD);
    this.loop.add(FD, 0);
  }

  /** Turns until nothing moves any more; what is sent has gone at once, or never. */
  settle(isReading: boolean): void {
    for (let moves = true; moves;) {
      const before = this.received.length + this.taken;
      for (let turn = 0; turn < 50; turn++) this.loop.turn(NOT_AT_ALL);
      moves = before !== this.received.length + this.taken;
      if (!isReading || this.inFlight === 0) continue;
      const { inFlight } = this;
      this.inFlight = 0;
      this.transport.sent(FD, inFlight);
      moves = true;
    }
  }

  get text(): string {
    return this.received.map((bytes) => latin1(bytes)).join("");
  }
}

const LARGE = "v".repeat(700_000);
const INPUT = ascii(
  `set a 0 0 3\r\nabc\r\nget a b\r\nset b 5 0 ${LARGE.length}\r\n${LARGE}\r\nget b a b\r\n` +
    `set c 0 0 2\r\ntoo long\r\nmg a v\r\nadd a 0 0 1 noreply\r\nx\r\ngets a\r\n` +
    "get a\r\n".repeat(100) + "nonsense\r\nmn\r\n",
);
const EXPECTED =
  converse(INPUT, { recv: 1 << 20, send: 1 << 20 }, makeStore({ maxbytes: 16 << 20 }))
    .client.text;

for (const size of [1 << 20, 65536, 16384, 4099, 1000, 7]) {
  Deno.test(`ChunkTransport makes the same conversation from chunks of ${size} bytes`, () => {
    const bed = new Bed();
    for (let at = 0; at < INPUT.length; at += size) {
      bed.transport.arrived(FD, INPUT.slice(at, at + size));
      if (at % 3 === 0) bed.settle(true);
    }
    bed.settle(true);
    assert(bed.text === EXPECTED, "same replies");
    assert(INPUT.length - bed.taken < TAKEN_STEP, "the carrier knows what was taken");
    bed.transport.ended(FD, false);
    bed.settle(true);
    assert(bed.isClosed, "closed at the end of the input");
  });
}

/** So many that their values are many windows. */
const GETS = 6;

Deno.test("ChunkTransport sends no more than its window to a client that does not read", () => {
  const bed = new Bed();
  bed.transport.arrived(FD, ascii(`set b 0 0 ${LARGE.length}\r\n${LARGE}\r\n`));
  bed.transport.arrived(FD, ascii("get b\r\n".repeat(GETS)));
  bed.settle(false);
  assertEquals(bed.inFlight, SEND_WINDOW);
  bed.settle(true);
  const value = `VALUE b 0 ${LARGE.length}\r\n${LARGE}\r\nEND\r\n`;
  assert(bed.text === "STORED\r\n" + value.repeat(GETS), "the rest comes once it reads");
  assertEquals(bed.inFlightMax, SEND_WINDOW);
});

const PARTIAL = { "in a value": "set a 0 0 10\r\nabc", "in a line": "get " };

Deno.test("ChunkTransport takes parts of a buffer in which others have theirs", () => {
  const bed = new Bed();
  const shared = new Uint8Array(64 * 1024);
  for (const [at, byte] of INPUT.entries()) {
    if (at > 5000) break;
    shared[at] = byte;
    bed.transport.arrived(FD, shared.subarray(at, at + 1));
    shared[at] = 0; // What was kept is a copy.
  }
  bed.settle(true);
  const head = converse(INPUT.slice(0, 5001), { recv: 1 << 20, send: 1 << 20 }).client.text;
  assertEquals(bed.text, head);
});

for (const [name, partial] of Object.entries(PARTIAL)) {
  for (const lost of [false, true]) {
    Deno.test(`ChunkTransport closes a connection that ends ${name}, lost: ${lost}`, () => {
      const bed = new Bed();
      bed.transport.arrived(FD, ascii(partial));
      bed.settle(true);
      bed.transport.ended(FD, lost);
      bed.settle(true);
      assert(bed.isClosed, "closed");
      bed.transport.arrived(FD, ascii("get a\r\n"));
      bed.transport.sent(FD, 1);
      bed.settle(true);
      assertEquals(bed.text, "");
    });
  }
}

Deno.test("ChunkTransport.sent() stops the worker at more than was on its way", () => {
  const bed = new Bed();
  bed.transport.arrived(FD, ascii("mn\r\n"));
  bed.loop.turn(NOT_AT_ALL);
  assertThrows(() => bed.transport.sent(FD, 5), InvariantError);
});
