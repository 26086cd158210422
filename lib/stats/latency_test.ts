// Goal: every time is in the bucket whose bound is the first not below it; samples of all threads
// add up, and stand for as many requests as they should.

import { assert, assertEquals } from "@std/assert";
import { makeControl } from "../memory/control_fixture.ts";
import {
  LATENCY_BOUNDS_US,
  LATENCY_BYTES,
  latencyBucket,
  LatencyWatch,
  readLatencies,
} from "./latency.ts";

const SIZES = { sampleBytes: 2 * LATENCY_BYTES };

Deno.test("LATENCY_BOUNDS_US go up from a microsecond to 16 seconds, by less than a third", () => {
  assertEquals(LATENCY_BOUNDS_US[0], 1);
  assertEquals(LATENCY_BOUNDS_US.at(-1), 2 ** 24);
  for (const [index, us] of LATENCY_BOUNDS_US.entries()) {
    const before = LATENCY_BOUNDS_US[index - 1] ?? us;
    assert(index === 0 || (us > before && us <= 1.25 * before), `${before} ${us}`);
  }
});

Deno.test("latencyBucket() finds the first bound that a time does not exceed", () => {
  const times = LATENCY_BOUNDS_US.flatMap((us) => [us * 0.999, us, us * 1.001]);
  for (const us of [0, 0.1, -1, NaN, 3.3, 777, 1e9, Infinity, ...times]) {
    const first = LATENCY_BOUNDS_US.findIndex((bound) => !(us > bound));
    assertEquals(latencyBucket(us), first < 0 ? LATENCY_BOUNDS_US.length : first, `${us}`);
  }
});

Deno.test("readLatencies() adds up what threads record in the turns that are looked at", () => {
  const control = makeControl(SIZES);
  const ats = [control.regions.samplesAt, control.regions.samplesAt + LATENCY_BYTES];
  const first = new LatencyWatch(control, ats[0]!, true, 1);
  const second = new LatencyWatch(control, ats[1]!, true, 2);
  first.beginTurn();
  assert(first.isTiming, "the first turn is looked at");
  first.record(3, 1);
  first.record(3, 16);
  second.beginTurn();
  second.record(3, 1);
  second.record(39, 2);

  const read = readLatencies(control, ats);
  assertEquals(read.map(({ kind, count }) => [kind, count]), [[3, 18], [39, 2]]);
  for (const { count, sumUs, buckets } of read) {
    assertEquals(buckets.length, LATENCY_BOUNDS_US.length + 1);
    assertEquals(buckets.reduce((sum, requests) => sum + requests), count);
    assert(sumUs > 0);
  }
});

Deno.test("of many turns few are looked at, and none where it is off", () => {
  const control = makeControl(SIZES);
  const watch = new LatencyWatch(control, control.regions.samplesAt, true, 1);
  let timed = 0;
  for (let turn = 0; turn < 1_000_000; turn++) {
    watch.beginTurn();
    if (!watch.isTiming) continue;
    timed++;
    watch.record(1, 1);
  }
  assert(timed < 20_000, `${timed} turns`);
  const [latencies] = readLatencies(control, [control.regions.samplesAt]);
  assert(Math.abs((latencies?.count ?? 0) / 1_000_000 - 1) < 0.25, `${latencies?.count}`);

  const off = new LatencyWatch(control, control.regions.samplesAt, false, 1);
  for (let turn = 0; turn < 1000; turn++) {
    off.beginTurn();
    assert(!off.isTiming);
  }
});
