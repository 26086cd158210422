// Goal: series show what `stats` shows, by the exporter's rules. All of them are compared
// with the exporter's reading of a running server in tests/server/admin_test.ts.

import { assert, assertEquals } from "@std/assert";
import type { Family } from "./family.ts";
import { byClass, familiesOf } from "./series.ts";
import { viewAfter } from "./stats_fixture.ts";

const COMMANDS = "set a 0 0 1\r\n1\r\nget a b\r\ncas a 0 0 1 99\r\n2\r\ncas z 0 0 1 1\r\n2\r\n" +
  `set b 0 0 900\r\n${"x".repeat(900)}\r\ndelete c\r\n`;

function familiesAfter(input: string): Map<string, Family> {
  const families = familiesOf(viewAfter(input).view);
  assertEquals(new Set(families.map(({ name }) => name)).size, families.length, "each once");
  return new Map(families.map((family) => [family.name, family]));
}

/** The values of one family, by the values of their labels. */
function valuesOf(families: Map<string, Family>, name: string): Record<string, number> {
  const { samples = [] } = families.get(name) ?? {};
  return Object.fromEntries(
    samples.map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );
}

Deno.test("familiesOf() counts commands by outcome, a cas not as a set", () => {
  const commands = valuesOf(familiesAfter(COMMANDS), "memcached_commands_total");
  assertEquals(
    ["get hit", "get miss", "set hit", "cas hit", "cas miss", "cas badval", "delete miss"].map(
      (name) => commands[name],
    ),
    [1, 1, 2, 0, 1, 1, 1],
  );
});

Deno.test("familiesOf() shows each slab class by a label", () => {
  const families = familiesAfter(COMMANDS);
  const items = valuesOf(families, "memcached_slab_current_items");
  assertEquals(Object.values(items), [1, 1]);
  assertEquals(
    Object.keys(items),
    Object.keys(valuesOf(families, "memcached_slab_current_pages")),
  );
  const [small] = Object.keys(items);
  const hits = valuesOf(families, "memcached_slab_lru_hits_total");
  assertEquals(hits[`${small} hot`], 1);
  assertEquals(valuesOf(families, "memcached_slab_commands_total")[`${small} get hit`], 1);
});

Deno.test("familiesOf() has nothing of classes in an empty store", () => {
  const families = familiesAfter("");
  assertEquals([...families.keys()].filter((name) => name.startsWith("memcached_slab_")), []);
  assertEquals(valuesOf(families, "memcached_up"), { "": 1 });
  assert([...families.values()].flatMap(({ samples }) => samples).every(({ value }) => value >= 0));
});

Deno.test("familiesOf() leaves out what the settings have turned off", () => {
  const { view } = viewAfter("", { lruCrawler: false, maxconnsFast: false });
  const names = familiesOf(view).map(({ name }) => name);
  assert(!names.includes("memcached_connections_rejected_total"));
  assert(!names.includes("memcached_lru_crawler_starts_total"));
});

Deno.test("byClass() sorts lines by their class", () => {
  const { classes, totals } = byClass([["items:1:a", "5"], ["12:b", "6"], ["active_slabs", "2"]]);
  assertEquals([...classes].map(([slab, stats]) => [slab, ...stats]), [
    ["1", ["a", "5"]],
    ["12", ["b", "6"]],
  ]);
  assertEquals(totals, [["active_slabs", "2"]]);
});
