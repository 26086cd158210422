// Which steps of the gate run.

import { assertEquals, assertThrows } from "@std/assert";
import { chooseSteps } from "./ok.ts";

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
