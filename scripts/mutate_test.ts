// Which changes mutate.ts makes to a snippet, and that its tables speak of what is there.

import { assert, assertEquals } from "@std/assert";
import { changed, changesOf } from "./mutate/changes.ts";
import { EQUIVALENTS } from "./mutate/equivalents.ts";
import { mask } from "./mutate/masked.ts";
import { withAll } from "./mutate/schemata.ts";
import { SUITES } from "./mutate/suites.ts";
import { allChanges, sample, staleRows, testsFor } from "./mutate.ts";
import { readSources, ROOT } from "./sources.ts";

const PATH = "lib/net/x.ts";

/** The changes to `line` in the body of a function, as what comes instead; `-` for nothing. */
function changesIn(line: string, result = "void"): string[] {
  return changesOf(PATH, `function f(): ${result} {\n  ${line}\n}\n`)
    .map(({ after }) => after === "" ? "-" : after);
}

const CASES: readonly (readonly [line: string, ...changes: string[]])[] = [
  ["f(a);", "-"],
  ["this.#left -= count;", "-"],
  ["count++;", "-"],
  ["const isDone = a < b;", "const isDone = a <= b;"],
  ["const isDone = a >= b;", "const isDone = a > b;"],
  ["const isDone = a === b;", "const isDone = a !== b;"],
  ["const next = at + 1;", "const next = at;"],
  ["const next = at - used;", "const next = at + used;"],
  ["const bit = word & mask;", "const bit = word | mask;"],
  ["const least = Math.min(a, b);", "const least = Math.max(a, b);"],
  ["const found = find<Item>(a);"],
  ["for (let i = 0; i < n; i++) {", "for (let i = 0; i <= n; i++) {"],
  ["if (a === b) return;", "if (true) return;", "if (false) return;"],
  [
    "if (a && b) return;",
    "if (true) return;",
    "if (false) return;",
    "if (a || b) return;",
  ],
  ["while (a.isLeft) {", "while (false) {"],
  ['f("a < b", `a < b`, /a < b/); // a < b', "-"],
  ['assert(a < b, "order");'],
  ['if (a < b) fail("order");'],
  ["import { a } from b;"],
  ["const a = (b: A & B) => b;", "const a = (b: A | B) => b;"],
];

for (const [line, ...expected] of CASES) {
  Deno.test(`changesOf() ${line}`, () => assertEquals(changesIn(line), expected));
}

Deno.test("changesOf() gives a constant as the result, by its type", () => {
  assertEquals(changesIn("return a.isOpen;", "boolean"), ["return true;", "return false;"]);
  assertEquals(changesIn("return count(a);", "number"), ["return 0;"]);
  assertEquals(changesIn("return 0;", "number"), []);
  assertEquals(changesIn("return find(a);", "Item"), []);
});

Deno.test("changesOf() leaves out a statement of several lines, and no field or type", () => {
  const source = [
    "interface A {",
    "  a(b: number): void;",
    "}",
    "class B {",
    "  #c = 0;",
    "  d(): void {",
    "    this.e(",
    "      1,",
    "    );",
    "    this.f =",
    "      this.g;",
    "  }",
    "}",
  ].join("\n");
  const changes = changesOf(PATH, source);
  assertEquals(changes.map(({ line, lines }) => [line, lines]), [[7, 3], [10, 2]]);
});

Deno.test("changed() keeps the lines of the rest", () => {
  const source = "a\nf(\n  b,\n);\nc\n";
  const change = { path: PATH, line: 2, lines: 3, before: "f( b, );", after: "" };
  assertEquals(changed(source, change), "a\n\n\n\nc\n");
});

