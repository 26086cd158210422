// Goal: the loop serves everybody: no client takes more than its share of a turn, none is
// forgotten, and none is left behind when the loop ends.
// Method: a scripted network that wakes once for what arrives and counts every call about a client.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { type LockIndex, LockRank } from "../memory/lock.ts";
import { Snapshot } from "../stats/counters.ts";
import { readSamples } from "../stats/samples.ts";
import { Watched } from "../log/event_log.ts";
import { LinesCursor } from "../log/lines.ts";
import { checkStore } from "../store/check.ts";
import { makeStore } from "../store/store_fixture.ts";
import { READ_BYTES } from "./buffer_pool.ts";
import { RECEIVES_PER_TURN } from "./conn_input.ts";
import { type ConnState, stateName } from "./conn_state.ts";
import { LoopBed, type LoopClient } from "./loop_fixture.ts";

const x = (count: number) => "x".repeat(count);

/** The state of `client`'s connection, as `stats conns` shows it. */
function stateOf({ shared: { table } }: LoopBed, { fd }: LoopClient): string {
  const row = [...table.rows()].find((row) => row.fd === fd);
  return row === undefined ? "none" : stateName(row.state as ConnState);
}

Deno.test("ConnLoop serves the request that came before the connection", () => {
  const bed = new LoopBed(makeStore());
  assertEquals(bed.connect("mn\r\n").text, "MN\r\n");
});

Deno.test("ConnLoop receives on where a receive has filled the buffer", () => {
  const bed = new LoopBed(makeStore(), { reqsPerEvent: 10_000 });
  const client = bed.connect();
  const count = 3 * READ_BYTES / 4;
  bed.network.arrive(client, "mn\r\n".repeat(count));
  bed.settle();
  assertEquals(client.text.length, 4 * count, "nothing wakes it again");
});

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

Deno.test("ConnLoop gives those that used up their turn another one, in their order", () => {
  const bed = new LoopBed(makeStore(), { reqsPerEvent: 5 });
  const [first, second, third] = [bed.connect(), bed.connect(), bed.connect()];
  bed.network.arrive(first, "mn\r\n".repeat(12));
  bed.network.arrive(second, "mn\r\n".repeat(12));
  assertEquals(bed.turn(), [first.fd, second.fd]);
  bed.network.arrive(third, "mn\r\n".repeat(7));
  assertEquals(bed.turn(), [third.fd, first.fd, second.fd], "who is new comes first");
  bed.network.arrive(third, "mn\r\n"); // It is in line: no second turn for that.
  const texts = [first, second, third].map(({ text }) => text.length / 4);
  assertEquals(bed.turn(), [third.fd, first.fd, second.fd]);
  const more = [first, second, third].map(({ text }, index) => text.length / 4 - texts[index]!);
  assert(more.every((count) => count > 0 && count <= 5), `${more} requests`);
  bed.settle();
  assertEquals([first, second, third].map(({ text }) => text.length / 4), [12, 12, 8]);
});

/** Calls in a turn that a client may cause besides what is limited. */
const FEW = 5;

/** Clients that send without end; what they send first, and on and on. */
const SENDERS: readonly (readonly [name: string, first: string, endless: string])[] = [
  ["a value", "set k 0 0 900000\r\n", "x"],
  ["a value that was refused", "set k 0 0 900000000\r\n", "x"],
  ["a line in pieces", "get ", "k "],
  ["as a watcher", "watch\r\n", "x"],
];

for (const [name, first, endless] of SENDERS) {
  Deno.test(`ConnLoop serves the others while a client sends without end: ${name}`, () => {
    const bed = new LoopBed(makeStore(), {}, { comesShort: [true] });
    const [greedy, meek] = [bed.connect(), bed.connect()];
    bed.network.arrive(greedy, first);
    bed.turn();
    greedy.recvMax = 10;
    greedy.endless = endless;
    bed.network.wake(greedy.fd);
    for (let turn = 0; turn < 5; turn++) {
      const { receives } = greedy;
      const { length } = meek.text;
      bed.network.arrive(meek, "mn\r\n");
      bed.turn();
      assert(greedy.receives - receives >= RECEIVES_PER_TURN, "It has its turn");
      assert(greedy.receives - receives <= RECEIVES_PER_TURN + FEW, `${greedy.receives} receives`);
      assertEquals(meek.text.length - length, 4);
    }
  });
}

const SEND_BYTES_MAX = 64 * 1024;
/** What one turn may send at most: the last send begins below 256 KiB. */
const TURN_BYTES_MAX = 256 * 1024 + SEND_BYTES_MAX;

Deno.test("ConnLoop serves the others while a client reads large values without end", () => {
  const bed = new LoopBed(makeStore());
  const [greedy, meek] = [bed.connect(), bed.connect()];
  bed.network.arrive(greedy, `set big 0 0 60000\r\n${x(60_000)}\r\n`);
  bed.settle();
  greedy.sendMax = SEND_BYTES_MAX;
  bed.network.arrive(greedy, "get big\r\n".repeat(100));
  for (let turn = 0; turn < 5; turn++) {
    const before = [greedy.text.length, meek.text.length] as const;
    bed.network.arrive(meek, "mn\r\n");
    bed.turn();
    assert(greedy.text.length > before[0], "It has its turn");
    assert(greedy.text.length - before[0] <= TURN_BYTES_MAX, `${greedy.text.length - before[0]}`);
    assertEquals(meek.text.length - before[1], 4);
  }
});

