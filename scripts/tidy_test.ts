// Each finding of tidy.ts, with a snippet that has it and one that has not.

import { assertEquals } from "@std/assert";
import { inspect, inspectDocument, leftBehind, sameNames } from "./tidy.ts";

const HEADER = "// What it owns.\n\n";

/** What tidy says about a file with a header and `body`, as `line: message`. */
function say(body: string, path = "lib/store/item/item.ts"): string[] {
  return inspect(path, HEADER + body).map(({ line, message }) => `${line}: ${message}`);
}

// In pieces, so that tidy does not report this file.
const FIX = "FIX" + "ME";
const PROMISE = "TO" + "DO";

const CASES: readonly (readonly [name: string, body: string, finding: string | undefined])[] = [
  ["a clean file", "const a = 1;\n", undefined],
  ["100 columns", `const a = "${"x".repeat(87)}";\n`, undefined],
  ["101 columns", `const a = "${"x".repeat(88)}";\n`, "3: 101 columns; at most 100"],
  ["a long address", `const a = "https://${"x".repeat(90)}";\n`, undefined],
  ["wide characters", `const a = "${"😀".repeat(87)}";\n`, undefined],
  ["a manager", "class SlabManager {}\n", "3: SlabManager does not say what it is"],
  ["a helper", "function itemHelper() {}\n", "3: itemHelper does not say what it is"],
  ["utilities", "const Utils = 1;\n", "3: Utils does not say what it is"],
  ["a data suffix", "interface ItemData {}\n", "3: ItemData does not say what it is"],
  ["an info suffix", "const slabInfo = 1;\n", "3: slabInfo does not say what it is"],
  ["innocent names", "const utilization = 1;\nlet data, info, dataAt;\n", undefined],
  ["unfinished work", `// ${FIX}: later\n`, "3: unfinished: finish it first"],
  ["nobody's work", `// ${PROMISE}: later\n`, "3: to do without a name"],
  ["somebody's work", `// ${PROMISE}(ada): later\n`, undefined],
  [
    "a document that nobody has",
    `// As in ${"sp" + "ec"} 2.4.\n`,
    "3: cites a document that is not in the repository",
  ],
  ["a default export", "/** It. */\nexport default 1;\n", "4: default export"],
  ["a renamed default", "export { a as default };\n", "3: default export"],
  ["an ignore with a reason", "// deno-lint-ignore no-console -- a tool\n", undefined],
  [
    "an ignore without one",
    "  // deno-lint-ignore no-console\n",
    "3: ignore comment without a reason (` -- reason`)",
  ],
  ["a doc comment", "/** Does it. */\nexport function f() {}\n", undefined],
  ["no doc comment", "export function f() {}\n", "3: f is exported without a doc comment"],
  ["async too", "export async function f() {}\n", "3: f is exported without a doc comment"],
  ["a class", "export abstract class C {}\n", "3: C is exported without a doc comment"],
  [
    "a distant comment",
    "/** It. */\n\nexport class C {}\n",
    "5: C is exported without a doc comment",
  ],
  [
    "a type named as its constant",
    "/** It. */\nexport const A = 1;\nexport type A = 1;\n",
    undefined,
  ],
  ["a table after the header", "export const A = 1;\nexport const B = 2;\n", undefined],
  [
    "a table after the imports",
    'import { a } from "./a.ts";\nimport {\n  b,\n} from "./b.ts";\n\nexport const A = 1;\n',
    undefined,
  ],
  [
    "a table with a comment",
    "let a;\n\n// Limits.\nexport const A = 1;\nexport const B = 2;\n",
    undefined,
  ],
  ["a constant alone", "let a;\n\nexport const A = 1;\n", "5: A is exported without a doc comment"],
  [
    "a long constant",
    "export const A = [\n  1,\n];\n",
    "3: A is exported without a doc comment",
  ],
  [
    "an overload",
    "/** It. */\nexport function f(a: 1): 1;\nexport function f(a: 2): 2;\n",
    undefined,
  ],
  ["a re-export", 'export { a } from "./a.ts";\n', undefined],
];

