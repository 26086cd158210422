// Goal: the same seed draws the same numbers, for ever, and they are spread evenly.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Prng } from "./prng.ts";

function draw(seed: number, count: number): number[] {
  const prng = new Prng(seed);
  return Array.from({ length: count }, () => prng.next());
}

Deno.test("Prng.next() depends on the seed only", () => {
  assertEquals(draw(1, 50), draw(1, 50));
  assertNotEquals(draw(1, 50), draw(2, 50));
  assertEquals(draw(2 ** 32 + 5, 5), draw(5, 5), "A seed has 32 bits");
});

Deno.test("Prng.next() is Mulberry32", () => {
  // Source: the generator's published code, run for seed 0.
  assertEquals(draw(0, 3), [1144304738, 1416247, 958946056]);
});

Deno.test("Prng.below() stays below, and draws each number about as often", () => {
  const prng = new Prng(3);
  const counts = new Array<number>(10).fill(0);
  for (let n = 0; n < 10_000; n++) counts[prng.below(10)]! += 1;
  assertEquals(counts.length, 10);
  for (const count of counts) assert(count > 850 && count < 1150, String(counts));
  assertEquals(prng.below(1), 0);
  assertEquals(prng.below(0), 0);
});

Deno.test("Prng.pick() picks elements, all of them", () => {
  const prng = new Prng(4);
  const list = ["a", "b", "c"] as const;
  const picked = new Set(Array.from({ length: 100 }, () => prng.pick(list)));
  assertEquals(picked, new Set(list));
});
