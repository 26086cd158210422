// A source file as patterns may read it: each character of a comment, string, template or regular
// expression is a blank, so that a pattern finds code alone, at the same columns.

/** What a `{`, `(` or `[` encloses. */
export type Enclosure = "block" | "class" | "object" | "type" | "names" | "list";

/** One open bracket. */
export interface Open {
  readonly kind: Enclosure;
  /** The masked text of its line in front of it. */
  readonly head: string;
}

/** One line of a source file. */
export interface SourceLine {
  /** As it is written. */
  readonly text: string;
  /** The same with blanks instead of what is not code. */
  readonly code: string;
  /** The brackets that are open where the line begins, the innermost last. */
  readonly open: readonly Open[];
}

const QUOTES = "\"'";
/** A `/` behind one of these, or behind nothing, begins a regular expression. */
const BEFORE_REGEX = "(,=:!&|?{;[";

/** The lines of `source`. */
export function readLines(source: string): SourceLine[] {
  const code = mask(source).split("\n");
  const open: Open[] = [];
  return source.split("\n").map((text, index) => {
    const line = { text, code: code[index]!, open: [...open] };
    follow(line.code, open);
    return line;
  });
}

/** Blanks instead of everything in `source` that is not code. */
export function mask(source: string): string {
  const out: string[] = [];
  /** For each template that is open: how many braces are, in the expression at hand. */
  const templates: number[] = [];
  let at = 0;
  const blank = (to: number): void => {
    for (; at < to; at++) out.push(source[at] === "\n" ? "\n" : " ");
  };
  while (at < source.length) {
    const char = source[at]!;
    const depth = templates.at(-1);
    if (char === "}" && depth === 0) {
      templates.pop();
      blank(templateEnd(source, at + 1, templates));
    } else if (char === "`") blank(templateEnd(source, at + 1, templates));
    else if (source.startsWith("//", at)) blank(endOf(source, "\n", at));
    else if (source.startsWith("/*", at)) blank(endOf(source, "*/", at + 2) + 2);
    else if (QUOTES.includes(char)) blank(stringEnd(source, at));
    else if (char === "/" && beginsRegex(out)) blank(regexEnd(source, at));
    else {
      if (depth !== undefined && char === "{") templates[templates.length - 1] = depth + 1;
      if (depth !== undefined && char === "}") templates[templates.length - 1] = depth - 1;
      out.push(char);
      at++;
    }
  }
  return out.join("");
}

function endOf(source: string, end: string, from: number): number {
  const at = source.indexOf(end, from);
  return at < 0 ? source.length : at;
}

function stringEnd(source: string, from: number): number {
  let at = from + 1;
  while (at < source.length && source[at] !== source[from]) at += source[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Where the text of a template ends: at its backtick, or at an expression, noted as open. */
function templateEnd(source: string, from: number, templates: number[]): number {
  let at = from;
  while (at < source.length) {
    if (source[at] === "`") return at + 1;
    if (source.startsWith("${", at)) {
      templates.push(0);
      return at + 2;
    }
    at += source[at] === "\\" ? 2 : 1;
  }
  return at;
}

function beginsRegex(before: readonly string[]): boolean {
  let at = before.length - 1;
  while (at >= 0 && before[at] === " ") at--;
  // `a!` is a value, and what follows divides it.
  if (before[at] === "!" && /[\w\])]/.test(before[at - 1] ?? "")) return false;
  return at < 0 || before[at] === "\n" || BEFORE_REGEX.includes(before[at]!) ||
    before.slice(Math.max(0, at - 5), at + 1).join("") === "return";
}

function regexEnd(source: string, from: number): number {
  let inClass = false;
  let at = from + 1;
  while (at < source.length && (inClass || source[at] !== "/")) {
    if (source[at] === "[") inClass = true;
    if (source[at] === "]") inClass = false;
    at += source[at] === "\\" ? 2 : 1;
  }
  return at + 1;
}

/** Brings `open` from the beginning of the line `code` to its end. */
function follow(code: string, open: Open[]): void {
  for (let at = 0; at < code.length; at++) {
    const char = code[at]!;
    const head = code.slice(0, at);
    if (char === "(" || char === "[") open.push({ kind: "list", head });
    else if (char === "{") open.push({ kind: kindOf(head, open.at(-1)), head });
    else if (")]}".includes(char)) open.pop();
  }
}

/** What the `{` behind `head` opens; `outer` is the bracket around it. */
function kindOf(head: string, outer: Open | undefined): Enclosure {
  if (/^\s*(import|export)\s*(type\s*)?$/.test(head)) return "names";
  if (outer?.kind === "type" || /\binterface\b|^(export |declare )*type\b/.test(head)) {
    return "type";
  }
  if (/\bclass\b/.test(head)) return "class";
  if (/^\s*(case\b.*|default):\s*$/.test(head)) return "block";
  if (/(=>|\)|\belse|\bdo|\btry|\bfinally)\s*$|^\s*$/.test(head)) return "block";
  // A result type in front of a body. An object type there would be taken for the body.
  if (/\)\s*:\s*[^=;]+$/.test(head) && !/\?[^:]*:\s*$/.test(head)) return "block";
  return "object";
}
