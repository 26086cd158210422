// Goal: what is shown is what happened between two samples, and nothing is made up after a reset.

import { assertEquals } from "@std/assert";
import { figuresOf, wasReset } from "./figures.ts";
import { numberOf } from "./sample.ts";
import { linesOf, sampleAfter } from "./sample_fixture.ts";

const FIRST = sampleAfter();
const LATER = sampleAfter({
  atMs: 2000,
  general: `uptime 102
    cmd_get 1200
    get_hits 1000
    get_misses 200
    delete_hits 7
    bytes_read 14000
    bytes_written 60000
    rusage_user 2.5
    evictions 16
    reclaimed 3
    total_connections 12`,
  items: `items:1:evicted 14
    items:5:evicted 2
    items:5:evicted_time 33`,
  own: { sent: 1000, received: 9000 },
});

const kind = (figures: ReturnType<typeof figuresOf>, name: string) =>
  figures.kinds.find((it) => it.name === name);

Deno.test("numberOf() takes nothing but numbers", () => {
  const lines = linesOf("a 12\nb 1.5\nc -1\nd 1e9\ne NaN\nf 0x10\ng 1 2\nh Infinity");
  const names = [..."abcdefgh", "none"];
  const missing = Array.from({ length: 7 }, () => undefined);
  assertEquals(names.map((name) => numberOf(lines, name)), [12, 1.5, ...missing]);
  assertEquals(numberOf(new Map([["x", "9".repeat(400)]]), "x"), undefined);
});

Deno.test("figuresOf() counts per second between two samples", () => {
  const figures = figuresOf(LATER, FIRST, undefined);
  assertEquals(kind(figures, "get"), {
    name: "get",
    perSecond: 100,
    total: 1200,
    hitShare: 0.5,
  });
  assertEquals(kind(figures, "delete")?.perSecond, 2);
  assertEquals(kind(figures, "set")?.perSecond, 0);
  assertEquals(kind(figures, "cas"), {
    name: "cas",
    perSecond: undefined,
    total: undefined,
    hitShare: undefined,
  });
  assertEquals([figures.hitShare, figures.hitShareOfAll], [0.5, 1000 / 1200]);
  assertEquals([figures.cpuShare, figures.connectionsPerSecond], [0.5, 1]);
  assertEquals([figures.evictedPerSecond, figures.reclaimedPerSecond], [3, 0.5]);
});

Deno.test("figuresOf() leaves out what it has sent and received itself", () => {
  const figures = figuresOf(LATER, FIRST, undefined);
  assertEquals([figures.inPerSecond, figures.outPerSecond], [1500, 500]);
  const busy = { ...LATER, own: { sent: 1e9, received: 1e9 } };
  assertEquals(figuresOf(busy, FIRST, undefined).outPerSecond, 0);
});

Deno.test("figuresOf() has rates of each class, and the age of what the busiest evicts", () => {
  const { classes, evictedAge } = figuresOf(LATER, FIRST, undefined);
  assertEquals(classes.map((it) => [it.clsid, it.evictedPerSecond, it.bytes]), [
    [1, 2, 96 * 10922],
    [5, 1, 240 * 13107],
  ]);
  assertEquals(evictedAge, 90);
  assertEquals(figuresOf(FIRST, undefined, undefined).evictedAge, 90);
});

Deno.test("figuresOf() knows no rates of a first sample, but totals", () => {
  const figures = figuresOf(FIRST, undefined, undefined);
  assertEquals(kind(figures, "get")?.perSecond, undefined);
  assertEquals([kind(figures, "get")?.total, figures.hitShare], [1000, undefined]);
  assertEquals([figures.cpuShare, figures.outPerSecond], [undefined, undefined]);
});

Deno.test("figuresOf() counts totals from the baseline", () => {
  const figures = figuresOf(LATER, undefined, FIRST);
  assertEquals([kind(figures, "get")?.total, figures.evictedTotal], [200, 6]);
  assertEquals(figures.hitShareOfAll, 0.5);
});

Deno.test("a reset is seen by any counter that shrinks, and leaves no rates", () => {
  const reset = sampleAfter({
    atMs: 1000,
    general: "uptime 101\ncmd_get 3000\nget_hits 2\nget_misses 0\nrusage_user 2.5",
    items: "items:1:evicted 400",
  });
  assertEquals(wasReset(FIRST, reset), true);
  const figures = figuresOf(reset, FIRST, undefined);
  assertEquals(figures.kinds.map(({ perSecond }) => perSecond), Array(8).fill(undefined));
  assertEquals([figures.outPerSecond, figures.evictedPerSecond], [undefined, undefined]);
  assertEquals(figures.classes.map((it) => it.evictedPerSecond), [undefined, undefined]);
  // The time of the processor goes on.
  assertEquals(figures.cpuShare, 1);
});

Deno.test("a restart is seen by the process or by its age, even when counters have grown", () => {
  for (const general of ["pid 8\nuptime 500", "uptime 3"]) {
    const restarted = sampleAfter({ atMs: 1000, general: `${general}\ncmd_get 99999` });
    assertEquals(wasReset(FIRST, restarted), true, general);
    assertEquals(figuresOf(restarted, FIRST, undefined).cpuShare, undefined, general);
  }
  assertEquals(wasReset(FIRST, LATER), false);
});

Deno.test("figuresOf() makes do with the lines that are there", () => {
  const bare = sampleAfter({
    answers: {
      general: linesOf("version 1.2"),
      items: undefined,
      slabs: undefined,
      settings: undefined,
      conns: undefined,
    },
  });
  const figures = figuresOf({ ...bare, atMs: 1000 }, bare, undefined);
  assertEquals(figures.classes, []);
  assertEquals(figures.kinds.every(({ perSecond }) => perSecond === undefined), true);
  assertEquals(bare.connStates, undefined);
});

Deno.test("sampleOf() counts connections by state, listeners left out", () => {
  assertEquals([...FIRST.connStates ?? []], [["read", 2], ["parse_cmd", 1]]);
});

Deno.test("sampleOf() takes no class that memcached cannot have", () => {
  const items = linesOf("items:0:number 1\nitems:64:number 1\nitems:63:number 1\nitems:x:number 1");
  const { classes } = sampleAfter({ answers: { items, slabs: undefined } });
  assertEquals(classes.map(({ clsid }) => clsid), [63]);
});
