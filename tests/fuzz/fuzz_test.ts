// Goal: the fuzzers run clean for a moment, and would notice a bug if there were one.

import { assert } from "@std/assert";
import { CANARY, drawSeed, runAll, runCanary, SMOKE } from "./main.ts";

Deno.test("runAll() finds nothing in a few short rounds", () => {
  for (const { name, ok, problems } of runAll({ ...SMOKE, seed: drawSeed() })) {
    assert(ok, `${name}: ${problems.join("; ")}`);
  }
});

Deno.test("runCanary() notices every bug that is planted", () => {
  const seed = drawSeed();
  for (const { name, ok } of runCanary({ ...CANARY, seed })) assert(ok, `${name}, --seed ${seed}`);
});
