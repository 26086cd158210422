// Goal: no client takes more than its share of a turn, whatever it does.
// Method: count the calls and bytes of one that sends or reads without end, beside one that must be
// served in the same turn.

import { assert, assertEquals } from "@std/assert";
import { Snapshot } from "../stats/counters.ts";
import { makeStore } from "../store/store_fixture.ts";
import { RECEIVES_PER_TURN } from "./conn_input.ts";
import { addLines, LoopBed } from "./loop_fixture.ts";

const x = (count: number) => "x".repeat(count);

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

Deno.test("ConnLoop serves the others while a watcher reads lines without end", () => {
  const bed = new LoopBed(makeStore({ watcherLogbufSize: 2 ** 20 }));
  const [greedy, meek] = [bed.connect("watch\r\n"), bed.connect()];
  bed.settle();
  addLines(bed, 3000);
  const first = greedy.text.length;
  for (let turn = 0; turn < 2; turn++) {
    const before = [greedy.text.length, meek.text.length] as const;
    bed.network.arrive(meek, "mn\r\n");
    bed.turn();
    assert(greedy.text.length > before[0], "It has its turn");
    assert(greedy.text.length - before[0] <= TURN_BYTES_MAX, `${greedy.text.length - before[0]}`);
    assertEquals(meek.text.length - before[1], 4);
  }
  bed.settle();
  assertEquals(greedy.text.length - first, 3000 * 201);
});

Deno.test("ConnLoop gives a client no more of a turn for those that it did not use", () => {
  const bed = new LoopBed(makeStore(), { reqsPerEvent: 10 });
  const [fresh, modest] = [bed.connect(), bed.connect()];
  for (let turn = 0; turn < 100; turn++) {
    bed.network.arrive(modest, "mn\r\n");
    bed.turn();
  }
  for (const input of ["mn\r\n".repeat(50), "stats settings\r\n".repeat(50)]) {
    const received = [fresh, modest].map((client) => {
      const before = client.text.length;
      bed.network.arrive(client, input);
      bed.turn();
      const { length } = client.text;
      bed.settle();
      return length - before;
    });
    assertEquals(received[0], received[1]);
  }
});

Deno.test("ConnLoop ends a turn also where all that was received is answered", () => {
  const reqsPerEvent = 5;
  const bed = new LoopBed(makeStore(), { reqsPerEvent }, { comesShort: [true] });
  const client = bed.connect();
  client.endless = "mn\r\n";
  client.recvMax = 4; // One request at a time, and there may always be more.
  bed.network.wake(client.fd);
  for (let turn = 0; turn < 5; turn++) {
    const before = client.text.length;
    bed.turn();
    assert(client.text.length > before, "It has its turn");
    assert(client.text.length - before <= 4 * reqsPerEvent, `${client.text.length - before} bytes`);
    assertEquals(new Snapshot(bed.store.control).of("conn_yields"), turn + 1);
  }
});

Deno.test("ConnLoop goes on with an answer of many turns, with nothing left to receive", () => {
  const bed = new LoopBed(makeStore(), { reqsPerEvent: 1 });
  const client = bed.connect();
  const sets = Array.from({ length: 2000 }, (_, i) => `set k${i} 0 0 1\r\n1\r\n`);
  bed.network.arrive(client, sets.join(""));
  bed.settle();
  bed.network.arrive(client, "lru_crawler metadump all\r\n");
  bed.settle();
  assertEquals(client.text.split("\n").filter((line) => line.startsWith("key=")).length, 2000);
  assert(client.text.endsWith("END\r\n"));
});
