// Goal: pages move to where items are evicted young, from where they grow old, and only then.

import { assertEquals } from "@std/assert";
import { POOL } from "../control/requests.ts";
import { type ClassState, sourceFor } from "../room/page_source.ts";
import { SlabAutomove } from "./automove.ts";

const SECONDS = 10;
const RATIO = 0.8;

const CALM = { evicted: 0, outofmemory: 0, pages: 10, freeChunks: 0, perPage: 100, age: 100 };

function state(clsid: number, rest: Partial<ClassState>): ClassState {
  return { ...CALM, clsid, ...rest };
}

/** The decision after `seconds` seconds of what `at` says. */
function after(seconds: number, at: (second: number) => ClassState[]) {
  const automove = new SlabAutomove();
  for (let second = 0; second < seconds; second++) automove.observe(at(second), SECONDS);
  return automove.decide(at(seconds - 1), SECONDS, RATIO);
}

const OLD = state(3, { age: 1000 });

const CASES: readonly (readonly [
  name: string,
  seconds: number,
  at: (second: number) => ClassState[],
  move: { from: number; to: number } | undefined,
])[] = [
  ["moves a page to the class that evicts youngest", 12, (s) => [
    state(1, { age: 5, evicted: s }),
    state(2, { age: 500, evicted: s }),
    OLD,
  ], { from: 3, to: 1 }],
  ["counts failed allocations as evictions", 12, (s) => [
    state(1, { age: 5, outofmemory: s }),
    OLD,
  ], { from: 3, to: 1 }],
  [
    "waits for half a window of evictions",
    5,
    (s) => [state(1, { age: 5, evicted: s }), OLD],
    undefined,
  ],
  ["does nothing for evictions that are over", 12, (s) => [
    state(1, { age: 5, evicted: Math.min(s, 10) }),
    OLD,
  ], undefined],
  ["does nothing when ages are alike", 12, (s) => [
    state(1, { age: 900, evicted: s }),
    OLD,
  ], undefined],
  ["takes none from a class of two pages", 12, (s) => [
    state(1, { age: 5, evicted: s }),
    state(3, { age: 1000, pages: 2 }),
  ], undefined],
  ["takes free pages of a class that was quiet for a window", 12, () => [
    state(1, { freeChunks: 260 }),
  ], { from: 1, to: POOL }],
  ["leaves two and a half free pages", 12, () => [state(1, { freeChunks: 250 })], undefined],
  ["leaves free pages of a class that evicted lately", 12, (s) => [
    state(1, { freeChunks: 260, evicted: s === 6 ? 0 : s }),
  ], undefined],
  ["leaves free pages of a class that has just got them", 12, (s) => [
    state(1, { freeChunks: 260, pages: s > 8 ? 11 : 10 }),
  ], undefined],
  ["leaves free pages until a window is full", 9, () => [state(1, { freeChunks: 260 })], undefined],
];

for (const [name, seconds, at, move] of CASES) {
  Deno.test(`SlabAutomove ${name}`, () => assertEquals(after(seconds, at), move));
}

Deno.test("sourceFor() prefers a free page, then age, then many pages, and never the needy", () => {
  const young = state(1, { age: 1 });
  const old = state(2, { age: 50 });
  const free = state(3, { age: 0, freeChunks: 100 });
  const single = state(4, { age: 9999, pages: 1 });
  assertEquals(sourceFor([young, old, free, single], 9), 3);
  assertEquals(sourceFor([young, old, free, single], 3), 2);
  assertEquals(sourceFor([young, single], 1), undefined);
  assertEquals(sourceFor([young, state(5, { age: 1, pages: 11 })], 9), 5);
});