for (const [name, body, finding] of CASES) {
  Deno.test(`inspect() on ${name}`, () => {
    assertEquals(say(body), finding === undefined ? [] : [finding]);
  });
}

Deno.test("inspect() lets a test be sparing with comments", () => {
  assertEquals(say("export function f() {}\n", "lib/store/item_test.ts"), []);
});

Deno.test("inspect() lets a command line tool speak without a reason", () => {
  const line = "// deno-lint-ignore-file no-console\n";
  assertEquals(say(line, "tests/soak/main.ts"), []);
  assertEquals(say(line, "scripts/ok.ts"), []);
  assertEquals(say(line, "main.ts"), []);
  assertEquals(say(line).length, 1);
});

Deno.test("inspect() lets the lint plugin have its default export", () => {
  assertEquals(say("export default plugin;\n", "scripts/lint_plugin.ts"), []);
});

Deno.test("inspect() asks for a header", () => {
  const message = "no header comment that says what the file owns";
  for (const text of ["", "const a = 1;\n", "/** It. */\nconst a = 1;\n", "\n// Late.\n"]) {
    assertEquals(inspect("lib/a.ts", text).map((f) => f.message), [message], text);
  }
  const afterDirective = "// deno-lint-ignore-file no-console -- a tool\n// What it owns.\n";
  assertEquals(inspect("lib/a.ts", afterDirective), []);
  assertEquals(inspect("lib/a_test.ts", "const a = 1;\n"), []);
});

Deno.test("inspect() reports names of files that say nothing", () => {
  for (const file of ["utils.ts", "helpers.ts", "index.ts", "item_data.ts", "conn_manager.ts"]) {
    const findings = inspect(`lib/store/${file}`, HEADER);
    assertEquals(findings.map((f) => f.message), [`${file} does not say what is in it`]);
  }
  assertEquals(inspect("lib/store/data_page.ts", HEADER), []);
});

Deno.test("inspect() reports a file over 400 lines", () => {
  assertEquals(say("a();\n".repeat(398)), []);
  assertEquals(say("a();\n".repeat(399)), ["0: 401 lines; at most 400"]);
});

Deno.test("leftBehind() finds the files that only tests use", () => {
  const sources = new Map([
    ["main.ts", 'import { a } from "./lib/server/server.ts";\n'],
    ["lib/mod.ts", ""],
    ["lib/server/server.ts", 'new Worker(new URL("./thread/worker.ts", import.meta.url));\n'],
    ["lib/server/thread/worker.ts", ""],
    ["lib/store/layout.ts", ""],
    ["lib/store/left.ts", 'import { a } from "./left.ts";\n'],
    ["lib/store/left_test.ts", 'import { a } from "./left.ts";\n'],
    ["lib/base/clock_fixture.ts", ""],
    ["scripts/gen_docs.ts", 'import { rows } from "../lib/store/layout.ts";\n'],
  ]);
  assertEquals(leftBehind(sources).map(({ path }) => path), ["lib/store/left.ts"]);

  sources.set("main.ts", 'import { a } from "./lib/mod.ts";\n');
  const findings = leftBehind(new Map([...sources].slice(0, 2)));
  const message = "is imported: take its row out of scripts/tidy.ts";
  assertEquals(findings, [{ path: "lib/mod.ts", line: 0, message }]);
});

Deno.test("sameNames() reports files of lib/ that have one name", () => {
  const paths = ["lib/net/conn.ts", "lib/store/link.ts", "lib/cli/link.ts", "tests/tls/link.ts"];
  assertEquals(sameNames(paths), [
    { path: "lib/cli/link.ts", line: 0, message: "has the name of lib/store/link.ts" },
  ]);
});

Deno.test("inspectDocument() reports files and documents that nobody has", () => {
  const text = `See \`net/conn.ts\`.\nSee \`net/cone.ts\`.\nAs in ${"sp" + "ec"} 2.4.\n`;
  assertEquals(inspectDocument("docs/a.md", text, new Set(["lib/net/conn.ts"])), [
    { path: "docs/a.md", line: 2, message: "net/cone.ts is not there" },
    { path: "docs/a.md", line: 3, message: "cites a document that is not in the repository" },
  ]);
});
