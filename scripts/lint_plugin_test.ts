// Each rule against snippets it must accept and snippets it must report.

import { assertEquals } from "@std/assert";
import plugin from "./lint_plugin.ts";

/** What the plugin reports for `source`, as `rule: message` in order of place. */
function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source)
    .sort((a, b) => a.range[0] - b.range[0])
    .map(({ id, message }) => `${id.replace("house/", "")}: ${message}`);
}

const PREFIX = "hot-path: A @hot function may not use: ";

const BANNED_IN_HOT: readonly (readonly [name: string, statement: string, what: string])[] = [
  ["array literals", "f([1]);", "array literal"],
  ["object literals", "f({ a });", "object literal"],
  ["template literals", "f(`x${a}`);", "template literal"],
  ["string concatenation", 'f("x" + a);', "string concatenation"],
  ["new", "f(new Date());", "`new`"],
  ["arrow functions", "f(() => 1);", "closure"],
  ["function expressions", "f(function () {});", "closure"],
  ["inner functions", "function g() {}", "closure"],
  ["spread", "f(...a);", "spread"],
  ["for-of loops", "for (const x of a) f(x);", "iterator loop"],
  ["for-in loops", "for (const x in a) f(x);", "iterator loop"],
  ["await", "await f();", "`await`"],
  ["try", "try { f(); } finally { f(); }", "`try`"],
  ["BigInt calls", "f(BigInt(a));", "BigInt"],
  ["BigInt literals", "f(1n);", "BigInt literal"],
  ["regular expressions", "f(/a/);", "regular expression"],
  ["subarray", "f(a.subarray(1));", ".subarray()"],
  ["slice after ?.", "a?.slice(1);", ".slice()"],
  ["map", "a.map(f);", ".map()"],
  ["decode", "a.b.decode(f);", ".decode()"],
];

/** Each way to write a function, around a body. */
const HOLDERS: readonly (readonly [name: string, before: string, after: string])[] = [
  ["a function", "/**\n * Does it.\n * @hot\n */\nasync function t(a) {", "}"],
  ["an exported function", "/** Does it. @hot */\nexport async function t(a) {", "}"],
  ["a method", "class C {\n  /** Does it. @hot */\n  async t(a) {", "} }"],
  ["a private method", "class C { #x = 1;\n  /** @hot */\n  static async #t(a) {", "} }"],
  ["an object's method", "const o = {\n  /** @hot */\n  async t(a) {", "} };"],
  ["a constant arrow", "/** @hot */\nexport const t = async (a) => {", "};"],
];

for (const [holder, before, after] of HOLDERS) {
  Deno.test(`hot-path reports what allocates in ${holder}`, () => {
    for (const [name, statement, what] of BANNED_IN_HOT) {
      assertEquals(lint("lib/x/x.ts", before + statement + after), [PREFIX + what], name);
    }
  });

  Deno.test(`hot-path leaves ${holder} alone without the tag`, () => {
    for (const [name, statement] of BANNED_IN_HOT) {
      const cold = before.replace("@hot", "hot");
      assertEquals(lint("lib/x/x.ts", cold + statement + after), [], name);
    }
  });
}

Deno.test("hot-path accepts plain work", () => {
  const source = `
/**
 * Reads a number.
 * @hot
 */
export function parse(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) value = value * 10 + bytes[at]! - 48;
  switch (value) { case 1: return other.slice; default: return value + 1; }
}
class C {
  #n = 0;
  /** @hot */
  get n(): number { return this.#n; }
  /** @hot */
  take(): number { return this.#slice(2); }
  #slice(n: number): number { return n; }
}
`;
  assertEquals(lint("lib/x/x.ts", source), []);
});

Deno.test("hot-path accepts a costly message on the way out", () => {
  const body = "if (a) fail(`bad ${a}`); throw new Error('bad ' + a);";
  assertEquals(lint("lib/x/x.ts", `/** @hot */\nfunction t(a) { ${body} }`), []);
});

Deno.test("hot-path accepts subarray in the copy kernel only", () => {
  const source = "/** @hot */\nfunction copy(a) { f(a.subarray(1)); }";
  assertEquals(lint("lib/base/copy.ts", source), []);
  assertEquals(lint("lib/memory/arena.ts", source), [`${PREFIX}.subarray()`]);
});

Deno.test("hot-path reports a tag that marks no function", () => {
  const message = "hot-path: @hot must stand directly above a function or method";
  assertEquals(lint("lib/x/x.ts", "/** @hot */\nconst LIMIT = 1;"), [message]);
  assertEquals(lint("lib/x/x.ts", "/** @hot */\n\nconst x = 1;\nfunction f() {}"), [message]);
  assertEquals(
    lint("lib/x/x.ts", "interface T {\n  /** @hot */\n  recv(n: number): number;\n}"),
    [],
  );
  assertEquals(lint("lib/x/x.ts", "// About @hot functions.\n/** A `@hot` word. */\nlet x;"), []);
});

