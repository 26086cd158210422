// The order of the layers follows from what each may import.

import { assertEquals, assertThrows } from "@std/assert";
import { layerLevels, layerOrder } from "./layers.ts";

const layers = (rows: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(
    Object.entries(rows).map(([name, folders]) => [name, { folders, packages: [], mustNever: "" }]),
  );

Deno.test("layerLevels() puts each folder above all that it may import", () => {
  const rows = layers({ net: ["base", "store"], store: ["base"], base: [], cli: ["base"] });
  assertEquals(layerLevels(rows), [["base"], ["store", "cli"], ["net"]]);
  assertEquals(layerOrder(rows), ["base", "store", "cli", "net"]);
});

Deno.test("layerLevels() refuses a circle, and a folder that has no row", () => {
  assertThrows(() => layerLevels(layers({ a: ["b"], b: ["a"], c: [] })), RangeError, "a, b");
  assertThrows(() => layerLevels(layers({ a: ["b"] })), RangeError, "a");
});

Deno.test("layerLevels() orders the table of this repository", () => {
  assertEquals(layerOrder()[0], "base");
});
