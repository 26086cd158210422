// Which steps of the gate run, and which run side by side.

import { assertEquals, assertThrows } from "@std/assert";
import { chooseSteps, inLanes } from "./ok.ts";

const STEPS = ["fmt", "lint", "test"].map((name) => ({ name, args: [] }));

const CASES: readonly (readonly [only: string[], skip: string[], left: string])[] = [
  [[], [], "fmt lint test"],
  [["lint"], [], "lint"],
  [["test", "fmt"], [], "fmt test"],
  [[], ["test"], "fmt lint"],
  [["lint", "test"], ["test"], "lint"],
];

Deno.test("chooseSteps() keeps the order and takes --skip after --only", () => {
  for (const [only, skip, left] of CASES) {
    assertEquals(chooseSteps(STEPS, only, skip).map(({ name }) => name).join(" "), left);
  }
});

Deno.test("chooseSteps() refuses a step that does not exist", () => {
  for (const [only, skip] of [[["lnt"], []], [[], ["lnt"]]] as const) {
    const message = "Cannot run step lnt: there are fmt, lint, test";
    assertThrows(() => chooseSteps(STEPS, only, skip), RangeError, message);
  }
});

Deno.test("inLanes() runs the tests beside the other steps, and those in order", async () => {
  const log: string[] = [];
  const testing = Promise.withResolvers<void>();
  await inLanes(["fmt", "lint", "test"].map((name) => ({ name })), async ({ name }) => {
    log.push(`${name} begins`);
    if (name === "test") await testing.promise;
    log.push(`${name} ends`);
    if (name === "lint") testing.resolve();
  });
  const others = ["fmt begins", "fmt ends", "lint begins", "lint ends"];
  assertEquals(log.filter((line) => !line.startsWith("test")), others);
  assertEquals(log.indexOf("test begins") < log.indexOf("fmt ends"), true);
  assertEquals(log.at(-1), "test ends");
});
