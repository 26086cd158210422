import { assertEquals, assertThrows } from "@std/assert";
import { markdownTable, Pace, thousands, wholeNumber, wholeNumbers } from "./comparison.ts";

Deno.test("Pace.take() waits until the last ones are due, and catches up", () => {
  const pace = new Pace(1000, 500);
  assertEquals(pace.take(100, 500), 0);
  assertEquals(pace.take(100, 510), 90);
  assertEquals(pace.take(100, 900), 0);
  assertEquals(pace.take(100, 900), 0);
  assertEquals(pace.take(100, 900), 0);
  assertEquals(pace.take(100, 900), 100);
});

Deno.test("Pace.take() never waits without a rate", () => {
  const pace = new Pace(0, 0);
  assertEquals([pace.take(1e9, 0), pace.take(1e9, 0)], [0, 0]);
});

Deno.test("markdownTable() puts a rule below the head", () => {
  assertEquals(markdownTable(["a", "b"], [["x", "1"]]), "| a | b |\n| --- | ---: |\n| x | 1 |\n");
});

Deno.test("wholeNumber() refuses what is none", () => {
  assertEquals(wholeNumber("rate", "0", 0), 0);
  assertEquals(wholeNumbers("sizes", "10,50"), [10, 50]);
  for (const text of ["0", "-1", "1.5", "x", ""]) {
    assertThrows(() => wholeNumber("rate", text), Error, "--rate");
  }
  assertThrows(() => wholeNumbers("sizes", "10,"));
});

Deno.test("thousands() rounds and groups", () => {
  assertEquals(thousands(1234567.6), "1,234,568");
});
