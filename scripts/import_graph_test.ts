// Which files and folders import others, what of that is a circle, and which edges a drawing shows.

import { assertEquals } from "@std/assert";
import { fileGraph, findCircles, folderGraph, withoutShortcuts } from "./import_graph.ts";

const graph = (edges: Readonly<Record<string, string>>) =>
  new Map(Object.entries(edges).map(([from, to]) => [from, to.split(" ").filter(Boolean)]));

const SOURCES = new Map([
  ["main.ts", 'import "./lib/server/server.ts";\n'],
  ["lib/server/server.ts", 'new Worker(new URL("./thread/worker.ts", import.meta.url));\n'],
  ["lib/server/thread/worker.ts", 'import type { A } from "../../net/a.ts";\n'],
  ["lib/net/a.ts", 'import { b } from "./b.ts";\nimport { a } from "@std/assert";\n'],
  ["lib/net/b.ts", ""],
  ["lib/net/b_test.ts", 'import "../server/server.ts";\n'],
]);

Deno.test("fileGraph() counts types and entries of threads", () => {
  assertEquals([...fileGraph(SOURCES)], [
    ["lib/server/server.ts", ["lib/server/thread/worker.ts"]],
    ["lib/server/thread/worker.ts", ["lib/net/a.ts"]],
    ["lib/net/a.ts", ["lib/net/b.ts"]],
    ["lib/net/b.ts", []],
    ["lib/net/b_test.ts", ["lib/server/server.ts"]],
  ]);
});

Deno.test("folderGraph() has a node for every directory, and leaves tests out", () => {
  assertEquals([...folderGraph(SOURCES)], [
    ["lib/net", []],
    ["lib/server", ["lib/server/thread"]],
    ["lib/server/thread", ["lib/net"]],
  ]);
});

Deno.test("findCircles() names a shortest way round for every node on one", () => {
  assertEquals(findCircles(graph({ a: "b c", b: "c", c: "d", d: "" })), []);
  assertEquals(findCircles(graph({ a: "b c", b: "c", c: "d", d: "b" })), [["b", "c", "d", "b"]]);
  assertEquals(findCircles(graph({ a: "a" })), [["a", "a"]]);
  assertEquals(findCircles(graph({ a: "b", b: "a", c: "d", d: "c a" })), [
    ["a", "b", "a"],
    ["c", "d", "c"],
  ]);
});

Deno.test("withoutShortcuts() leaves out what a longer way says, and no edge of a circle", () => {
  const kept = (edges: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      [...withoutShortcuts(graph(edges))].map(([from, to]) => [from, to.join(" ")]),
    );
  assertEquals(kept({ a: "b c d", b: "c", c: "d", d: "" }), { a: "b", b: "c", c: "d", d: "" });
  assertEquals(kept({ a: "b c", b: "", c: "" }), { a: "b c", b: "", c: "" });
  assertEquals(kept({ a: "b c", b: "a c", c: "" }), { a: "b c", b: "a c", c: "" });
});
