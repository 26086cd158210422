// Goal: the loop closes whom it should close, says why, and leaves nothing behind.
// Method: a scripted network, a clock that the test sets, and a store that is walked at the end.

import { assert, assertEquals } from "@std/assert";
import { Watched } from "../log/event_log.ts";
import { LinesCursor } from "../log/lines.ts";
import { Snapshot } from "../stats/counters.ts";
import { checkStore } from "../store/check.ts";
import { makeStore } from "../store/store_fixture.ts";
import { LoopBed } from "./loop_fixture.ts";

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

Deno.test("ConnLoop closes nobody for its silence without idle_timeout", () => {
  const bed = new LoopBed(makeStore());
  const client = bed.connect("mn\r\n");
  bed.now += 1_000_000;
  bed.turn();
  assertEquals(client.isClosed, false);
});

Deno.test("ConnLoop counts the time of a connection that says nothing from when it came", () => {
  const bed = new LoopBed(makeStore(), { idleTimeout: 10 });
  bed.now += 100;
  bed.turn();
  const client = bed.connect();
  bed.now += 1;
  bed.turn();
  assertEquals(client.isClosed, false);
  bed.now += 10;
  bed.turn();
  assertEquals(client.isClosed, true);
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
