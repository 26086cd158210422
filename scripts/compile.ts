// Builds memden as one executable for each target, and proves that nothing is missing in it.
//
// What is embedded is the bundle (scripts/bundle.ts), the very files that the conversations are
// played against: no package, no source. `deno compile` follows the imports of main.js; the
// entries of threads go in by --include. The proof is the list of embedded files that it prints,
// held against all files that main.js and the entries load.
//
// `deno compile` puts the files behind a runtime that it downloads (denort). Where that cannot be
// had there is no executable, and that is a failure. For --check the deno binary stands in for it:
// everything is resolved and embedded as for a real build, but what comes out does not start, so it
// is thrown away and the list is checked.
//
//   deno task compile                build/memden, for this machine
//     --target NAME[,NAME…]          build/memden-NAME for others: a name of TARGETS, or all
//     --check                        only check
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { BUNDLE, type Bundle, bundledName, kibibytes, makeBundle, PROGRAM } from "./bundle.ts";
import { ROOT } from "./sources.ts";

const OUTPUT = "build/memden";

/** What `deno compile` says when the runtime cannot be downloaded. */
const NO_RUNTIME = /denort|base binary/;

/** The systems that memden is built for: our name, and deno's. */
export const TARGETS: ReadonlyMap<string, string> = new Map([
  ["linux-x64", "x86_64-unknown-linux-gnu"],
  ["linux-arm64", "aarch64-unknown-linux-gnu"],
  ["macos-x64", "x86_64-apple-darwin"],
  ["macos-arm64", "aarch64-apple-darwin"],
  ["windows-x64", "x86_64-pc-windows-msvc"],
]);

/**
 * The names in `text`, with commas between them; `all` stands for every one.
 *
 * @throws {RangeError} For a name that is not in {@linkcode TARGETS}.
 */
export function parseTargets(text: string): string[] {
  if (text === "all") return [...TARGETS.keys()];
  const names = text.split(",");
  for (const name of names) {
    if (TARGETS.has(name)) continue;
    throw new RangeError(`No target ${name}: there are all, ${[...TARGETS.keys()].join(", ")}`);
  }
  return names;
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

/** What `deno compile` did. */
interface Compiled {
  readonly success: boolean;
  readonly printed: string;
}

/**
 * Compiles the bundle to `output`.
 *
 * @param target Deno's name; undefined for this machine.
 * @param runtime What to put the files behind; undefined for deno's own choice.
 */
async function compile(
  { threads }: Bundle,
  output: string,
  target: string | undefined,
  runtime: string | undefined,
): Promise<Compiled> {
  const config: { tasks: { start: { command: string } } } = JSON.parse(
    await Deno.readTextFile(`${ROOT}deno.json`),
  );
  const command = new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "--no-check", ...startFlagsOf(config.tasks.start.command)],
      ...(target === undefined ? [] : ["--target", target]),
      ...threads.flatMap((entry) => ["--include", `${BUNDLE}/${bundledName(entry)}`]),
      ...["--output", output, `${BUNDLE}/${bundledName(PROGRAM)}`],
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...(runtime === undefined ? {} : { DENORT_BIN: runtime }) },
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, printed: decoder.decode(stderr) + decoder.decode(stdout) };
}

/** Compiles with the deno binary as runtime; only what it prints is of use. */
async function dryCompile(bundle: Bundle): Promise<Compiled> {
  const directory = await Deno.makeTempDir({ prefix: "memden-compile-" });
  const result = await compile(bundle, `${directory}/memden`, undefined, Deno.execPath());
  await Deno.remove(directory, { recursive: true });
  return result;
}

/** The files that must be in the executable, by name. */
function neededFiles({ threads, loads }: Bundle): string[] {
  const names = [PROGRAM, ...threads].flatMap((entry) => loads.get(bundledName(entry)) ?? []);
  return [...new Set(names)].sort();
}

/** Whether all is embedded; prints what is not. */
function isComplete(bundle: Bundle, printed: string): boolean {
  const embedded = embeddedFiles(printed);
  const missing = neededFiles(bundle).filter((name) => !isEmbedded(embedded, `${BUNDLE}/${name}`));
  for (const name of missing) console.error(`${name} is not in the executable`);
  if (missing.length > 0) console.error(printed);
  return missing.length === 0;
}

/** One executable that is wanted. */
interface Wanted {
  readonly output: string;
  /** Deno's name of the target; undefined for this machine. */
  readonly target: string | undefined;
}

/** Builds one executable; says why if not. */
async function build(bundle: Bundle, { output, target }: Wanted): Promise<boolean> {
  const result = await compile(bundle, output, target, undefined);
  if (result.success) {
    if (!isComplete(bundle, result.printed)) return false;
    const file = target?.includes("windows") ? `${output}.exe` : output;
    const { size } = await Deno.stat(`${ROOT}${file}`);
    console.log(`compiled ${file}: ${(size / 2 ** 20).toFixed(1)} MiB`);
    return true;
  }
  console.error(result.printed);
  const hint = "its runtime cannot be had here; --check looks at what would be embedded";
  console.error(`not built: ${output}${NO_RUNTIME.test(result.printed) ? ` (${hint})` : ""}`);
  return false;
}

async function check(bundle: Bundle): Promise<boolean> {
  const { success, printed } = await dryCompile(bundle);
  if (success) return isComplete(bundle, printed);
  console.error(printed);
  return false;
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly check: boolean;
  readonly target?: string;
}

async function main(options: Options): Promise<number> {
  const names = options.target === undefined ? [] : parseTargets(options.target);
  const bundle = await makeBundle(ROOT + BUNDLE);
  const wanted: Wanted[] = options.target === undefined
    ? [{ output: OUTPUT, target: undefined }]
    : names.map((name) => ({ output: `${OUTPUT}-${name}`, target: TARGETS.get(name) }));
  let good = options.check ? await check(bundle) : true;
  if (!options.check) {
    for (const one of wanted) good = await build(bundle, one) && good;
  }
  const needed = neededFiles(bundle);
  if (good) {
    const size = kibibytes(bundle, needed);
    const threads = bundle.threads.map(bundledName).join(", ");
    console.log(`embedded: ${needed.length} files, ${size}; threads start from ${threads}`);
  }
  return good ? 0 : 1;
}

if (import.meta.main) {
  const options: Options = parseArgs(Deno.args, {
    boolean: ["check"],
    string: ["target"],
  });
  try {
    Deno.exit(await main(options));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
