// A drawing of the folders of lib/ and their imports, in Mermaid, for ARCHITECTURE.md.
//
//   deno run -A scripts/drawing.ts [DIRECTORY]   prints the drawing of another tree
//
// An arrow leads from the folder that imports to the one that is imported. An arrow is left out
// where a longer way shows the same; arrows of a circle are all drawn, and thick.
// deno-lint-ignore-file no-console

import { findCircles, folderGraph, type Graph, withoutShortcuts } from "./import_graph.ts";
import { readSources, ROOT } from "./sources.ts";

/** The name of a folder in the drawing: `store/lru`; `mod.ts`, the only file directly in lib/. */
function labelOf(folder: string): string {
  return folder === "lib" ? "mod.ts" : folder.slice("lib/".length);
}

/** The identifier of a node: never a keyword of Mermaid, such as `end`. */
function idOf(folder: string): string {
  return `${folder.replaceAll(/\W/g, "_")}_`;
}

/** A folder directly under lib/ with those in it, as a box if there are any. */
function boxLines(top: string, folders: readonly string[]): string[] {
  const label = (folder: string) =>
    folder === top || folder === "lib" ? labelOf(folder) : folder.slice(top.length + 1);
  const nodes = folders.map((folder) => `${idOf(folder)}["${label(folder)}"]`);
  if (nodes.length === 1) return [`  ${nodes[0]}`];
  return [
    `  subgraph ${idOf(top)}box["${labelOf(top)}/"]`,
    ...nodes.map((node) => `    ${node}`),
    "  end",
  ];
}

/** The drawing of `graph`, as the text of a Mermaid block. */
export function drawingOf(graph: Graph): string {
  const boxes = Map.groupBy(graph.keys(), (folder) => folder.split("/").slice(0, 2).join("/"));
  const circles = findCircles(graph).map((circle) =>
    new Set(circle.slice(1).map((to, at) => `${circle[at]} ${to}`))
  );
  const edges = [...withoutShortcuts(graph)].flatMap(([from, targets]) =>
    targets.map((to) => {
      const isCircle = circles.some((circle) => circle.has(`${from} ${to}`));
      return `  ${idOf(from)} ${isCircle ? "==>" : "-->"} ${idOf(to)}`;
    })
  );
  return [
    "flowchart TD",
    ...[...boxes].flatMap(([top, folders]) => boxLines(top, folders)),
    ...edges,
  ].join("\n");
}

/** What the drawing shows, as a sentence. */
export function circlesText(graph: Graph): string {
  const circles = findCircles(graph);
  if (circles.length === 0) return "There is no circle.";
  return `Circles: ${
    circles.map((circle) => circle.map((it) => `\`${labelOf(it)}\``).join(" → ")).join("; ")
  }.`;
}

if (import.meta.main) {
  const graph = folderGraph(await readSources(["lib"], `${Deno.args[0] ?? ROOT}/`));
  console.log(`${drawingOf(graph)}\n\n${circlesText(graph)}`);
}
