// Goal: what the admin server shows of requests and connections is what was there.

import { assertEquals } from "@std/assert";
import { latin1 } from "../base/ascii.ts";
import { Op, packet } from "../../tests/support/packets.ts";
import { Verb } from "../protocol/text/commands.ts";
import { readSamples, Workload } from "../stats/samples.ts";
import { makeStore } from "../store/store_fixture.ts";
import { LoopBed } from "./loop_fixture.ts";

/** Requests that were timed, by command. */
function latencies({ store: { control, clock } }: LoopBed): readonly { readonly count: number }[] {
  return readSamples(control, 1, clock.now, 0)?.latencies ?? [];
}

Deno.test("ConnLoop counts the connections that it has", () => {
  const bed = new LoopBed(makeStore({ takesSamples: true }));
  const connections = () => readSamples(bed.store.control, 1, 0, 0)?.loads[0]?.connections;
  const [first] = [bed.connect(), bed.connect()];
  assertEquals(connections(), 2);
  bed.network.end(first);
  bed.settle();
  assertEquals(connections(), 1);
});

Deno.test("ConnLoop notes its CPU time each second", () => {
  const store = makeStore({ takesSamples: true });
  let seconds = 1.5;
  const workload = new Workload(store.control, 1, () => seconds);
  const bed = new LoopBed(store, {}, { workload });
  const noted = () => readSamples(store.control, 1, 0, 0)?.loads[0]?.cpuSeconds;
  seconds = 2.5;
  bed.turn();
  assertEquals(noted(), 1.5);
  bed.now += 1;
  bed.turn();
  assertEquals(noted(), 2.5);
});

Deno.test("ConnLoop does not time what began in a turn that is not timed", () => {
  const bed = new LoopBed(makeStore({ takesSamples: true }), { reqsPerEvent: 5 });
  bed.connect("mn\r\n".repeat(12)); // When it is taken over, no turn is timed.
  bed.settle();
  assertEquals(latencies(bed), []);
});

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

Deno.test("ConnLoop times packets by their command, a stored value by the turn it came in", () => {
  const bed = new LoopBed(makeStore({ takesSamples: true }));
  const client = bed.connect();
  const timed = () => readSamples(bed.store.control, 1, 0, 0)?.latencies.map(({ kind }) => kind);
  bed.network.arrive(client, latin1(packet({ op: Op.GET, key: "k" })));
  bed.settle();
  assertEquals(timed(), [Verb.GET]);
  const set = latin1(packet({ op: Op.SET, key: "k", extras: "\0".repeat(8), value: "abc" }));
  bed.network.arrive(client, set.slice(0, -1));
  bed.settle();
  bed.network.arrive(client, set.slice(-1));
  bed.settle();
  assertEquals(timed(), [Verb.GET, Verb.SET]);
});
