// Goal: no two regions share a line, and none reaches beyond the memory.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import {
  Global,
  LINE_BYTES,
  makeControlMemory,
  openControl,
  planRegions,
  type RegionSizes,
  wordIndex,
} from "./regions.ts";

const SIZES: readonly RegionSizes[] = [
  {
    shards: 1,
    slabClasses: 1,
    lrus: 1,
    pages: 1,
    counterThreads: 1,
    countersPerThread: 1,
    tunables: 3,
    bumpsPerThread: 16,
    itemSizes: 5,
    conns: 7,
    connNameBytes: 128,
    loginWords: 7,
    prefixWords: 0,
    logRingBytes: 4096,
    logLinesBytes: 8192,
    sampleBytes: 128,
  },
  {
    shards: 4,
    slabClasses: 3,
    lrus: 5,
    pages: 17,
    counterThreads: 3,
    countersPerThread: 9,
    tunables: 3,
    bumpsPerThread: 16,
    itemSizes: 5,
    conns: 7,
    connNameBytes: 128,
    loginWords: 7,
    prefixWords: 0,
    logRingBytes: 4096,
    logLinesBytes: 8192,
    sampleBytes: 128,
  },
  {
    shards: 1024,
    slabClasses: 64,
    lrus: 256,
    pages: 97,
    counterThreads: 5,
    countersPerThread: 999,
    tunables: 3,
    bumpsPerThread: 16,
    itemSizes: 5,
    conns: 7,
    connNameBytes: 128,
    loginWords: 7,
    prefixWords: 0,
    logRingBytes: 4096,
    logLinesBytes: 8192,
    sampleBytes: 128,
  },
  {
    shards: 2,
    slabClasses: 2,
    lrus: 2,
    pages: 16,
    counterThreads: 2,
    countersPerThread: 8,
    tunables: 3,
    bumpsPerThread: 16,
    itemSizes: 5,
    conns: 7,
    connNameBytes: 128,
    loginWords: 7,
    prefixWords: 0,
    logRingBytes: 4096,
    logLinesBytes: 8192,
    sampleBytes: 128,
  },
];

for (const sizes of SIZES) {
  Deno.test(`planRegions() keeps ${sizes.shards} shards and all else on lines of their own`, () => {
    const plan = planRegions(sizes);
    const globalsEnd = (Math.max(...Object.values(Global)) + 1) * 4;
    const regions: readonly (readonly [name: string, at: number, bytes: number])[] = [
      ["globals", 0, globalsEnd],
      ["shards", plan.shardsAt, sizes.shards * LINE_BYTES],
      ["slabs", plan.slabsAt, sizes.slabClasses * LINE_BYTES],
      ["pages", plan.pagesAt, LINE_BYTES],
      ["page owners", plan.pageOwnersAt, sizes.pages * 4],
      ["lrus", plan.lrusAt, sizes.lrus * LINE_BYTES],
      ["counters", plan.countersAt, plan.counterStride * sizes.counterThreads],
      ["conns", plan.connsAt, sizes.conns * 16],
      ["samples", plan.samplesAt, sizes.sampleBytes * sizes.counterThreads],
      ["logins", plan.loginsAt, sizes.loginWords * 4],
      ["baseline", plan.baselineAt, sizes.countersPerThread * 8],
      ["end", plan.bytes, 0],
    ];
    const sorted = regions.toSorted(([, a], [, b]) => a - b);
    sorted.forEach(([name, at, bytes], index) => {
      assertEquals(at % LINE_BYTES, 0, name);
      const next = sorted[index + 1];
      if (next !== undefined) assert(at + bytes <= next[1], `${name} reaches into ${next[0]}`);
    });
    assert(plan.counterStride >= sizes.countersPerThread * 8);
    assertEquals(plan.counterStride % LINE_BYTES, 0);
    assertEquals(sorted.at(-1)?.[0], "end");
  });
}

Deno.test("Global gives each word a place of its own, and those written often a line", () => {
  const places = Object.values(Global);
  assertEquals(new Set(places).size, places.length);
  const lineOf = (word: number) => Math.floor(word * 4 / LINE_BYTES);
  assertEquals(lineOf(Global.CAS_LOW), lineOf(Global.CAS_EPOCH));
  for (const often of [Global.CURR_CONNS, Global.CAS_LOW]) {
    assert(lineOf(often) !== lineOf(Global.NOW), `word ${often}`);
  }
});

Deno.test("openControl() views one memory, and refuses that of another plan", () => {
  const plan = planRegions(SIZES[0]!);
  const memory = makeControlMemory(plan);
  const [a, b] = [openControl(memory, plan), openControl(memory, plan)];
  a.u32[wordIndex(plan.shardsAt)] = 0xffffffff;
  assertEquals(b.i32[wordIndex(plan.shardsAt)], -1);
  assertThrows(() => openControl(memory, planRegions(SIZES[1]!)), InvariantError);
});
