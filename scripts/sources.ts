// The repository's TypeScript files, the browser's in JavaScript, and what each imports: for the
// checks of the gate.
//
// Imports are found by pattern, not by parser: deno fmt, an earlier step of the gate, puts every
// import and export statement at the start of a line and every specifier in double quotes.

/** The repository's root directory, with a slash at the end. */
export const ROOT = new URL("..", import.meta.url).pathname;

/** One reference from a file to a module. */
export interface Import {
  /** As written: `./item.ts`, `@std/assert`, `node:worker_threads`. */
  readonly specifier: string;
  /** Only types come from it, so it is not loaded at run time. */
  readonly typeOnly: boolean;
  /** Written as `new URL(specifier, import.meta.url)`: the entry of a thread. */
  readonly entry: boolean;
}

const FROM = /^(?:import|export)\s+([^"';]*?)\s*\bfrom\s+"([^"]+)"/gm;
const BARE = /^import\s+"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;
const ENTRY = /\bnew URL\(\s*"([^"]+\.ts)",\s*import\.meta\.url,?\s*\)/g;

/** Every import of a file whose text is `text`, in no particular order. */
export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const [, names = "", specifier = ""] of text.matchAll(FROM)) {
    found.push({ specifier, typeOnly: namesOnlyTypes(names), entry: false });
  }
  for (const [, specifier = ""] of [...text.matchAll(BARE), ...text.matchAll(DYNAMIC)]) {
    found.push({ specifier, typeOnly: false, entry: false });
  }
  for (const [, specifier = ""] of text.matchAll(ENTRY)) {
    found.push({ specifier, typeOnly: false, entry: true });
  }
  return found;
}

/** Whether `names`, what stands between `import` and `from`, are types without exception. */
function namesOnlyTypes(names: string): boolean {
  if (/^type\b/.test(names)) return true;
  const list = /^\{(.*)\}$/s.exec(names)?.[1];
  if (list === undefined) return false;
  return list.split(",").map((name) => name.trim()).filter((name) => name !== "")
    .every((name) => name.startsWith("type "));
}

/** The repository path that `specifier` means in the file `path`; undefined for a package. */
export function resolveImport(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

/** Whether `path` is there for tests only. */
export function isTest(path: string): boolean {
  return path.startsWith("tests/") || path.endsWith("_test.ts") || path.endsWith("_fixture.ts");
}

/**
 * The text of each `.ts` and `.js` file under `places`, by repository path, in order of path.
 *
 * @param places Directories or files, relative to {@linkcode ROOT}; one that is missing is empty.
 */
export async function readSources(places: readonly string[]): Promise<Map<string, string>> {
  const paths: string[] = [];
  for (const place of places) {
    if (isSource(place)) paths.push(place);
    else await walk(place, paths);
  }
  const texts = new Map<string, string>();
  for (const path of paths.sort()) {
    const text = await Deno.readTextFile(ROOT + path).catch(ifMissing(undefined));
    if (text !== undefined) texts.set(path, text);
  }
  return texts;
}

async function walk(directory: string, paths: string[]): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(ROOT + directory)).catch(ifMissing([]));
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) await walk(path, paths);
    else if (isSource(path)) paths.push(path);
  }
}

function isSource(path: string): boolean {
  return path.endsWith(".ts") || path.endsWith(".js");
}

/** Puts `value` in the place of a file that is not there; any other failure stays one. */
function ifMissing<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) return value;
    throw error;
  };
}