const LINE = ascii(`${x(200)}\n`);

/** Puts `count` log lines in front of the watchers. */
function addLines({ store: { lines } }: LoopBed, count: number): void {
  for (let line = 0; line < count; line++) lines.append(0, () => LINE);
}

Deno.test("ConnLoop serves the others while a watcher reads lines without end", () => {
  const bed = new LoopBed(makeStore({ watcherLogbufSize: 2 ** 20 }));
  const [greedy, meek] = [bed.connect("watch\r\n"), bed.connect()];
  bed.settle();
  addLines(bed, 3000);
  const before = greedy.text.length;
  bed.network.arrive(meek, "mn\r\n");
  bed.turn();
  assert(greedy.text.length - before > 0, "It has its turn");
  assert(greedy.text.length - before <= TURN_BYTES_MAX, `${greedy.text.length - before} bytes`);
  assertEquals(meek.text, "MN\r\n");
  bed.settle();
  assertEquals(greedy.text.length - before, 3000 * 201);
});

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

/** Notes why connections were closed, which the log asks for while somebody watches for that. */
function noteReasons(bed: LoopBed): string[] {
  assert(bed.store.lines.join(new LinesCursor(Watched.CONNEVENTS)));
  return bed.reasons;
}

Deno.test("ConnLoop closes those that wait for longer than idle_timeout, and no others", () => {
  const bed = new LoopBed(makeStore(), { idleTimeout: 10 });
  const reasons = noteReasons(bed);
  const [idle, busy, stuck] = [bed.connect("mn\r\n"), bed.connect("mn\r\n"), bed.connect()];
  bed.network.arrive(stuck, "set k 0 0 5\r\nab");
  bed.turn();
  bed.now += 10;
  bed.turn();
  assertEquals(idle.isClosed, false, "not longer than that");
  bed.network.arrive(busy, "mn\r\n");
  bed.turn();
  bed.now += 1;
  bed.turn();
  assertEquals([idle, busy, stuck].map(({ isClosed }) => isClosed), [true, false, false]);
  assertEquals(reasons, ["idle_timeout"]);
  assertEquals(new Snapshot(bed.store.control).of("idle_kicks"), 1);
});

Deno.test("ConnLoop keeps a few watchers that send no more, those that came last", () => {
  const bed = new LoopBed(makeStore(), {}, { halfClosedMax: 2 });
  const reasons = noteReasons(bed);
  const watchers = Array.from({ length: 5 }, () => bed.connect("watch\r\n"));
  for (const index of [0, 1, 3, 4]) bed.network.end(watchers[index]!);
  bed.settle();
  bed.now += 1;
  bed.settle();
  assertEquals(watchers.map(({ isClosed }) => isClosed), [true, true, false, false, false]);
  assertEquals(reasons, ["normal", "normal"]);
  bed.network.end(watchers[2]!, true);
  bed.settle();
  assert(watchers[2]!.isClosed, "one that is gone is closed at once");
});

Deno.test("ConnLoop closes everybody when it ends, wherever they are", () => {
  const bed = new LoopBed(makeStore());
  const reasons = noteReasons(bed);
  const clients = Array.from({ length: 6 }, () => bed.connect());
  const inputs = ["mn\r\n", "mn\r\n".repeat(500), "set k 0 0 9\r\nab", "watch\r\n", "ge", "mn\r\n"];
  clients[5]!.room = 2;
  for (const [index, client] of clients.entries()) bed.network.arrive(client, inputs[index]!);
  bed.onDoorbell = () => bed.loop.stop();
  bed.ring();
  bed.loop.run();
  assert(clients.every(({ isClosed }) => isClosed));
  assertEquals(reasons, clients.map(() => "shutdown"));
  assertEquals(checkStore(bed.store), { problems: [], items: 0 });
  bed.shared.pool.countSpare();
  const totals = new Snapshot(bed.store.control);
  assertEquals(totals.of("read_buf_bytes_free"), totals.of("read_buf_bytes"));
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
  assertEquals(bed.connect("mn\r\n").text, "CLIENT_ERROR unauthenticated\r\n");
  assertEquals(new Snapshot(bed.store.control).of("connection_structures"), 1);
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

/** Requests that were timed, by command. */
function latencies({ store: { control, clock } }: LoopBed): readonly { readonly count: number }[] {
  return readSamples(control, 1, clock.now, 0)?.latencies ?? [];
}

Deno.test("ConnLoop times all requests of a connection, over as many turns as they take", () => {
  const bed = new LoopBed(makeStore({ takesSamples: true }), { reqsPerEvent: 5 });
  const client = bed.connect();
  bed.network.arrive(client, "mn\r\n".repeat(12) + "get k\r\n");
  bed.settle();
  assertEquals(latencies(bed).map(({ count }) => count), [13], "as the last one");
  bed.network.arrive(client, "set k 0 0 1\r\n");
  bed.settle();
  bed.network.arrive(client, "1\r\n");
  bed.settle();
  assertEquals(latencies(bed).map(({ count }) => count), [13, 1]);
});

Deno.test("ConnLoop.add() stops the worker at a descriptor that it serves", () => {
  const bed = new LoopBed(makeStore());
  const { fd } = bed.connect();
  assertThrows(() => bed.loop.add(fd, 0), InvariantError, "twice");
});
