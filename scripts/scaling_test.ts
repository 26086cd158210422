import { assertAlmostEquals, assertEquals } from "@std/assert";
import { KETAMA, Ring } from "../tests/many/ring.ts";
import { lossOf, nodesAsked, spreadOf } from "./scaling.ts";

function ringOf(count: number): Ring {
  return new Ring(Array.from({ length: count }, (_, at) => `node-${at}`), KETAMA);
}

Deno.test("lossOf() is the share of the dead node, all of which is inherited", () => {
  const ring = ringOf(20);
  const { lost, moved, heirs, largestHeir } = lossOf(ring);
  assertAlmostEquals(lost, ring.shares()[0]!, 1e-9);
  assertEquals(moved, 0);
  assertEquals(heirs, 19);
  assertEquals(largestHeir > 1 / 19 && largestHeir < 0.5, true);
});

Deno.test("lossOf() finds what moves between living nodes when points are rounded down", () => {
  const { moved } = lossOf(ringOf(26));
  assertEquals(moved > 0.01 && moved < 0.05, true);
});

Deno.test("spreadOf() is about what random points give", () => {
  const { deviation, smallest, largest } = spreadOf([ringOf(100)]);
  assertAlmostEquals(deviation, 1 / Math.sqrt(160), 0.02);
  assertEquals(smallest < 1 && largest > 1, true);
});

Deno.test("nodesAsked() is between one and all nodes", () => {
  assertAlmostEquals(nodesAsked(1, 7), 1, 1e-9);
  assertAlmostEquals(nodesAsked(2, 4), 1.75, 1e-9);
  assertAlmostEquals(nodesAsked(10_000, 4), 4, 1e-9);
});
