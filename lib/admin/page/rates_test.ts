// Goal: the page's arithmetic says what happened between two readings, and nothing where a counter
// went backwards.

import { assertAlmostEquals, assertEquals } from "@std/assert";
import * as format from "./format.js";
import { History, HISTORY_SECONDS } from "./history.js";
import { measuredBetween, measuredByCommand, merged, percentile } from "./percentiles.js";
import { isRestart, perSecond, ratesBetween, workerRates } from "./rates.js";
import { classMemory, memoryWords, totalMemory } from "./slab_memory.js";

type Stats = NonNullable<History["stats"]>;

const BOUNDS_US = [10, 100, 1000];

function statsOf(general: Record<string, number | string>, more: Partial<Stats> = {}): Stats {
  return {
    general: { pid: 7, uptime: 100, ...general },
    settings: {},
    items: {},
    slabs: {},
    conns: { listening: 1, open: 2, states: {} },
    ...more,
  };
}

Deno.test("ratesBetween() divides growth by time", () => {
  const rates = ratesBetween(
    statsOf({ cmd_get: 10, get_hits: 8, get_misses: 2, delete_hits: 1, rusage_user: 1.5 }),
    statsOf({ cmd_get: 30, get_hits: 23, get_misses: 7, delete_hits: 4, rusage_user: 2.5 }),
    2,
  );
  assertEquals([rates.gets, rates.sets, rates.others], [10, 0, 1.5]);
  assertEquals([rates.hitRatio, rates.cpu], [0.75, 0.5]);
});

Deno.test("ratesBetween() knows nothing but CPU time when a counter went backwards", () => {
  // 120 gets after the reset: by itself, their counter tells of 20.
  const { cpu, ...rates } = ratesBetween(
    statsOf({ cmd_get: 100, get_hits: 90, cmd_set: 9, rusage_user: 1 }),
    statsOf({ cmd_get: 120, get_hits: 120, cmd_set: 5, rusage_user: 2 }),
    2,
  );
  assertEquals(new Set(Object.values(rates)), new Set([null]));
  assertEquals(cpu, 0.5);
});

Deno.test("History tells no evictions of a class when counters were reset in between", () => {
  const history = historyOf([
    statsOf({ evictions: 9 }, { items: { 1: { evicted: 2 } } }),
    statsOf({ evictions: 8 }, { items: { 1: { evicted: 8 } } }),
    statsOf({ evictions: 9 }, { items: { 1: { evicted: 9 } } }),
  ]);
  assertEquals(history.columns.evictions, [null, null, 1]);
  assertEquals([...history.evictions], [["1", 1]]);
  history.add(statsOf({ evictions: 8 }, { items: { 1: { evicted: 30 } } }), 1003);
  assertEquals([...history.evictions], []);
});

Deno.test("perSecond() is null where no time has passed", () => {
  assertEquals([perSecond(1, 5, 0), perSecond(1, 5, 2), perSecond(5, 1, 2)], [null, 2, null]);
});

Deno.test("ratesBetween() has no hit ratio without gets", () => {
  assertEquals(ratesBetween(statsOf({}), statsOf({}), 1).hitRatio, null);
});

Deno.test("isRestart() sees another process, and a shorter life", () => {
  assertEquals(isRestart(statsOf({}), statsOf({ uptime: 101 })), false);
  assertEquals(isRestart(statsOf({}), statsOf({ uptime: 3 })), true);
  assertEquals(isRestart(statsOf({}), statsOf({ pid: 8, uptime: 200 })), true);
});

Deno.test("workerRates() leaves open what one that is new did before", () => {
  const worker = { connections: 3, cpuSeconds: 1, commands: 100, bytesRead: 5, bytesWritten: 9 };
  const rates = workerRates(
    [{ thread: 1, ...worker }],
    [
      { thread: 1, ...worker, commands: 150, cpuSeconds: 1.25 },
      { thread: 2, ...worker, cpuSeconds: null },
    ],
    0.5,
  );
  assertEquals(rates.map(({ commands, cpu }) => [commands, cpu]), [[100, 0.5], [null, null]]);
});

// deno-fmt-ignore
const PERCENTILES: readonly (readonly [buckets: number[], q: number, us: number | null])[] = [
  [[],             0.5,   null],
  [[0, 0, 0, 0],   0.99,  null],
  [[10, 0, 0, 0],  0.5,   5],
  [[10, 0, 0, 0],  1,     10],
  [[0, 4, 0, 0],   0.5,   55],
  [[5, 0, 5, 0],   0.5,   10],
  [[5, 0, 5, 0],   0.9,   820],
  [[99, 0, 0, 1],  0.99,  10],
  [[99, 0, 0, 1],  0.999, Infinity],
  [[0, 0, 0, 3],   0.01,  Infinity],
];

