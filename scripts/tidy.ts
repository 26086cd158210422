// Checks what a reader meets before the code: lengths, names, comments, files left behind, and
// whether documents and comments name what is there. (The lint plugin checks the length of
// functions: it has a syntax tree.)
//
// Relies on deno fmt's layout as sources.ts does: a declaration of a module starts in column 0.
// deno-lint-ignore-file no-console

import { citesUnknownDocument, unknownFiles } from "./references.ts";
import { importsOf, isTest, listFiles, readSources, resolveImport, ROOT } from "./sources.ts";

const FILE_LINES_MAX = 400;
const LINE_COLUMNS_MAX = 100;

/** Files of lib/ that no other file imports although they are in use, each with the reason. */
const UNIMPORTED = new Map([
  ["lib/mod.ts", "other programs import it"],
]);

/** Files that may have a default export, each with the reason. */
const DEFAULT_EXPORTS = new Map([
  ["scripts/lint_plugin.ts", "deno lint asks for it"],
]);

const BANNED_FILE = /(^|_)(managers?|helpers?|utils?)[_.]|(^|_)(data|info)\.|^index\./;
const BANNED_NAME = /(Manager|Helper|Util)s?(?![a-z])|[a-z](Data|Info)$|^(manager|helper|util)s?$/;
const STRING = /"[^"]*"/g;
const DECLARED_NAMES = /\b(?:function\*?|class|interface|type|const|let)\s+(\w+)/g;

// In pieces, so that this file does not report itself.
const UNFINISHED = new RegExp("\\bFIX" + "ME\\b");
const PROMISE = new RegExp("\\bTO" + "DO\\b");
const OWNED_PROMISE = new RegExp("\\bTO" + "DO\\([\\w-]+\\):");

/** Files besides the sources whose lines are looked at. */
const DOCUMENT = /\.md$|^tests\/conformance\/.*\.txt$/;

const UNKNOWN_DOCUMENT = "cites a document that is not in the repository";

const DIRECTIVE = /^\/\/ deno-lint-ignore/;
const EXPORT =
  /^export (?:declare |abstract |async )*(?:function\*?|class|const|let|interface|type) /;
const ONE_LINE_CONST = /^export const .*;$/;

/** A problem in a file. */
export interface Finding {
  readonly path: string;
  /** 1 is the first; 0 means the whole file. */
  readonly line: number;
  readonly message: string;
}

type Report = (line: number, message: string) => void;

/** The problems of the file `path` alone. */
export function inspect(path: string, text: string): Finding[] {
  const findings: Finding[] = [];
  const report: Report = (line, message) => findings.push({ path, line, message });
  const lines = text.replace(/\n$/, "").split("\n");

  if (lines.length > FILE_LINES_MAX) {
    report(0, `${lines.length} lines; at most ${FILE_LINES_MAX}`);
  }
  inspectNames(path, lines, report);
  inspectLines(path, lines, report);
  if (!path.endsWith("_test.ts") && !hasHeader(lines)) {
    report(1, "no header comment that says what the file owns");
  }
  if (!isTest(path)) inspectExports(lines, report);
  return findings;
}

function inspectNames(path: string, lines: readonly string[], report: Report): void {
  const file = path.slice(path.lastIndexOf("/") + 1);
  if (BANNED_FILE.test(file)) report(0, `${file} does not say what is in it`);
  lines.forEach((line, at) => {
    for (const [, name = ""] of line.replaceAll(STRING, '""').matchAll(DECLARED_NAMES)) {
      if (BANNED_NAME.test(name)) report(at + 1, `${name} does not say what it is`);
    }
  });
}

