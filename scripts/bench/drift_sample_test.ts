import { assertAlmostEquals, assertEquals } from "@std/assert";
import { busiestClass, parseClassCounts, type Sample, tailOf } from "./drift_sample.ts";

Deno.test("parseClassCounts() puts items and slabs together", () => {
  const items = new Map([["items:4:number", "7"], ["items:4:age", "1"]]);
  const slabs = new Map([
    ["4:total_pages", "2"],
    ["4:cmd_set", "9"],
    ["15:total_pages", "1"],
    ["active_slabs", "2"],
  ]);
  assertEquals([...parseClassCounts(items, slabs)], [
    [4, { items: 7, pages: 2, sets: 9 }],
    [15, { items: 0, pages: 1, sets: 0 }],
  ]);
});

Deno.test("busiestClass() goes by what has come since", () => {
  const count = (sets: number) => ({ items: 0, pages: 1, sets });
  const before = new Map([[4, count(1000)]]);
  const after = new Map([[4, count(1001)], [15, count(50)], [16, count(3)]]);
  assertEquals(busiestClass(before, after), 15);
  assertEquals(busiestClass(after, after), 0);
});

Deno.test("tailOf() takes the last seconds, however few there are", () => {
  const sample = (second: number, sent: number, evictions: number): Sample => ({
    ...{ second, sent, evictions },
    ...{ refused: 0, small: undefined, large: undefined, slabsMoved: undefined },
  });
  const samples = [sample(0, 0, 5), sample(5.01, 100, 5), sample(10, 200, 55), sample(15, 300, 80)];
  const { seconds, evictionsPerSet } = tailOf(samples, 10);
  assertAlmostEquals(seconds, 9.99);
  assertEquals(evictionsPerSet, 75 / 200);
  assertEquals(tailOf(samples, 60).evictionsPerSet, 75 / 300);
  assertEquals(tailOf(samples.slice(0, 1), 10).evictionsPerSet, 0);
});