for (const [buckets, q, us] of PERCENTILES) {
  Deno.test(`percentile() of [${buckets}] at ${q} is ${us}`, () => {
    const found = percentile(BOUNDS_US, buckets, q);
    if (us === null || found === null) assertEquals(found, us);
    else assertAlmostEquals(found, us);
  });
}

Deno.test("measuredBetween() is what one histogram has more than the other", () => {
  const before = { count: 3, sumUs: 30, buckets: [2, 1, 0, 0] };
  const after = { count: 6, sumUs: 330, buckets: [3, 1, 2, 0] };
  assertEquals(measuredBetween(before, after), { count: 3, sumUs: 300, buckets: [1, 0, 2, 0] });
  assertEquals(measuredBetween(undefined, after), after);
  assertEquals(measuredBetween(after, before), null);
  assertEquals(measuredBetween({ ...before, buckets: [1] }, after), null);
});

Deno.test("measuredByCommand() starts anew with other bounds", () => {
  const commands = { get: { count: 1, sumUs: 1, buckets: [1, 0, 0, 0] } };
  const other = { boundsUs: [1, 2, 3], commands };
  assertEquals(measuredByCommand({ boundsUs: BOUNDS_US, commands }, other).size, 0);
  assertEquals(measuredByCommand(other, other).get("get")?.count, 0);
  assertEquals(merged([commands.get, commands.get]), { count: 2, sumUs: 2, buckets: [2, 0, 0, 0] });
});

/** A history of gets, one reading each second; undefined is a second without one. */
function historyOf(readings: readonly (Stats | undefined)[]): History {
  const history = new History();
  readings.forEach((stats, second) => {
    if (stats !== undefined) history.add(stats, 1000 + second);
  });
  return history;
}

Deno.test("History knows nothing of its first second, and all of the next ones", () => {
  const history = historyOf([statsOf({ cmd_get: 5 }), statsOf({ cmd_get: 9 })]);
  assertEquals(history.columns.gets, [null, 4]);
  assertEquals(history.columns.connections, [2, 2]);
  assertEquals(history.row.commands, 4);
});

Deno.test("History shows a gap where the stream was cut or the server restarted", () => {
  const cut = historyOf([
    statsOf({ cmd_get: 5 }),
    statsOf({ cmd_get: 9 }),
    ...Array(20).fill(undefined),
    statsOf({ cmd_get: 90 }),
    statsOf({ cmd_get: 92 }),
  ]);
  assertEquals(cut.columns.gets, [null, 4, null, null, 2]);
  const restarted = new History();
  assertEquals(restarted.add(statsOf({ cmd_get: 5 }), 1), false);
  assertEquals(restarted.add(statsOf({ pid: 9, uptime: 1, cmd_get: 7 }), 2), true);
  assertEquals(restarted.add(statsOf({ pid: 9, uptime: 2, cmd_get: 8 }), 3), false);
  assertEquals(restarted.columns.gets, [null, null, null, 1]);
});

Deno.test("History takes a reading once, and starts anew when the clock is put back", () => {
  const history = historyOf([statsOf({ cmd_get: 5 }), statsOf({ cmd_get: 9 })]);
  history.add(statsOf({ cmd_get: 9 }), 1001);
  assertEquals(history.at, [1000, 1001]);
  history.add(statsOf({ cmd_get: 9 }), 500);
  assertEquals([history.at, history.columns.gets], [[500], [null]]);
});

Deno.test("History keeps ten minutes", () => {
  const history = new History();
  for (let second = 0; second < 2000; second++) history.add(statsOf({ cmd_get: second }), second);
  assertEquals(history.at.length, HISTORY_SECONDS + 1);
  assertEquals([history.at[0], history.at.at(-1)], [1999 - HISTORY_SECONDS, 1999]);
  assertEquals(history.columns.gets.length, history.at.length);
});

Deno.test("History shows the latency of all commands, and of one that is chosen afterwards", () => {
  const latency = (get: number, set: number) => ({
    boundsUs: BOUNDS_US,
    commands: {
      get: { count: get, sumUs: get, buckets: [get, 0, 0, 0] },
      set: { count: set, sumUs: set, buckets: [0, 0, set, 0] },
    },
  });
  const history = historyOf([
    statsOf({}, { latency: latency(0, 0) }),
    statsOf({}, { latency: latency(10, 0) }),
    statsOf({}, { latency: latency(10, 10) }),
    statsOf({}, { latency: latency(10, 10) }),
  ]);
  assertEquals(history.columns.p50, [null, 5, 550, null]);
  assertEquals(history.commands, ["get", "set"]);
  assertEquals(history.recentLatency.get("get")?.count, 10);
  history.chooseCommand("set");
  assertEquals(history.columns.p50, [null, null, 550, null]);
});