const SCHEMATA: readonly (readonly [line: string, behindConditions: string])[] = [
  ["f(a);", "{ if ($M(1)) {  } else { f(a); } }"],
  ["f(a); // b", "{ if ($M(1)) {  } else { f(a); } } // b"],
  ["const c = f(a) < b;", "const c = ($M(1) ? (f(a) <= b) : (f(a) < b));"],
  [
    "const c = a < b;",
    "const c = ($M(1, true) ? (a <= b) : $C(1, (a < b), () => (a <= b)));",
  ],
  [
    "const c = a?.b.c + 1;",
    "const c = ($M(1, true) ? (a?.b.c) : $C(1, (a?.b.c + 1), () => (a?.b.c)));",
  ],
  ["const c = Math.min(a, f());", "const c = ($M(1) ? (Math.max(a, f())) : (Math.min(a, f())));"],
  ["a[f() + 1] = c;", "{ if ($M(1)) {  } else { a[($M(2) ? (f()) : (f() + 1))] = c; } }"],
  // Another operator binds otherwise.
  ["const d = f(a) & b ^ c;", "const d = ($M(1) ? (f(a) | b ^ c) : (f(a) & b ^ c));"],
  ["if (f()) return;", "if (($M(2) ? (false) : ($M(1) ? (true) : (f())))) return;"],
];

for (const [line, expected] of SCHEMATA) {
  Deno.test(`withAll() ${line}`, () => {
    const source = `function f() {\n  ${line}\n}\n`;
    const changes = changesOf(PATH, source).map((change, index) => ({ id: index + 1, change }));
    const { text, left } = withAll(PATH, source, changes, "file:///switch.ts");
    assertEquals(left, []);
    assertEquals(text.split("\n")[1]?.trim(), expected);
  });
}

Deno.test("mask() blanks all that is no code, and goes on behind it", () => {
  for (
    const [source, code] of [
      ['a("b") + c', "a(   ) + c"],
      ["a(`b${c({ d: `e` })}f`) + g", "a(    c({ d:     })   ) + g"],
      ["a / b / c // d", "a / b / c     "],
      ["x.test(/a[/]b/)", "x.test(       )"],
      ["a[0]! / b; // c", "a[0]! / b;     "],
      ["if (!/a/.test(b)) c", "if (!   .test(b)) c"],
      ["/* a\nb */ c", "    \n     c"],
      ['"\\"" + a', "     + a"],
    ] as const
  ) assertEquals(mask(source), code);
});

Deno.test("sample() draws the same by the same seed, in order", async () => {
  const all = await allChanges(["lib/protocol"]);
  const drawn = sample(all, 20, 7);
  assertEquals(sample(all, 20, 7), drawn);
  assertEquals(new Set(drawn).size, 20);
  assertEquals([...drawn].sort((a, b) => all.indexOf(a) - all.indexOf(b)), drawn);
  assertEquals(sample(all, all.length + 1, 7), all);
});

Deno.test("testsFor() begins with the test beside the file, once", () => {
  const suite = { folder: "lib/net", tests: ["lib/net/b_test.ts", "lib/net/a_test.ts", "gone"] };
  const exists = (path: string) => path !== "gone" && path !== "lib/net/c_test.ts";
  assertEquals(testsFor("lib/net/a.ts", suite, exists), ["lib/net/a_test.ts", "lib/net/b_test.ts"]);
  assertEquals(testsFor("lib/net/c.ts", suite, exists), suite.tests.slice(0, 2));
});

Deno.test("staleRows() finds rows whose line is gone, and there are none", async () => {
  const changes = await allChanges(SUITES.map(({ folder }) => folder));
  assert(changes.length > 1000, `${changes.length} changes`);
  assertEquals(staleRows(changes, EQUIVALENTS), []);
  const gone = { path: PATH, before: "a;", after: "", why: "it is gone" };
  assertEquals(staleRows(changes, [gone]), [gone]);
});

Deno.test("SUITES names tests that are there", async () => {
  for (const { tests } of SUITES) {
    for (const test of tests) assert((await readSources([test])).size > 0, `${test} is gone`);
  }
});

Deno.test("docs/mutation.md has a row for each suite", async () => {
  const page = await Deno.readTextFile(`${ROOT}docs/mutation.md`);
  const rows = [...page.matchAll(/^\| `(lib\/\w+)` +\| (.*?) +\|$/gm)]
    .map(([, folder, tests = ""]) => ({ folder, tests: tests.replaceAll("`", "").split(", ") }));
  assertEquals(rows, SUITES.map(({ folder, tests }) => ({ folder, tests: [...tests] })));
});