Deno.test("function-length reports what does not fit on a screen", () => {
  const forms: readonly (readonly [name: string, before: string, after: string])[] = [
    ["f", "/** It. */\nexport function f() {", "}"],
    ["#f", "class C {\n  /** It. */\n  #f() {", "  }\n}"],
    ["f", "const f = () => {", "};"],
    ["f", "const o = {\n  f() {", "  },\n};"],
    ["function", "g(() => {", "});"],
  ];
  for (const [name, before, after] of forms) {
    const source = (lines: number) => `${before}\n${"a();\n".repeat(lines - 2)}${after}\n`;
    assertEquals(lint("lib/x/x.ts", source(60)), []);
    const expected = [`function-length: ${name}: 61 lines; at most 60`];
    assertEquals(lint("lib/x/x.ts", source(61)), expected);
    assertEquals(lint("lib/x/x_test.ts", source(61)), []);
  }
});

Deno.test("indexed-non-null accepts `!` after an index only", () => {
  assertEquals(lint("lib/x/x.ts", "f(a[0]!, this.#b[i + 1]!, a.b.c[i]!);"), []);
  const message = "indexed-non-null: `!` may only follow an indexed read";
  assertEquals(lint("lib/x/x.ts", "f(a!, a.b!, f()!);"), [message, message, message]);
});

const OWNED: readonly (readonly [source: string, name: string, owner: string])[] = [
  ["Deno.dlopen('libc.so.6', {});", "Deno.dlopen", "lib/sys/"],
  ["Deno['dlopen']('libc.so.6', {});", "Deno.dlopen", "lib/sys/"],
  ["const { dlopen } = Deno;", "Deno.dlopen", "lib/sys/"],
  ["Deno.UnsafePointer.create(1n);", "Deno.UnsafePointer", "lib/sys/"],
  ["new Deno.UnsafePointerView(p);", "Deno.UnsafePointerView", "lib/sys/"],
  ["Deno.UnsafePointerView.getArrayBuffer(p, 8);", "Deno.UnsafePointerView", "lib/sys/"],
  ["new Deno.UnsafeCallback(d, f);", "Deno.UnsafeCallback", "lib/sys/"],
  ["new SharedArrayBuffer(8);", "SharedArrayBuffer", "lib/memory/"],
  ["f(b instanceof SharedArrayBuffer);", "SharedArrayBuffer", "lib/memory/"],
  ["Atomics.load(w, 0);", "Atomics", "lib/memory/"],
  ["const { load } = Atomics;", "Atomics", "lib/memory/"],
];

Deno.test("owned-global reports a global outside the folder that owns it", () => {
  for (const [source, name, owner] of OWNED) {
    const expected = [`owned-global: Only ${owner} may use ${name}`];
    for (const path of ["lib/net/conn.ts", "main.ts", "lib/memory_x/a.ts"]) {
      assertEquals(lint(path, source), expected, `${path}: ${source}`);
    }
    const elsewhere = owner === "lib/sys/" ? "lib/memory/arena.ts" : "lib/sys/mmap.ts";
    assertEquals(lint(elsewhere, source), expected, `${elsewhere}: ${source}`);
  }
});

Deno.test("owned-global accepts a global in its folder, in tests, scripts and as a type", () => {
  for (const [source, , owner] of OWNED) {
    for (const path of [`${owner}x.ts`, "lib/net/conn_test.ts", "scripts/x.ts", "tests/x.ts"]) {
      assertEquals(lint(path, source), [], `${path}: ${source}`);
    }
  }
  const types =
    "function f(w: Int32Array<SharedArrayBuffer>): Deno.PointerValue { return w.Atomics; }";
  assertEquals(lint("lib/net/conn.ts", types), []);
});

Deno.test("owned-global knows absolute paths of this repository", () => {
  const root = new URL("..", import.meta.url).pathname;
  assertEquals(lint(`${root}lib/memory/lock.ts`, "Atomics.load(w, 0);"), []);
  assertEquals(lint(`${root}scripts/x.ts`, "Atomics.load(w, 0);"), []);
  assertEquals(lint(`${root}lib/net/x.ts`, "Atomics.load(w, 0);").length, 1);
});

Deno.test("catch-place reports a catch where failures are values", () => {
  const source = "try { f(); } catch { g(); }";
  const message =
    "catch-place: `catch` has no place in lib/store/, lib/command/, lib/net/, lib/protocol/";
  for (const folder of ["store", "command", "net", "protocol"]) {
    assertEquals(lint(`lib/${folder}/x.ts`, source), [message]);
    assertEquals(lint(`lib/${folder}/y/x.ts`, source), [message]);
    assertEquals(lint(`lib/${folder}/x_test.ts`, source), []);
    assertEquals(lint(`lib/${folder}/x.ts`, "try { f(); } finally { g(); }"), []);
  }
  for (
    const path of ["main.ts", "lib/server/listen/try_call.ts", "lib/cli/ping.ts", "scripts/x.ts"]
  ) {
    assertEquals(lint(path, source), [], path);
  }
});
