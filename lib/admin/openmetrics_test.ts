// Goal: what is written is valid in both formats, by the same names, and the Accept header decides.

import { assertEquals } from "@std/assert";
import { parseExposition } from "../../tests/support/exposition.ts";
import { chooseFormat, writeExposition } from "./openmetrics.ts";
import type { Family } from "./family.ts";

const FAMILIES: readonly Family[] = [
  {
    name: "a_total",
    kind: "counter",
    help: "A counter\\ with a\nline end",
    samples: [{ labels: { slab: "1" }, value: 0 }, { labels: { slab: "2" }, value: 2 ** 53 - 1 }],
  },
  { name: "b_seconds", kind: "counter", help: "No suffix", samples: [{ labels: {}, value: 1.5 }] },
  { name: "c", kind: "gauge", help: "A gauge", samples: [{ labels: { v: 'x"y\\z' }, value: -1 }] },
];
const SERIES = ['a_total{slab="1"}', 'a_total{slab="2"}', "b_seconds", 'c{v="x\\"y\\\\z"}'];

for (const format of ["text", "openmetrics"] as const) {
  Deno.test(`writeExposition() writes ${format}, by the same names`, async () => {
    const { text, contentType } = await writeExposition(FAMILIES, format);
    const isOpen = format === "openmetrics";
    const { types, values } = parseExposition(text, isOpen);
    assertEquals([...values.keys()], SERIES);
    assertEquals([...values.values()], [0, 2 ** 53 - 1, 1.5, -1]);
    assertEquals(types.get("b_seconds"), isOpen ? "gauge" : "counter");
    const type = isOpen
      ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
      : "text/plain; version=0.0.4; charset=utf-8";
    assertEquals(contentType, type);
  });
}

const ACCEPTS: readonly (readonly [accept: string | null, format: string])[] = [
  [null, "text"],
  ["", "text"],
  ["*/*", "text"],
  ["text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "text"],
  ["text/plain;version=0.0.4", "text"],
  ["application/openmetrics-text", "openmetrics"],
  ["Application/OpenMetrics-Text; version=1.0.0", "openmetrics"],
  ["application/openmetrics-text;q=0", "text"],
  ["application/openmetrics-text;q=x", "text"],
  ["application/openmetrics-text;q=0.2,text/plain;q=0.5", "text"],
  // What Prometheus sends.
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6," +
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;q=0.4," +
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "openmetrics",
  ],
];

for (const [accept, format] of ACCEPTS) {
  Deno.test(`chooseFormat() takes ${format} for ${accept}`, () => {
    assertEquals(chooseFormat(accept), format);
  });
}
