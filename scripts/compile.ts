// Builds memden as one executable, build/memden, and proves that nothing is missing in it.
//
// A thread's module is named in a URL, which `deno compile` does not follow: each such entry goes
// in by --include. The proof is the list of embedded files that `deno compile` prints, held
// against all modules that main.ts and the entries can reach.
//
// `deno compile` puts the files behind a runtime that it downloads (denort). Where that cannot be
// had, the deno binary stands in for it: everything is resolved, type-checked and embedded as for
// a real build, but what comes out does not start, so it is thrown away and the list is checked.
//
//   deno task compile            build, or check where no runtime can be had
//   deno task compile --check    only check
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { importsOf, isTest, readSources, resolveImport, ROOT } from "./sources.ts";

const PROGRAM = "main.ts";
const OUTPUT = "build/memden";

/**
 * Folders of packages that stay out, in the cache of a registry. Every file of a package is read
 * as a module, and `deno compile` runs out of stack over one that is a sum of 100,000 numbers.
 */
const LEFT_OUT = ["bintrees/1.0.2/test"];

/** What `deno compile` says when the runtime cannot be downloaded. */
const NO_RUNTIME = /denort|base binary/;

/** What `deno info --json` says about a module, as far as it matters here. */
interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    /** Where it comes from at run time; missing for types. */
    readonly code?: { readonly specifier?: string };
  }[];
}

/** What `deno info --json` says about a program, as far as it matters here. */
export interface ModuleGraph {
  readonly roots: readonly string[];
  readonly modules: readonly Module[];
  readonly redirects: Readonly<Record<string, string>>;
}

/** The modules that threads start from, as repository paths: those named in a `new URL(…)`. */
export function threadEntries(sources: ReadonlyMap<string, string>): string[] {
  const entries = new Set<string>();
  for (const [path, text] of sources) {
    if (isTest(path)) continue;
    for (const { specifier, entry } of importsOf(text)) {
      const target = entry ? resolveImport(path, specifier) : undefined;
      if (target !== undefined) entries.add(target);
    }
  }
  return [...entries].sort();
}

/** The permissions and V8 flags in the start task's command line: the executable gets them too. */
export function startFlagsOf(command: string): string[] {
  return command.split(" ").filter((word) => /^--(allow-|v8-flags=)/.test(word));
}

/**
 * The files in the list that `deno compile` prints.
 *
 * The list is a tree; a branch with one leaf is printed as one path, and a directory with all its
 * files as `name/*`.
 *
 * @returns Paths relative to the tree's root; `name/*` as it stands.
 */
export function embeddedFiles(printed: string): string[] {
  const lines = printed.split("\n");
  const start = lines.findIndex((line) => line.trim() === "Embedded Files");
  const files: string[] = [];
  const trail: string[] = [];
  for (const line of lines.slice(start + 1)) {
    const match = /^((?:[│ ] )*)[├└]─([─┬]) (.*?)(?: \([^()]*\))?$/.exec(line);
    if (match === null) {
      if (files.length > 0) break;
      continue;
    }
    const [, indent = "", joint, name = ""] = match;
    trail.length = indent.length / 2;
    if (joint === "┬") trail.push(name);
    else files.push([...trail, name].join("/"));
  }
  return files;
}

/** Whether `path` is among `files`, by itself or in a directory that is there as a whole. */
export function isEmbedded(files: readonly string[], path: string): boolean {
  return files.some((file) =>
    file === path || (file.endsWith("/*") && path.startsWith(file.slice(0, -1)))
  );
}

/** Every module loaded at run time from the roots of `graph`, by specifier. */
export function reachable({ roots, modules, redirects }: ModuleGraph): string[] {
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const reached = new Set<string>();
  const waiting = [...roots];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const specifier = redirects[next] ?? next;
    if (reached.has(specifier)) continue;
    reached.add(specifier);
    for (const { code } of bySpecifier.get(specifier)?.dependencies ?? []) {
      if (code?.specifier !== undefined) waiting.push(code.specifier);
    }
  }
  return [...reached].sort();
}

