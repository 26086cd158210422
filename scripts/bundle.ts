// Puts the program's modules together in build/bundle/: main.js and mod.js, for programs that embed
// a server, with chunk files for what these have in common and for what is loaded late; and one
// file for the entry of each thread. Nothing else is needed to run it: no package, no cache, no
// deno.json.
//
// `deno bundle` follows imports, dynamic ones too, and takes in what is imported as text. It does
// not follow the URL that a thread's entry is named by, so each such entry is bundled as one of its
// own; lib/base/program.ts looks for it beside the module that names it. All files are therefore in
// one directory.
//
// A thread's file has all of its modules in one scope. That is what makes it fast: V8 looks at an
// import each time it is used, and knows a constant of its own scope
// (docs/decisions/0028-one-scope.md).
//
//   deno task bundle [--out DIR]
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { importsOf, isTest, readSources, resolveImport, ROOT } from "./sources.ts";

/** The program. */
export const PROGRAM = "main.ts";
/** What other programs import. */
export const LIBRARY = "lib/mod.ts";
/** Where the bundle is made, in the repository. */
export const BUNDLE = "build/bundle";

/** Directory of the modules that stand for the entries; each run makes another. */
const ENTRIES = `build/entries-${Deno.pid}`;

/** Arguments of `deno bundle` besides the entries and the directory. */
const BUNDLE_FLAGS = ["--quiet", "--platform", "deno"] as const;
/** The same, for entries that load modules late: those stay separate files. */
export const SPLIT_FLAGS = [...BUNDLE_FLAGS, "--code-splitting"] as const;

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

/** The name of the file that `entry`, a repository path, becomes in the bundle. */
export function bundledName(entry: string): string {
  return entry.slice(entry.lastIndexOf("/") + 1).replace(/\.ts$/, ".js");
}

/** What `deno info --json` says about a program, as far as it matters here. */
export interface ModuleGraph {
  readonly modules: readonly { readonly specifier: string; readonly error?: string }[];
}

/**
 * What a bundled file loads, itself with it.
 *
 * @param directory Where the bundle is: a URL that ends in a slash.
 * @returns Files of the bundle by name, and what is neither there nor in the runtime.
 */
export function loadedBy(
  { modules }: ModuleGraph,
  directory: string,
): { names: string[]; missing: string[] } {
  const names: string[] = [];
  const missing: string[] = [];
  for (const { specifier, error } of modules) {
    const name = specifier.startsWith(directory) ? specifier.slice(directory.length) : undefined;
    if (name !== undefined && error === undefined) names.push(name);
    else if (!specifier.startsWith("node:")) missing.push(name ?? specifier);
  }
  return { names: names.sort(), missing };
}

const PLACE = /\bnew URL\(\s*"([^"]+)",\s*import\.meta\.url/g;

/** The places beside `text`, a bundled file, that it names and that are not among `names`. */
export function placesMissing(text: string, names: readonly string[]): string[] {
  return [...text.matchAll(PLACE)].map(([, place = ""]) => place).filter((place) =>
    !place.startsWith("./") || !place.endsWith(".ts") || !names.includes(bundledName(place))
  );
}

/** What was bundled. */
export interface Bundle {
  /** The entries of threads, as repository paths. */
  readonly threads: readonly string[];
  /** The size of each file in bytes, by its name. */
  readonly sizes: ReadonlyMap<string, number>;
  /** What each entry loads, by the name of its file. */
  readonly loads: ReadonlyMap<string, readonly string[]>;
}

/** Writes a module for each entry that does nothing but load it. */
async function writeEntries(entries: readonly string[]): Promise<string[]> {
  await Deno.mkdir(ROOT + ENTRIES, { recursive: true });
  const up = "../".repeat(ENTRIES.split("/").length);
  const paths: string[] = [];
  for (const entry of entries) {
    const path = `${ENTRIES}/${entry.slice(entry.lastIndexOf("/") + 1)}`;
    if (paths.includes(path)) throw new Error(`two entries are named ${path}`);
    const words = entry === LIBRARY ? "export * from" : "import";
    await Deno.writeTextFile(ROOT + path, `${words} "${up}${entry}";\n`);
    paths.push(path);
  }
  return paths;
}

/**
 * Makes the bundle in `directory`, which is emptied first.
 *
 * @param directory An absolute path.
 * @throws {Error} When deno cannot bundle, or something is missing in what it makes.
 */
export async function makeBundle(directory: string): Promise<Bundle> {
  const threads = threadEntries(await readSources([PROGRAM, "lib"]));
  const programs = await writeEntries([PROGRAM, LIBRARY]);
  const closed = await writeEntries(threads);
  await Deno.remove(directory, { recursive: true }).catch(() => {});
  await deno(["bundle", ...SPLIT_FLAGS, "--frozen", "--outdir", directory, ...programs]);
  await deno(["bundle", ...BUNDLE_FLAGS, "--frozen", "--outdir", directory, ...closed]);
  await Deno.remove(ROOT + ENTRIES, { recursive: true });
  return await inspect(directory, threads);
}

/** What esbuild keeps a module apart by: something loads it late. */
const MODULE_APART = "__esm(";

/** @throws {Error} When something is missing in it, or an entry of a thread is in pieces. */
async function inspect(directory: string, threads: readonly string[]): Promise<Bundle> {
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  const closed = new Set(threads.map(bundledName));
  const sizes = new Map<string, number>();
  const missing: string[] = [];
  for (const name of names) {
    const text = await Deno.readTextFile(`${directory}/${name}`);
    sizes.set(name, new TextEncoder().encode(text).length);
    if (closed.has(name) && text.includes(MODULE_APART)) {
      throw new Error(`${name} loads a module late`);
    }
    const places = placesMissing(text, names);
    missing.push(...places.map((place) => `${place}, which ${name} names: import it as text`));
  }
  const loads = new Map<string, readonly string[]>();
  for (const name of [PROGRAM, LIBRARY, ...threads].map(bundledName)) {
    const info = await deno(["info", "--json", "--no-config", "--no-lock", `${directory}/${name}`]);
    const loaded = loadedBy(JSON.parse(info), `${toFileUrl(directory)}/`);
    loads.set(name, loaded.names);
    missing.push(...loaded.missing.map((it) => `${it}, which ${name} loads`));
  }
  if (missing.length > 0) throw new Error(`not in the bundle: ${missing.join("; ")}`);
  return { threads, sizes, loads };
}

function toFileUrl(path: string): string {
  return new URL(`file://${path}`).href;
}

/** What `deno` with `args`, run in the repository, prints. */
async function deno(args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`deno ${args[0]}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/** The size of the files `names` together. */
export function kibibytes({ sizes }: Bundle, names: Iterable<string>): string {
  let bytes = 0;
  for (const name of new Set(names)) bytes += sizes.get(name) ?? 0;
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

/** `path` from the root; a directory is made there. */
async function absolute(path: string): Promise<string> {
  await Deno.mkdir(path, { recursive: true });
  return await Deno.realPath(path);
}

if (import.meta.main) {
  const { out }: { out?: string } = parseArgs(Deno.args, { string: ["out"] });
  const directory = out === undefined ? ROOT + BUNDLE : await absolute(out);
  const bundle = await makeBundle(directory);
  for (const [name, loaded] of bundle.loads) {
    const own = kibibytes(bundle, [name]).padStart(8);
    console.log(`${name.padEnd(20)} ${own}, with all that it loads ${kibibytes(bundle, loaded)}`);
  }
  const { sizes } = bundle;
  console.log(`bundled ${directory}: ${sizes.size} files, ${kibibytes(bundle, sizes.keys())}`);
}
