// Whole requests through a connection, without a socket: parse, run, reply. 16 requests a turn.

import { ascii } from "../../../lib/base/ascii.ts";
import { makeShared } from "../../../lib/net/network_fixture.ts";
import { drive } from "../../../lib/net/conn.ts";
import { Conn } from "../../../lib/net/conn_record.ts";
import { ConnState, moveTo } from "../../../lib/net/conn_state.ts";
import { Op, packets, type Parts } from "../../../tests/support/packets.ts";
import { Watched } from "../../../lib/log/event_log.ts";
import { LogDrain } from "../../../lib/log/drain.ts";
import { LinesCursor } from "../../../lib/log/lines.ts";
import { Io, type Transport } from "../../../lib/net/transport.ts";
import type { ReplyBuffer } from "../../../lib/protocol/reply.ts";
import { makeStore } from "../../../lib/store/store_fixture.ts";

const REQUESTS = 16;
const VALUE = "x".repeat(100);

/** A socket that has one batch of requests in it each turn, and takes every reply. */
class Batch implements Transport {
  bytes = new Uint8Array(0);
  #isFull = false;

  fill(bytes: Uint8Array<ArrayBuffer>): void {
    this.bytes = bytes;
    this.#isFull = true;
  }

  recv(_fd: number, bytes: Uint8Array, from: number): number {
    if (!this.#isFull) return Io.AGAIN;
    this.#isFull = false;
    bytes.set(this.bytes, from);
    return this.bytes.length;
  }

  recvValue(): number {
    return Io.AGAIN;
  }

  send(_fd: number, replies: ReplyBuffer): number {
    return replies.used - replies.sent;
  }

  probe(_fd: number): void {}

  waitReadable(): void {}
  waitWritable(): void {}
  close(): void {}
}

const store = makeStore({ maxbytes: 64 * 2 ** 20 });
const transport = new Batch();
const shared = makeShared(store, transport);
const watcher = new LinesCursor(Watched.FETCHERS);
const drain = new LogDrain(store.control, store.lines);
const conn = new Conn(5);
drive(conn, shared);

function turn(batch: Uint8Array<ArrayBuffer>): void {
  transport.fill(batch);
  moveTo(conn, ConnState.READ);
  drive(conn, shared);
}

const batchOf = (line: (i: number) => string) =>
  ascii(Array.from({ length: REQUESTS }, (_, i) => line(i)).join(""));
const SETS = batchOf((i) => `set bench-${i} 0 0 100\r\n${VALUE}\r\n`);
const MSS = batchOf((i) => `ms bench-${i} 100\r\n${VALUE}\r\n`);
turn(SETS);

const binaryOf = (request: (i: number) => Parts) =>
  packets(...Array.from({ length: REQUESTS }, (_, i) => request(i)));
const BINARY = {
  get: binaryOf((i) => ({ op: Op.GET, key: `bench-${i}` })),
  getk: binaryOf((i) => ({ op: Op.GETK, key: `bench-${i}` })),
  set: binaryOf((i) => ({ op: Op.SET, key: `bench-${i}`, extras: "\0".repeat(8), value: VALUE })),
};

const binaryConn = new Conn(6);
drive(binaryConn, shared);

function binaryTurn(batch: Uint8Array<ArrayBuffer>): void {
  transport.fill(batch);
  moveTo(binaryConn, ConnState.READ);
  drive(binaryConn, shared);
}

Deno.bench("16 × get", () => turn(batchOf16.get));
Deno.bench("16 × get, with a watcher", (bench) => {
  store.lines.join(watcher);
  bench.start();
  turn(batchOf16.get);
  bench.end();
  drain.turn(); // Another thread does that.
  store.lines.leave(watcher);
});
Deno.bench("16 × binary GET", () => binaryTurn(BINARY.get));
Deno.bench("16 × binary GETK", () => binaryTurn(BINARY.getk));
Deno.bench("16 × binary SET", () => binaryTurn(BINARY.set));
Deno.bench("16 × mg v", () => turn(batchOf16.mg));
Deno.bench("16 × mg k f v", () => turn(batchOf16.mgKey));
Deno.bench("16 × ms", () => turn(MSS));
Deno.bench("16 × set", () => turn(SETS));
Deno.bench("get of 16 keys", () => turn(batchOf16.multiget));
Deno.bench("16 × incr", () => turn(batchOf16.incr));
Deno.bench("16 × version", () => turn(batchOf16.version));

const batchOf16 = {
  get: batchOf((i) => `get bench-${i}\r\n`),
  mg: batchOf((i) => `mg bench-${i} v\r\n`),
  mgKey: batchOf((i) => `mg bench-${i} k f v\r\n`),
  multiget: ascii(`get ${Array.from({ length: REQUESTS }, (_, i) => `bench-${i}`).join(" ")}\r\n`),
  incr: batchOf(() => "incr counter 1\r\n"),
  version: batchOf(() => "version\r\n"),
};
turn(ascii("set counter 0 0 20\r\n00000000000000000000\r\n"));