function inspectLines(path: string, lines: readonly string[], report: Report): void {
  lines.forEach((line, at) => {
    const columns = [...line].length;
    if (columns > LINE_COLUMNS_MAX && !line.includes("https://")) {
      report(at + 1, `${columns} columns; at most ${LINE_COLUMNS_MAX}`);
    }
    if (UNFINISHED.test(line)) report(at + 1, "unfinished: finish it first");
    if (citesUnknownDocument(line)) report(at + 1, UNKNOWN_DOCUMENT);
    if (PROMISE.test(line) && !OWNED_PROMISE.test(line)) report(at + 1, "to do without a name");
    if (/^export (default\b|\{.* as default\b)/.test(line) && !DEFAULT_EXPORTS.has(path)) {
      report(at + 1, "default export");
    }
    if (DIRECTIVE.test(line.trim()) && !/ -- \S/.test(line) && !isConsole(path, line)) {
      report(at + 1, "ignore comment without a reason (` -- reason`)");
    }
  });
}

/** Whether `line` allows console output in a command line tool, which needs no reason. */
function isConsole(path: string, line: string): boolean {
  return /^(scripts\/|tests\/|main\.ts)/.test(path) &&
    /^\/\/ deno-lint-ignore-file no-console$/.test(line);
}

/** Whether the file opens with a `//` comment, of which an ignore comment is no part. */
function hasHeader(lines: readonly string[]): boolean {
  const first = lines.find((line) => !line.startsWith("#!") && !DIRECTIVE.test(line)) ?? "";
  return first.startsWith("// ");
}

/**
 * Reports exports without a comment.
 *
 * A run of one-line constants is a table: the comment above it, or the header of the file when it
 * comes first, stands for all of them. A type needs none below the constant of the same name.
 */
function inspectExports(lines: readonly string[], report: Report): void {
  const explained = new Set<string>();
  let inHeader = true;
  let above = "";
  lines.forEach((line, at) => {
    if (EXPORT.test(line)) {
      const name = /(?:function\*?|class|const|let|interface|type) (\w+)/.exec(line)?.[1] ?? "";
      const inTable = ONE_LINE_CONST.test(line) &&
        (ONE_LINE_CONST.test(above) ? explained.has("") : inHeader);
      if (/^\/\/|\*\/$/.test(above) || inTable) explained.add(name).add("");
      else explained.delete("");
      if (!explained.has(name)) report(at + 1, `${name} is exported without a doc comment`);
    }
    inHeader &&= line === "" || /^(\/\/|import |export \{|\} from |\s)/.test(line);
    above = line;
  });
}

/** Files of lib/ that no other file of the program or of scripts/ refers to. */
export function leftBehind(sources: ReadonlyMap<string, string>): Finding[] {
  const used = new Set<string>();
  for (const [path, text] of sources) {
    if (isTest(path)) continue;
    for (const { specifier } of importsOf(text)) {
      const target = resolveImport(path, specifier);
      if (target !== undefined && target !== path) used.add(target);
    }
  }
  const findings: Finding[] = [];
  for (const path of sources.keys()) {
    if (!path.startsWith("lib/") || isTest(path)) continue;
    const isListed = UNIMPORTED.has(path);
    if (!used.has(path) && !isListed) {
      findings.push({ path, line: 0, message: "no file imports it" });
    }
    if (used.has(path) && isListed) {
      findings.push({ path, line: 0, message: "is imported: take its row out of scripts/tidy.ts" });
    }
  }
  return findings;
}

/** Files of lib/ with the name of another one: a name must be enough to find a file. */
export function sameNames(paths: Iterable<string>): Finding[] {
  const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
  const inLib = [...paths].filter((path) => path.startsWith("lib/"));
  return [...Map.groupBy(inLib, nameOf).values()].flatMap(([first, ...others]) =>
    others.map((path) => ({ path, line: 0, message: `has the name of ${first}` }))
  );
}

/** What is wrong in a document that is not source: in which line, and why. */
export function inspectDocument(
  path: string,
  text: string,
  paths: ReadonlySet<string>,
): Finding[] {
  return text.split("\n").flatMap((line, at) =>
    [
      ...unknownFiles(line, paths).map((name) => `${name} is not there`),
      ...(citesUnknownDocument(line) ? [UNKNOWN_DOCUMENT] : []),
    ].map((message) => ({ path, line: at + 1, message }))
  );
}

function show({ path, line, message }: Finding): string {
  return line === 0 ? `${path}: ${message}` : `${path}:${line}: ${message}`;
}

if (import.meta.main) {
  const sources = await readSources(["main.ts", "lib", "scripts", "tests"]);
  const findings = [...sources].flatMap(([path, text]) => inspect(path, text));
  findings.push(...leftBehind(sources), ...sameNames(sources.keys()));

  const paths = new Set(await listFiles());
  for (const path of paths) {
    if (!DOCUMENT.test(path)) continue;
    findings.push(...inspectDocument(path, await Deno.readTextFile(ROOT + path), paths));
  }
  for (const finding of findings) console.error(show(finding));
  console.log(`${sources.size} files, ${findings.length} findings`);
  Deno.exit(findings.length === 0 ? 0 : 1);
}
