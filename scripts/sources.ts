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
 * @param places Directories or files, relative to `root`; one that is missing is empty.
 * @param root Where they are, with a slash at the end.
 */
export async function readSources(
  places: readonly string[],
  root = ROOT,
): Promise<Map<string, string>> {
  const paths: string[] = [];
  for (const place of places) {
    if (isSource(place)) paths.push(place);
    else await walk(root, place, paths);
  }
  const texts = new Map<string, string>();
  for (const path of paths.sort()) {
    const text = await orIfMissing(Deno.readTextFile(root + path), undefined);
    if (text !== undefined) texts.set(path, text);
  }
  return texts;
}

async function walk(root: string, directory: string, paths: string[]): Promise<void> {
  const entries = await orIfMissing(Array.fromAsync(Deno.readDir(root + directory)), []);
  for (const entry of entries) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory) await walk(root, path, paths);
    else if (isSource(path)) paths.push(path);
  }
}

/** Directories that are no part of the repository. */
const NOT_OURS = ["build", "node_modules", ".git"];

/** Every file of the repository, by its path. */
export async function listFiles(): Promise<string[]> {
  const paths: string[] = [];
  const list = async (directory: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(ROOT + directory)) {
      const path = directory + name;
      if (!isDirectory) paths.push(path);
      else if (!NOT_OURS.includes(path)) await list(`${path}/`);
    }
  };
  await list("");
  return paths.sort();
}

function isSource(path: string): boolean {
  return path.endsWith(".ts") || path.endsWith(".js");
}

/** The result of `reading`; `value` where the file or directory is not there. */
async function orIfMissing<T>(reading: Promise<T>, value: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return value;
    throw error;
  }
}
