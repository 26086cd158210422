// What documents and comments refer to: files of the repository, and documents outside of it.

/** The name of a source file, as a document writes it: `x.ts`, `x/y.ts`, with * for any part. */
const FILE_NAME = /(?<![\w@:/.-])[a-z*][\w*./-]*\.(?:ts|js)(?![\w/-])/g;

/** Numbers of sections in a document that has no name. */
const UNKNOWN_DOCUMENT = /\b[Ss]pec(?:ification)? \d|\b[Aa]ppendix [A-Z]\b/;

/**
 * The source files that `line` names and that are not in the repository.
 *
 * @param paths Every file of the repository. The end of a path is enough to name a file.
 */
export function unknownFiles(line: string, paths: ReadonlySet<string>): string[] {
  const names = line.replaceAll(/https?:\/\/\S+/g, "").match(FILE_NAME) ?? [];
  return names.filter((name) => !isThere(name, paths) && !isBuilt(name, paths));
}

/** Whether `name` is a file of the bundle: each thread's has the name of its entry. */
function isBuilt(name: string, paths: ReadonlySet<string>): boolean {
  if (!name.endsWith(".js")) return false;
  const file = name.slice(name.lastIndexOf("/") + 1);
  return isThere(file.replace(/\.js$/, ".ts"), paths);
}

/** Whether a file's path is `name` or ends with it; a * in it stands for any part of a name. */
function isThere(name: string, paths: ReadonlySet<string>): boolean {
  const pattern = name.split("*").map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"));
  const expected = new RegExp(`(?:^|/)${pattern.join("[^/]*")}$`);
  return paths.has(name) || [...paths].some((path) => expected.test(path));
}

/** Whether `line` cites a document by section that no reader has. */
export function citesUnknownDocument(line: string): boolean {
  return UNKNOWN_DOCUMENT.test(line);
}
