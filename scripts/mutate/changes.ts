// The changes that mutate.ts makes to a file: each is to one statement or one place of a line.
//
// They are found by pattern, not by parser, as imports are in sources.ts: deno fmt puts a statement
// on lines of its own and a blank on both sides of a binary operator, and on none of a type's `<`.

import { readLines, type SourceLine } from "./masked.ts";

/** One change to a file. */
export interface Change {
  readonly path: string;
  /** The first line that it changes; 1 is the first of the file. */
  readonly line: number;
  /** How many lines it changes. */
  readonly lines: number;
  /** What stands there, without the blanks around it; a row of equivalents.ts quotes it. */
  readonly before: string;
  /** What stands there instead, without the blanks; empty for a statement that is left out. */
  readonly after: string;
}

/** Operators, and what takes their place. */
const SWAPS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/ < /g, " <= "],
  [/ <= /g, " < "],
  [/ > /g, " >= "],
  [/ >= /g, " > "],
  [/ === /g, " !== "],
  [/ !== /g, " === "],
  [/ [+-] 1\b(?![.\d_])/g, ""],
  [/ \+ (?!1\b)/g, " - "],
  [/ - (?!1\b)/g, " + "],
  [/ \* /g, " / "],
  [/ \/ /g, " * "],
  [/ & /g, " | "],
  [/ << /g, " >>> "],
  [/ >>>? /g, " << "],
  [/ \+= /g, " -= "],
  [/ -= /g, " += "],
  [/ &&(?= |$)/g, " ||"],
  [/ \|\|(?= |$)/g, " &&"],
  [/\+\+/g, "--"],
  [/--/g, "++"],
  [/\bMath\.min\(/g, "Math.max("],
  [/\bMath\.max\(/g, "Math.min("],
  [/\btrue\b/g, "false"],
  [/\bfalse\b/g, "true"],
];

/** Begins what is no statement, or one that others need. */
const NO_STATEMENT = new RegExp(
  `^((${
    [
      ...["const", "let", "var", "return", "if", "else", "for", "while", "do", "switch", "case"],
      ...["default", "break", "continue", "throw", "try", "function", "async", "class", "type"],
      ...["interface", "import", "export", "static"],
    ].join("|")
  })\\b|[})\\]])`,
);
/** What may stand above a statement: anything that does not go on behind its end. */
const ABOVE_STATEMENT = /[;{}]$|^(case\b.*|default):$|^$/;
/** Assertions say what cannot be otherwise, so that leaving one out cannot be seen. */
const ASSERTION = /\b(assert|fail)\($/;
const ASSERTING = /^\s*(\} else )?(if \(.*\) )?(assert|fail)\(|^\s*if \(CHECKS\b/;

/** A number of the file's own: any other would do. */
const CONSTANT = /^(export )?const [A-Z][A-Z0-9_]* = [^;{[]*;$/;
/** Statements of which leaving them out says more than any change. */
const LEFT_OUT = /^\s*[\w.#]+(\+\+|--| = true| = false| [+-]= [\w.]+);$/;
/** A loop that counts the other way does not end, or does not begin. */
const LOOP = /^\s*for \(/;
const CONDITION = /^\s*(\} else )?(if|while) \(/;

/** Every change to the file `path`, whose text is `source`, in order of lines. */
export function changesOf(path: string, source: string): Change[] {
  const lines = readLines(source);
  return lines.flatMap((line, index) => {
    if (!isCode(line)) return [];
    const trimmed = line.text.trim();
    const change = (after: string): Change => (
      { path, line: index + 1, lines: 1, before: trimmed, after }
    );
    const found = [...conditions(line), ...results(line), ...swaps(line)].map(change);
    const length = statementLines(lines, index);
    if (length === 0) return found;
    const before = lines.slice(index, index + length).map(({ text }) => text.trim()).join(" ");
    return [{ path, line: index + 1, lines: length, before, after: "" }, ...found];
  });
}

/** `source` with `change` made. */
export function changed(source: string, { line, lines, after }: Change): string {
  const all = source.split("\n");
  all.splice(line - 1, lines, after, ...Array<string>(lines - 1).fill(""));
  return all.join("\n");
}

/** Whether anything on this line is run. */
function isCode({ code, open }: SourceLine): boolean {
  if (
    open.some(({ kind, head }) => kind === "type" || kind === "names" || ASSERTION.test(head + "("))
  ) {
    return false;
  }
  return !/^\s*(import|export (type|interface|\{)|type|interface|declare)\b/.test(code) &&
    !ASSERTING.test(code);
}

/** How many lines the statement that begins here has; 0 when none does that can be left out. */
function statementLines(lines: readonly SourceLine[], index: number): number {
  const { code, open } = lines[index]!;
  const trimmed = code.trim();
  if (open.at(-1)?.kind !== "block" || trimmed === "" || NO_STATEMENT.test(trimmed)) return 0;
  if (!ABOVE_STATEMENT.test(lines[index - 1]?.code.trim() ?? "")) return 0;
  const indent = code.search(/\S/);
  let to = index + 1;
  while (
    to < lines.length && (lines[to]!.open.length > open.length || isDeeper(lines[to]!, indent))
  ) {
    to++;
  }
  return lines[to - 1]!.code.trimEnd().endsWith(";") ? to - index : 0;
}

/** Whether the line goes on with a statement that begins at column `indent`. */
function isDeeper({ code }: SourceLine, indent: number): boolean {
  return code.search(/\S/) > indent;
}

/** The line with each condition on it that is always, or never, true. */
function* conditions({ code, text }: SourceLine): Generator<string> {
  const match = CONDITION.exec(code);
  if (match === null) return;
  const from = match[0].length;
  const to = closing(code, from);
  if (to < 0) return;
  const instead = match[2] === "if" ? ["true", "false"] : ["false"];
  for (const value of instead) yield (text.slice(0, from) + value + text.slice(to)).trim();
}

/**
 * Whether the operator at `[from, to)` is covered by the two changes of the whole condition: it is
 * the only one of it, or it narrows a type.
 */
function isDecided(code: string, from: number, to: number): boolean {
  const operator = code.slice(from, to).trim();
  if (LOOP.test(code) && (operator === "++" || operator === "--")) return true;
  if (!CONDITION.test(code) || !/^[!=]==$/.test(operator)) return false;
  const rest = code.slice(code.indexOf("(") + 1, closing(code, code.indexOf("(") + 1));
  return code.startsWith("undefined", to) || !/&&|\|\|/.test(rest);
}

/** Where the parenthesis closes that is open at `from`; -1 when not on this line. */
function closing(code: string, from: number): number {
  let depth = 1;
  for (let at = from; at < code.length; at++) {
    if (code[at] === "(") depth++;
    if (code[at] === ")" && --depth === 0) return at;
  }
  return -1;
}

/** The line with a constant as the result. */
function* results({ code, text, open }: SourceLine): Generator<string> {
  const match = /^(\s*(?:if \(.*\) )?return )(\S.*);$/.exec(code.trimEnd());
  if (match === null) return;
  const [, start = "", result = ""] = match;
  const type = open.map(({ head }) => /\): (\w+) $/.exec(head)?.[1]).findLast((name) =>
    name !== undefined
  );
  const constants = type === "boolean" ? ["true", "false"] : type === "number" ? ["0"] : [];
  if (["true", "false", "0"].includes(result)) return;
  for (const constant of constants) yield `${text.slice(0, start.length)}${constant};`.trim();
}

/** The line with one operator or literal changed. */
function* swaps({ code, text }: SourceLine): Generator<string> {
  if (CONSTANT.test(code) || LEFT_OUT.test(code)) return;
  for (const [pattern, instead] of SWAPS) {
    for (const match of code.matchAll(pattern)) {
      const to = match.index + match[0].length;
      if (isDecided(code, match.index, to)) continue;
      yield (text.slice(0, match.index) + instead + text.slice(to)).trim();
    }
  }
}
