// Checks that every import in lib/ obeys the table of layers, that the table allows nothing
// unused, and that there is no circle: neither of layers, nor of folders, nor of files.
// Imports of types count as all others do.
// deno-lint-ignore-file no-console

import { fileGraph, findCircles, folderGraph, type Graph } from "./import_graph.ts";
import { type Layer, LAYERS } from "./layers.ts";
import { type Import, importsOf, isTest, readSources, resolveImport } from "./sources.ts";

/** Files that put the layers together: they may import any of them, and any package. */
const TOPS = ["main.ts", "lib/mod.ts"];

/** The folder under lib/ that `path` is in: "store", or "" for a file outside the folders. */
function layerOf(path: string): string {
  return /^lib\/([^/]+)\//.exec(path)?.[1] ?? "";
}

/** Reports each import of the file `path` that {@linkcode LAYERS} does not allow. */
export function forbiddenImports(path: string, imports: readonly Import[]): string[] {
  if (isTest(path)) return [];
  const isTop = TOPS.includes(path);
  const name = layerOf(path);
  const layer = LAYERS[name];
  if (!isTop && layer === undefined) return [`${path}: is in no folder of the table of layers`];

  const problems: string[] = [];
  for (const { specifier } of imports) {
    const target = resolveImport(path, specifier);
    const problem = target === undefined
      ? packageProblem(specifier, isTop ? undefined : layer)
      : fileProblem(target, name, isTop ? undefined : layer);
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
  name: string,
  layer: Layer | undefined,
): string | undefined {
  if (isTest(target)) return `${target} is for tests`;
  if (!target.startsWith("lib/")) return `${target} is outside lib/`;
  const to = layerOf(target);
  if (layer === undefined || layer.folders.includes(to)) return undefined;
  if (to === name && to !== "") return undefined;
  return `lib/${name} may not import ${to === "" ? target : `lib/${to}`}`;
}

/** Reports each folder and package that {@linkcode LAYERS} allows and no file imports. */
export function unusedPermissions(
  sources: ReadonlyMap<string, string>,
  layers: Readonly<Record<string, Layer>> = LAYERS,
): string[] {
  const used = new Set<string>();
  for (const [path, text] of sources) {
    if (isTest(path)) continue;
    for (const { specifier } of importsOf(text)) {
      const target = resolveImport(path, specifier);
      used.add(`${layerOf(path)} ${target === undefined ? specifier : layerOf(target)}`);
    }
  }
  return Object.entries(layers).flatMap(([name, { folders, packages }]) =>
    [...folders, ...packages].filter((it) => !used.has(`${name} ${it}`))
      .map((it) => `scripts/layers.ts: lib/${name} may import ${it}, and does not`)
  );
}

/** The layers as a graph. */
export function layerGraph(): Graph {
  return new Map(Object.entries(LAYERS).map(([name, { folders }]) => [name, folders]));
}

if (import.meta.main) {
  const sources = await readSources(["main.ts", "lib"]);
  const problems: string[] = [];
  for (const [path, text] of sources) problems.push(...forbiddenImports(path, importsOf(text)));
  problems.push(...unusedPermissions(sources));
  const files = fileGraph(sources);
  const folders = folderGraph(sources);
  for (const graph of [layerGraph(), folders, files]) {
    for (const circle of findCircles(graph)) problems.push(`circle: ${circle.join(" > ")}`);
  }
  for (const problem of problems) console.error(problem);
  console.log(`${files.size} files in ${folders.size} folders, ${problems.length} problems`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
