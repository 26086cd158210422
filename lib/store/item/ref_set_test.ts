// Goal: the marks are those of a set, over the whole range of references.

import { assertEquals } from "@std/assert";
import { Prng } from "../../base/prng.ts";
import type { ItemRef } from "./item.ts";
import { RefSet } from "./ref_set.ts";

Deno.test("RefSet holds what was added, at the edges of words, pages and of the range", () => {
  const set = new RefSet();
  const edges = [1, 31, 32, 63, 131_071, 131_072, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1] as ItemRef[];
  for (const it of edges) {
    assertEquals([set.has(it), set.add(it), set.has(it), set.add(it)], [false, true, true, false]);
  }
  assertEquals(set.size, edges.length);
  for (const it of [0, 2, 30, 33, 2 ** 31 + 1] as ItemRef[]) assertEquals(set.has(it), false);
});

Deno.test("RefSet does as a Set does", () => {
  const prng = new Prng(1);
  const set = new RefSet();
  const model = new Set<number>();
  for (let step = 0; step < 20_000; step++) {
    const it = (prng.below(40) * 131_072 * 800 + prng.below(500)) % 2 ** 32 as ItemRef;
    assertEquals(set.add(it), !model.has(it));
    model.add(it);
    assertEquals(set.size, model.size);
  }
});
