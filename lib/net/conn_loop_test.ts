// Goal: the loop serves everybody: none is forgotten that the network speaks of only once, and none
// keeps more than it needs while it waits.
// Method: a scripted network that wakes once for what arrives.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { type LockIndex, LockRank } from "../memory/lock.ts";
import { Snapshot } from "../stats/counters.ts";
import { checkStore } from "../store/check.ts";
import { makeStore } from "../store/store_fixture.ts";
import { READ_BYTES, REPLY_BYTES } from "./buffer_pool.ts";
import { type ConnState, stateName } from "./conn_state.ts";
import { addLines, heldBytes, LoopBed, type LoopClient } from "./loop_fixture.ts";
import { Io } from "./transport.ts";
import { type DatagramSocket, UdpConn } from "./udp_conn.ts";

/** The state of `client`'s connection, as `stats conns` shows it. */
function stateOf({ shared: { table } }: LoopBed, { fd }: LoopClient): string {
  const row = [...table.rows()].find((row) => row.fd === fd);
  return row === undefined ? "none" : stateName(row.state as ConnState);
}

Deno.test("ConnLoop serves the request that came before the connection", () => {
  const bed = new LoopBed(makeStore());
  assertEquals(bed.connect("mn\r\n").text, "MN\r\n");
});

Deno.test("ConnLoop keeps the table of connections for who asks meanwhile", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect();
  bed.network.onCall = () => assertEquals(stateOf(bed, client), "conn_parse_cmd");
  bed.network.arrive(client, "mn\r\n");
  bed.now += 7;
  bed.turn();
  assertEquals([client.text, stateOf(bed, client)], ["MN\r\n", "conn_waiting"]);
  const [row] = bed.shared.table.rows();
  assertEquals(row?.lastCommand, bed.now);
  bed.network.end(client);
  bed.settle();
  assertEquals(stateOf(bed, client), "none");
});

Deno.test("ConnLoop receives on where a receive has filled the buffer", () => {
  const bed = new LoopBed(makeStore(), { reqsPerEvent: 10_000 });
  const client = bed.connect();
  const count = 3 * READ_BYTES / 4;
  bed.network.arrive(client, "mn\r\n".repeat(count));
  bed.settle();
  assertEquals(client.text.length, 4 * count, "nothing wakes it again");
});

for (const bytes of [500, 10_000_000]) {
  Deno.test(`ConnLoop receives on behind a value of which it was told once: ${bytes}`, () => {
    const bed = new LoopBed(makeStore());
    const client = bed.connect();
    client.recvMax = Math.ceil(bytes / 6);
    bed.network.arrive(client, `set k 0 0 ${bytes}\r\n${"x".repeat(bytes)}\r\nmn\r\n`);
    bed.settle();
    assert(client.text.endsWith("\r\nMN\r\n"), client.text);
  });
}

Deno.test("ConnLoop receives to the end after a hang-up", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect();
  client.recvMax = 3;
  client.input = "mn\r\nmn\r\n";
  bed.network.end(client);
  bed.settle();
  assertEquals([client.text, client.isClosed], ["MN\r\nMN\r\n", true]);
});

for (const comesShort of [false, true]) {
  Deno.test(`ConnLoop waits after a short receive, unless it says little: ${comesShort}`, () => {
    const bed = new LoopBed(makeStore(), {}, { comesShort: [false, comesShort] });
    const client = bed.connect("", 1);
    const before = client.receives;
    client.recvMax = 4;
    bed.network.arrive(client, "mn\r\nmn\r\n");
    bed.settle();
    assertEquals(client.text, comesShort ? "MN\r\nMN\r\n" : "MN\r\n");
    assertEquals(client.receives - before, comesShort ? 3 : 1);
  });
}

/** What a client has sent when it pauses, and what buffers its connection keeps meanwhile. */
const PAUSES: readonly (readonly [name: string, input: string, held: number])[] = [
  ["between two commands", "set k 0 0 1\r\n1\r\nget k\r\n", 0],
  ["in a line", "ge", READ_BYTES],
  ["in a value", "set k 0 0 1000\r\nxyz", REPLY_BYTES],
  ["in a value that was refused", "set k 0 0 10000000\r\nxyz", REPLY_BYTES],
  ["as a watcher", "watch\r\n", 0],
  ["as a watcher that talks", "watch\r\nget k\r\n", 0],
];

for (const [name, input, held] of PAUSES) {
  Deno.test(`ConnLoop keeps few buffers for a client that pauses ${name}`, () => {
    const bed = new LoopBed(makeStore());
    const client = bed.connect();
    bed.network.arrive(client, input);
    bed.settle();
    assertEquals(heldBytes(bed), held);
  });
}

