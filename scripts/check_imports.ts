// Checks that every import in lib/ goes down the layers, and that nothing goes round in a circle:
// neither the layers nor the files. Type-only imports obey the table of layers too.
// deno-lint-ignore-file no-console

import { type Import, importsOf, isTest, readSources, resolveImport } from "./sources.ts";

/** What a folder of lib/ may import, besides itself. */
interface Layer {
  /** Other folders of lib/. */
  readonly folders: readonly string[];
  /** Packages and `node:` modules, by their names in deno.json. */
  readonly packages: readonly string[];
}

/** The layers, lowest first. CONTRIBUTING.md explains the order. */
const LAYERS: Readonly<Record<string, Layer>> = {
  base: { folders: [], packages: [] },
  sys: { folders: ["base"], packages: ["node:process"] },
  memory: { folders: ["base"], packages: [] },
  config: { folders: ["base"], packages: ["@std/cli/parse-args"] },
  stats: { folders: ["base", "memory"], packages: [] },
  log: { folders: ["base", "memory", "stats"], packages: [] },
  auth: { folders: ["base", "memory", "config"], packages: [] },
  store: { folders: ["base", "memory", "stats", "log", "auth"], packages: [] },
  protocol: { folders: ["base"], packages: [] },
  command: {
    folders: ["base", "config", "stats", "log", "auth", "store", "protocol"],
    packages: [],
  },
  net: {
    folders: ["base", "memory", "config", "stats", "log", "store", "protocol", "command"],
    packages: [],
  },
  server: {
    folders: [
      "base",
      "config",
      "sys",
      "memory",
      "stats",
      "log",
      "auth",
      "store",
      "protocol",
      "command",
      "net",
    ],
    packages: [
      "@logtape/logtape",
      "node:crypto",
      "node:dns/promises",
      "node:net",
      "node:stream",
      "node:tls",
      "node:v8",
      "node:vm",
      "node:worker_threads",
      "node:zlib",
    ],
  },
  admin: {
    folders: ["base", "config", "stats"],
    packages: [
      "node:buffer",
      "node:http",
      "node:stream",
      "prom-client",
      "uplot", // types alone
      "uplot/dist/uPlot.iife.min.js",
      "uplot/dist/uPlot.min.css",
    ],
  },
  cli: { folders: ["base", "config"], packages: ["@std/cli/parse-args"] },
};

/** Files that put the layers together: they may import any of them, and any package. */
const TOPS = ["main.ts", "lib/mod.ts"];

/** The folder of lib/ that `path` is in: "store", or "" for a file outside the folders. */
function folderOf(path: string): string {
  return /^lib\/([^/]+)\//.exec(path)?.[1] ?? "";
}

/** Reports each import of the file `path` that {@linkcode LAYERS} does not allow. */
export function forbiddenImports(path: string, imports: readonly Import[]): string[] {
  if (isTest(path)) return [];
  const isTop = TOPS.includes(path);
  const folder = folderOf(path);
  const layer = LAYERS[folder];
  if (!isTop && layer === undefined) return [`${path}: is in no folder of the table of layers`];

  const problems: string[] = [];
  for (const { specifier } of imports) {
    const target = resolveImport(path, specifier);
    const problem = target === undefined
      ? packageProblem(specifier, isTop ? undefined : layer)
      : fileProblem(target, folder, isTop ? undefined : layer);
    if (problem !== undefined) problems.push(`${path}: ${problem}`);
  }
  return problems;
}

/** @param layer What applies; undefined where every package is allowed. */
function packageProblem(specifier: string, layer: Layer | undefined): string | undefined {
  if (/^(npm|jsr|https?|file|data):/.test(specifier)) {
    return `${specifier} must get a name in deno.json`;
  }
  if (layer === undefined || layer.packages.includes(specifier)) return undefined;
  return `may not import the package ${specifier}`;
}

/** @param layer What applies; undefined where every folder is allowed. */
function fileProblem(
  target: string,
  folder: string,
  layer: Layer | undefined,
): string | undefined {
  if (isTest(target)) return `${target} is for tests`;
  if (!target.startsWith("lib/")) return `${target} is outside lib/`;
  const to = folderOf(target);
  if (layer === undefined || layer.folders.includes(to)) return undefined;
  if (to === folder && to !== "") return undefined;
  return `lib/${folder} may not import ${to === "" ? target : `lib/${to}`}`;
}

/**
 * Finds a way round in a graph.
 *
 * @param edges For each node, those it leads to.
 * @returns The nodes of one cycle, the first again at the end; undefined when there is none.
 */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(node)) return [...trail.slice(trail.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next, [...trail, node]);
      if (cycle !== undefined) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const cycle = visit(node, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** The layers as a graph, for {@linkcode findCycle}. */
export function layerEdges(): Map<string, readonly string[]> {
  return new Map(Object.entries(LAYERS).map(([name, { folders }]) => [name, folders]));
}

/** The files as a graph: what each loads at run time, in its own thread. */
function fileEdges(sources: ReadonlyMap<string, string>): Map<string, readonly string[]> {
  const edges = new Map<string, readonly string[]>();
  for (const [path, text] of sources) {
    const loaded = importsOf(text).filter(({ typeOnly, entry }) => !typeOnly && !entry);
    const targets = loaded.map(({ specifier }) => resolveImport(path, specifier));
    edges.set(path, targets.filter((target) => target !== undefined));
  }
  return edges;
}

if (import.meta.main) {
  const sources = await readSources(["main.ts", "lib"]);
  const problems: string[] = [];
  for (const [path, text] of sources) problems.push(...forbiddenImports(path, importsOf(text)));
  for (const edges of [layerEdges(), fileEdges(sources)]) {
    const cycle = findCycle(edges);
    if (cycle !== undefined) problems.push(`Import cycle: ${cycle.join(" > ")}`);
  }
  for (const problem of problems) console.error(problem);
  console.log(`${sources.size} files, ${problems.length} forbidden imports`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
