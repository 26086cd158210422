// What imports what in lib/, file by file and folder by folder, and whether it goes in a circle.
//
// Types count: an import that the compiler erases still ties two files together for a reader. So
// does the entry of a thread, `new URL("./x.ts", import.meta.url)`.

import { importsOf, isTest, resolveImport } from "./sources.ts";

/** For each node, those that it imports, in order of name. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** The files of lib/, tests and fixtures included. */
export function fileGraph(sources: ReadonlyMap<string, string>): Graph {
  const edges = new Map<string, readonly string[]>();
  for (const [path, text] of sources) {
    if (!path.startsWith("lib/")) continue;
    const targets = importsOf(text).map(({ specifier }) => resolveImport(path, specifier));
    const inLib = targets.filter((target) => target !== undefined && sources.has(target));
    edges.set(path, [...new Set(inLib as string[])].sort());
  }
  return edges;
}

/**
 * The folders of lib/. Every directory is a separate node: the files directly in lib/store are
 * `lib/store`, those in lib/store/lru are `lib/store/lru`. Tests may import anything and are left
 * out.
 */
export function folderGraph(sources: ReadonlyMap<string, string>): Graph {
  const edges = new Map<string, Set<string>>();
  for (const [path, targets] of fileGraph(sources)) {
    if (isTest(path)) continue;
    const from = folderOf(path);
    const to = edges.get(from) ?? new Set();
    edges.set(from, to);
    for (const target of targets) if (folderOf(target) !== from) to.add(folderOf(target));
  }
  return new Map([...edges].sort().map(([from, to]) => [from, [...to].sort()]));
}

/** The directory that a file is in: `lib/store/lru`. */
function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/**
 * Finds circles: for each node that lies on one, a shortest way round, unless it lies on a circle
 * that was found already.
 *
 * @returns The nodes of each circle, the first again at the end.
 */
export function findCircles(edges: Graph): string[][] {
  const circles: string[][] = [];
  const found = new Set<string>();
  for (const node of edges.keys()) {
    if (found.has(node)) continue;
    const circle = shortestWay(edges, node, node);
    if (circle === undefined) continue;
    circles.push(circle);
    for (const it of circle) found.add(it);
  }
  return circles;
}

/**
 * A shortest way from one node to another, of one edge at least.
 *
 * @returns The nodes on the way, both ends included; undefined when there is none.
 */
function shortestWay(edges: Graph, from: string, to: string): string[] | undefined {
  const seen = new Set<string>();
  const queue = [[from]];
  for (const way of queue) {
    for (const next of edges.get(way.at(-1) ?? from) ?? []) {
      if (next === to) return [...way, to];
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push([...way, next]);
    }
  }
  return undefined;
}

/**
 * The graph without shortcuts: edges from a to c where a imports b, and b leads to c. Edges of a
 * circle are all kept.
 */
export function withoutShortcuts(edges: Graph): Graph {
  const leads = (from: string, to: string) => shortestWay(edges, from, to) !== undefined;
  const isShortcut = (from: string, to: string, targets: readonly string[]) =>
    targets.some((by) => by !== to && !leads(by, from) && leads(by, to));
  return new Map(
    [...edges].map(([from, targets]) => [
      from,
      targets.filter((to) => !isShortcut(from, to, targets)),
    ]),
  );
}