/** Where `specifier` must be in the list of embedded files; undefined if deno brings it along. */
export function placeOf(specifier: string, root: string): string | undefined {
  if (specifier.startsWith(`file://${root}`)) return specifier.slice(`file://${root}`.length);
  const npm = /^npm:\/?((?:@[^/]+\/)?[^/@]+)@([^/]+)/.exec(specifier);
  if (npm !== null) return `.deno_compile_node_modules/localhost/${npm[1]}/${npm[2]}/*`;
  return /^(node|ext):/.test(specifier) ? undefined : specifier;
}

/** Output of `deno` with `args`, run in the repository. */
async function deno(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ success: boolean; stdout: string; printed: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  const out = decoder.decode(stdout);
  return { success, stdout: out, printed: decoder.decode(stderr) + out };
}

/** Every file that the executable needs, as {@linkcode embeddedFiles} names it. */
async function neededFiles(entries: readonly string[]): Promise<string[]> {
  const needed = new Set<string>();
  for (const root of [PROGRAM, ...entries]) {
    const { success, stdout, printed } = await deno(["info", "--json", root]);
    if (!success) throw new Error(printed);
    const graph: ModuleGraph = JSON.parse(stdout);
    for (const specifier of reachable(graph)) {
      const place = placeOf(specifier, ROOT);
      if (place !== undefined) needed.add(place);
    }
  }
  return [...needed].sort();
}

/** Where those of {@linkcode LEFT_OUT} are that have been downloaded. */
async function foldersLeftOut(): Promise<string[]> {
  const { success, stdout, printed } = await deno(["info", "--json"]);
  if (!success) throw new Error(printed);
  const { npmCache }: { npmCache: string } = JSON.parse(stdout);
  const folders: string[] = [];
  for await (const registry of Deno.readDir(npmCache)) {
    folders.push(...LEFT_OUT.map((folder) => `${npmCache}/${registry.name}/${folder}`));
  }
  return folders;
}

/**
 * Compiles to `output`.
 *
 * @param runtime What to put the files behind; undefined for deno's own choice.
 */
async function compile(
  output: string,
  entries: readonly string[],
  runtime: string | undefined,
): Promise<{ success: boolean; printed: string }> {
  const config: { tasks: { start: string } } = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.json`),
  );
  const includes = entries.flatMap((entry) => ["--include", entry]);
  const excludes = (await foldersLeftOut()).flatMap((folder) => ["--exclude", folder]);
  const args = [
    "compile",
    ...startFlagsOf(config.tasks.start),
    ...includes,
    ...excludes,
    "-o",
    output,
    PROGRAM,
  ];
  return await deno(args, runtime === undefined ? {} : { DENORT_BIN: runtime });
}

/** Compiles with the deno binary as runtime; only what it prints is of use. */
async function dryCompile(
  entries: readonly string[],
): Promise<{ success: boolean; printed: string }> {
  const directory = await Deno.makeTempDir({ prefix: "memden-compile-" });
  const result = await compile(`${directory}/memden`, entries, Deno.execPath());
  await Deno.remove(directory, { recursive: true });
  return result;
}

async function main(checkOnly: boolean): Promise<number> {
  const entries = threadEntries(await readSources([PROGRAM, "lib"]));
  const needed = await neededFiles(entries); // Downloads what is not there yet.
  let result = checkOnly ? undefined : await compile(OUTPUT, entries, undefined);
  const compiled = result?.success === true;
  const noRuntime = result?.success === false && NO_RUNTIME.test(result.printed);
  if (result === undefined || noRuntime) result = await dryCompile(entries);
  if (!result.success) {
    console.error(result.printed);
    return 1;
  }

  const files = embeddedFiles(result.printed);
  const missing = needed.filter((path) => !isEmbedded(files, path));
  for (const path of missing) console.error(`${path} is not in the executable`);
  if (missing.length > 0) {
    console.error(result.printed);
    return 1;
  }

  const how = compiled ? `compiled ${OUTPUT}` : "checked only";
  const why = noRuntime ? " (no runtime stub here)" : "";
  console.log(`${how}${why}: ${needed.length} modules, thread entries ${entries.join(", ")}`);
  return 0;
}

if (import.meta.main) {
  const { check }: { check: boolean } = parseArgs(Deno.args, { boolean: ["check"] });
  Deno.exit(await main(check));
}
