// What counts as an import, and which imports the table of layers forbids.

import { assertEquals } from "@std/assert";
import { forbiddenImports, unusedPermissions } from "./check_imports.ts";
import { importsOf, resolveImport } from "./sources.ts";

Deno.test("importsOf() finds every way to write an import", () => {
  const source = `// import { no } from "./comment.ts";
import { a } from "./a.ts";
import { b, type B } from "./b.ts";
import {
  type C,
  type D,
} from "./c.ts";
import type { E } from "./e.ts";
import * as f from "@std/assert";
import "./g.ts";
import page from "./h.html" with { type: "text" };
export { i } from "./i.ts";
export type { J } from "./j.ts";
export * from "./k.ts";
export const text = "./no.ts";
const l = await import("./l.ts");
new Worker(new URL("./m.ts", import.meta.url), { type: "module" });
`;
  const found = importsOf(source);
  const names = (list: typeof found) => list.map(({ specifier }) => specifier).join(" ");
  assertEquals(
    names(found),
    "./a.ts ./b.ts ./c.ts ./e.ts @std/assert ./h.html ./i.ts ./j.ts ./k.ts ./g.ts ./l.ts ./m.ts",
  );
  assertEquals(names(found.filter(({ typeOnly }) => typeOnly)), "./c.ts ./e.ts ./j.ts");
  assertEquals(names(found.filter(({ entry }) => entry)), "./m.ts");
});

Deno.test("resolveImport() resolves files and leaves packages alone", () => {
  assertEquals(resolveImport("lib/net/conn.ts", "../base/assert.ts"), "lib/base/assert.ts");
  assertEquals(resolveImport("main.ts", "./lib/mod.ts"), "lib/mod.ts");
  assertEquals(resolveImport("main.ts", "@std/assert"), undefined);
});

const CASES: readonly (readonly [path: string, line: string, problem: string])[] = [
  ["lib/store/item/item.ts", 'import { a } from "../base/assert.ts";', ""],
  ["lib/store/item/item.ts", 'import { a } from "./lru.ts";', ""],
  ["lib/protocol/meta/meta_request.ts", 'import { a } from "../text/tokens.ts";', ""],
  ["lib/server/server.ts", 'import { a } from "../sys/mmap.ts";', ""],
  ["lib/server/channel/notify.ts", 'import { a } from "node:worker_threads";', ""],
  ["lib/config/parse.ts", 'import { a } from "@std/cli/parse-args";', ""],
  ["main.ts", 'import { a } from "./lib/server/server.ts";', ""],
  ["main.ts", 'import { a } from "@logtape/logtape";', ""],
  ["lib/mod.ts", 'export { a } from "./store/store.ts";', ""],
  ["lib/store/item_test.ts", 'import { a } from "../net/conn.ts";', ""],

  ["lib/base/ascii.ts", 'import { a } from "../sys/errno.ts";', "lib/base may not import lib/sys"],
  [
    "lib/memory/arena.ts",
    'import { a } from "../sys/mmap.ts";',
    "lib/memory may not import lib/sys",
  ],
  [
    "lib/store/a.ts",
    'import type { A } from "../net/conn.ts";',
    "lib/store may not import lib/net",
  ],
  ["lib/net/a.ts", 'import { a } from "../sys/epoll.ts";', "lib/net may not import lib/sys"],
  [
    "lib/net/a.ts",
    'new URL("../server/x.ts", import.meta.url)',
    "lib/net may not import lib/server",
  ],
  [
    "lib/admin/http.ts",
    'import { a } from "../store/store.ts";',
    "lib/admin may not import lib/store",
  ],
  ["lib/store/a.ts", 'import { a } from "../mod.ts";', "lib/store may not import lib/mod.ts"],
  ["lib/store/a.ts", 'import { a } from "../../main.ts";', "main.ts is outside lib/"],
  [
    "lib/store/a.ts",
    'import { a } from "../base/clock_fixture.ts";',
    "lib/base/clock_fixture.ts is for tests",
  ],
  [
    "main.ts",
    'import { a } from "./tests/support/server.ts";',
    "tests/support/server.ts is for tests",
  ],
  ["lib/net/a.ts", 'import { a } from "node:net";', "may not import the package node:net"],
  [
    "lib/net/a.ts",
    'import { a } from "@logtape/logtape";',
    "may not import the package @logtape/logtape",
  ],
  ["main.ts", 'import { a } from "npm:x@1";', "npm:x@1 must get a name in deno.json"],
  ["lib/util/a.ts", "", "is in no folder of the table of layers"],
  ["lib/a.ts", "", "is in no folder of the table of layers"],
];

Deno.test("forbiddenImports() allows what the table of layers allows", () => {
  for (const [path, line, problem] of CASES) {
    const expected = problem === "" ? [] : [`${path}: ${problem}`];
    assertEquals(forbiddenImports(path, importsOf(line)), expected, `${path}: ${line}`);
  }
});

Deno.test("unusedPermissions() names what the table allows and nobody imports", () => {
  const layers = {
    base: { folders: [], packages: [], mustNever: "" },
    store: { folders: ["base", "net"], packages: ["node:tls"], mustNever: "" },
  };
  const sources = new Map([
    ["lib/store/a.ts", 'import type { A } from "../base/a.ts";\n'],
    ["lib/store/a_test.ts", 'import { n } from "../net/n.ts";\nimport "node:tls";\n'],
  ]);
  assertEquals(unusedPermissions(sources, layers), [
    "scripts/layers.ts: lib/store may import net, and does not",
    "scripts/layers.ts: lib/store may import node:tls, and does not",
  ]);
});
