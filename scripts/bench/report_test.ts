import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { median, type Run, summarize, toMarkdown } from "./report.ts";

const run = (opsPerSecond: number, cpuMicrosPerOp: number): Run => ({
  opsPerSecond,
  cpuMicrosPerOp,
  busyCores: 1,
});

const PAIRS = [
  { memcached: run(100, 4), memden: run(200, 2) },
  { memcached: run(1000, 8), memden: run(900, 8) },
  { memcached: run(10, 1), memden: run(15, 3) },
];

Deno.test("median() takes the middle, or the mean of the middle two", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([10, 4, 1, 2]), 3);
  assertThrows(() => median([]));
});

Deno.test("summarize() forms ratios pair by pair, not from the medians", () => {
  const summary = summarize("x", "y", PAIRS);
  assertEquals(summary.memcached.opsPerSecond, 100);
  assertEquals(summary.memden.opsPerSecond, 200);
  assertEquals(summary.opsRatio, { min: 0.9, median: 1.5, max: 2 });
  assertEquals(summary.cpuRatio, { min: 0.5, median: 1, max: 3 });
});

Deno.test("toMarkdown() writes settings, a row per workload, and what has no numbers", () => {
  const text = toMarkdown({ threads: 1 }, [summarize("get", "100 B", PAIRS)], {
    skipped: ["no memcaslap"],
    failed: ["wrong value"],
  });
  assertStringIncludes(text, "- threads: 1\n");
  assertStringIncludes(
    text,
    "| get: 100 B | 100 | 200 | 1.50 (0.90–2.00) | 4.00 | 3.00 | 1.00 (0.50–3.00) | 1.00 / 1.00 |",
  );
  assertStringIncludes(text, "**SKIPPED** no memcaslap\n\n**FAILED** wrong value\n");
});