Deno.test("ConnLoop waits for a client that does not read, and asks the network once", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect();
  client.room = 3;
  bed.network.arrive(client, "mn\r\nmn\r\n");
  bed.settle();
  assertEquals([client.text, stateOf(bed, client)], ["MN\r", "conn_write"]);
  for (const room of [1, 1]) {
    bed.network.makeRoom(client, room);
    bed.network.arrive(client, "mn\r\n");
    bed.settle();
  }
  assertEquals([client.text, client.writableWaits, client.readableWaits], ["MN\r\nM", 1, 0]);
  bed.network.makeRoom(client);
  bed.settle();
  assertEquals([client.text, client.readableWaits], ["MN\r\n".repeat(4), 1]);
  client.room = 0;
  bed.network.arrive(client, "mn\r\n");
  bed.settle();
  assertEquals(client.writableWaits, 2, "It is asked again");
});

Deno.test("ConnLoop does not try to send lines to a watcher that has no room", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect("watch\r\n");
  client.room = 100;
  addLines(bed, 1);
  bed.settle();
  const { sends } = client;
  addLines(bed, 1);
  for (let turn = 0; turn < 3; turn++) bed.turn();
  assertEquals([client.sends, client.writableWaits], [sends, 1]);
  bed.network.makeRoom(client);
  bed.settle();
  assertEquals([client.text.length, client.readableWaits], ["OK\r\n".length + 2 * 201, 1]);
});

Deno.test("ConnLoop runs what a client has sent before it was gone", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect();
  client.input = "set k 0 0 1 noreply\r\n1\r\n";
  bed.network.end(client, true);
  bed.settle();
  assertEquals([client.isClosed, checkStore(bed.store).items], [true, 1]);
});

Deno.test("ConnLoop takes a record again, and nothing of the last connection with it", () => {
  const bed = new LoopBed(makeStore(), { authFile: "logins.txt" });
  const login = "set k 0 0 9\r\nuser pass\r\n";
  bed.shared.executor.logins.replace([{ user: ascii("user"), pass: ascii("pass") }]);
  const first = bed.connect(`${login}mn\r\n`);
  assertEquals(first.text, "STORED\r\nMN\r\n");
  bed.network.end(first);
  bed.settle();
  assert(first.isClosed);
  assertEquals(bed.connect("mn\r\n", 0, first.fd).text, "CLIENT_ERROR unauthenticated\r\n");
  assertEquals(new Snapshot(bed.store.control).of("connection_structures"), 1);
});

/** A socket with one datagram of more requests than fit in a turn, and what it was sent. */
function udpSocket(sent: string[]): DatagramSocket {
  const datagram = ascii("\0\x01\0\0\0\x01\0\0" + "mn\r\n".repeat(50));
  const waiting = [datagram];
  return {
    receive: (bytes) => {
      const next = waiting.pop();
      if (next !== undefined) bytes.set(next);
      return next?.length ?? Io.AGAIN;
    },
    isFromSelf: () => false,
    reply: (bytes, count) => {
      sent.push(latin1(bytes.subarray(8, count)));
      return count;
    },
    waitReadable: () => {},
    waitWritable: () => {},
  };
}

Deno.test("ConnLoop.run() sleeps until something comes, but not while somebody waits", () => {
  const bed = new LoopBed(makeStore(), { reqsPerEvent: 5 });
  let watcher: LoopClient;
  const rests: number[] = [];
  const steps = [
    () => void (watcher = bed.connect("watch\r\n")),
    () => bed.network.end(watcher, true),
    () => void bed.connect("mn\r\n".repeat(13)),
    () => {},
    () => bed.loop.stop(),
  ];
  bed.network.onWait = (timeoutMs) => {
    rests.push(timeoutMs);
    steps.shift()?.();
  };
  bed.loop.run();
  assertEquals(rests, [-1, 20, -1, 0, -1]);
});

Deno.test("ConnLoop serves UDP in turns, and gives up what is under way when it ends", () => {
  for (const turns of [1, 5]) {
    const bed = new LoopBed(makeStore());
    const sent: string[] = [];
    bed.loop.udp.add(3, new UdpConn(3, udpSocket(sent), bed.shared));
    bed.network.wake(3);
    for (let turn = 0; turn < turns; turn++) bed.turn();
    assertEquals(bed.loop.udp.hasLine, turns === 1);
    bed.loop.stop();
    bed.loop.run();
    assertEquals(sent, turns === 1 ? [] : ["MN\r\n".repeat(50)]);
    bed.shared.pool.countSpare();
    assertEquals(heldBytes(bed), 0);
  }
});

Deno.test("ConnLoop ends no turn with a lock held", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect();
  bed.network.arrive(client, "mn\r\n");
  bed.store.locks.lock(0 as LockIndex, LockRank.LOG);
  assertThrows(() => bed.turn(), InvariantError, "with a lock held");
  bed.store.locks.unlock(0 as LockIndex, LockRank.LOG);
  bed.turn();
});

Deno.test("ConnLoop.add() stops the worker at a descriptor that it serves", () => {
  const bed = new LoopBed(makeStore());
  const { fd } = bed.connect();
  assertThrows(() => bed.loop.add(fd, 0), InvariantError, "twice");
});