Deno.test("History.copy() stands still, and shows another command all the same", () => {
  const latency = (get: number) => ({
    boundsUs: BOUNDS_US,
    commands: { get: { count: get, sumUs: get, buckets: [get, 0, 0, 0] } },
  });
  const history = historyOf([
    statsOf({ cmd_get: 1 }, { latency: latency(0) }),
    statsOf({ cmd_get: 3 }, { latency: latency(2) }),
  ]);
  const copy = history.copy();
  history.add(statsOf({ cmd_get: 9 }, { latency: latency(8) }), 1002);
  copy.chooseCommand("set");
  assertEquals([copy.at, copy.columns.gets, copy.columns.p50], [[1000, 1001], [null, 2], [
    null,
    null,
  ]]);
  assertEquals([history.columns.gets, history.columns.p50], [[null, 2, 6], [null, 5, 5]]);
  copy.chooseCommand("");
  assertEquals([copy.columns.p50, copy.row.gets], [[null, 5], 2]);
});

Deno.test("History goes on without members that another server does not have", () => {
  const history = historyOf([statsOf({}), statsOf({})]);
  assertEquals([history.row.p99, history.workers, history.commands], [null, [], []]);
});

Deno.test("classMemory() divides the pages of a class among its lists, and misses no byte", () => {
  const stats = statsOf({ total_malloced: 4000 }, {
    slabs: {
      2: { chunk_size: 100, total_pages: 3, used_chunks: 20 },
      1: { chunk_size: 50, total_pages: 1, used_chunks: 0 },
      3: { chunk_size: 200, total_pages: 0, used_chunks: 0 },
    },
    items: { 2: { number: 20, number_hot: 5, number_cold: 15, mem_requested: 1600 } },
  });
  const classes = classMemory(stats);
  assertEquals(classes.map(({ slab, bytes }) => [slab, bytes]), [["1", 1000], ["2", 3000]]);
  const parts = { hot: 400, warm: 0, cold: 1200, temp: 0, wasted: 400, free: 1000 };
  assertEquals(classes[1]?.parts, parts);
  assertEquals(totalMemory(classes, 10_000), {
    parts: { ...parts, free: 2000 },
    taken: 4000,
    unassigned: 6000,
  });
});

Deno.test("memoryWords() tells of pages beyond the limit, and shares of what is taken", () => {
  const pageBytes = 2 ** 20;
  const slabs = Object.fromEntries(Array.from({ length: 28 }, (_, at) => [
    at + 1,
    { chunk_size: pageBytes / 4, total_pages: 1, used_chunks: 1 },
  ]));
  const classes = classMemory(statsOf({ total_malloced: 28 * pageBytes }, { slabs }));
  assertEquals(
    memoryWords(classes, 2 * pageBytes),
    "28 classes have 28 MiB, limit 2 MiB. Of those, 75.0 % are free chunks and 25.0 % are " +
      "wasted in chunks that are too large.",
  );
  assertEquals(
    memoryWords(classes, 64 * pageBytes).slice(0, 34),
    "28 classes have 28 MiB of 64 MiB. ",
  );
  assertEquals(
    memoryWords([], 2 * pageBytes),
    "All 2 MiB are free: no item has been stored yet.",
  );
});

Deno.test("classMemory() takes no more for a large item than its class has", () => {
  const stats = statsOf({ total_malloced: 1000 }, {
    slabs: { 1: { chunk_size: 100, total_pages: 1, used_chunks: 1 } },
    items: { 1: { number: 1, number_hot: 1, mem_requested: 5_000_000 } },
  });
  assertEquals(classMemory(stats)[0]?.parts.hot, 100);
});

// deno-fmt-ignore
const TEXTS: readonly (readonly [text: string, wanted: string])[] = [
  [format.bytes(0), "0 B"], [format.bytes(1000), "0.977 KiB"], [format.bytes(2 ** 20), "1 MiB"],
  [format.bytes(null), "–"], [format.micros(12.34), "12.3 µs"], [format.micros(1500), "1.5 ms"],
  [format.micros(Infinity), "off the scale"], [format.percent(0.99999), "> 99.9 %"],
  [format.percent(1), "100 %"], [format.percent(0.5), "50.0 %"], [format.percent(null), "–"],
  [format.rate(0), "0"], [format.rate(0.1234), "0.123"], [format.rate(12345.6), "12,346"],
  [format.span(0), "0 s"], [format.span(61), "1 min 1 s"], [format.span(86_400), "1 d"],
  [format.span(90_061), "1 d 1 h"], [format.compact(1_234_567), "1.23M"],
];

Deno.test("numbers are shown as people read them", () => {
  for (const [text, wanted] of TEXTS) assertEquals(text, wanted);
});
