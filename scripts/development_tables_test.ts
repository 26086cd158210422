// The tables of CONTRIBUTING.md name every task, step, program and layer once.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  firstSentence,
  isProgram,
  layerTable,
  programTable,
  stepTable,
  taskTable,
} from "./development_tables.ts";
import { LAYERS } from "./layers.ts";
import { STEPS } from "./ok.ts";

Deno.test("taskTable() refuses a task without a description", () => {
  const described = { a: { description: "does a", command: "deno run a.ts" } };
  assertEquals(taskTable(described), [["task", "what it does"], ["`deno task a`", "does a"]]);
  const bare = { ...described, b: { command: "deno run b.ts" } };
  assertThrows(() => taskTable(bare), Error, "The task b has no description");
});

Deno.test("stepTable() and layerTable() have a row for each", () => {
  assertEquals(stepTable().length, 1 + STEPS.length);
  assertEquals(layerTable().length, 1 + Object.keys(LAYERS).length);
  assertEquals(layerTable()[1]?.[0], "`base`");
});

Deno.test("isProgram() knows what is started by its path, and is neither task nor step", () => {
  const main = "// It.\n\nif (import.meta.main) await main();\n";
  assertEquals(isProgram("scripts/a.ts", main, []), true);
  assertEquals(isProgram("scripts/a.ts", "// It.\n//   deno run -A scripts/a.ts\n", []), true);
  assertEquals(isProgram("scripts/a.ts", main, ["run", "scripts/a.ts"]), false);
  assertEquals(isProgram("scripts/a_test.ts", main, []), false);
  assertEquals(isProgram("scripts/a.ts", '// It.\nconst a = "import.meta.main";\n', []), false);
});

Deno.test("programTable() names each program once", async () => {
  const names = (await programTable()).map(([name]) => name);
  assert(names.includes("`scripts/smoke.ts`"));
  assertEquals(new Set(names).size, names.length);
});

Deno.test("firstSentence() ends with the sentence or the header", () => {
  assertEquals(firstSentence("// One\n// two. Three.\n"), "One two");
  assertEquals(
    firstSentence("// deno-lint-ignore-file x\n// One 1.5 of a: b.\n"),
    "One 1.5 of a: b",
  );
  assertEquals(firstSentence("// One\n//\n//   deno run -A x.ts\n"), "One");
  assertEquals(firstSentence("// One\n// deno-lint-ignore-file x\n"), "One");
});
