// Text with variables, as the lines of a conformance script hold it, and the bytes it stands for.
//
//   $name              a key that belongs to this play alone: its prefix, then `name`
//   ${name:250}        the same key, lengthened with `x` to 250 bytes
//   ${"text"*1000}     text repeated; the text may itself hold variables
//   ${cas} ${cas+1}    a number captured from an earlier reply, or that plus or minus something
//   ${now-10}          seconds since 1970 by our clock, plus or minus something
//   \r \n \t \0 \xHH \\ \$ \"
//
// Everything else is itself, as UTF-8. A script's form is in README.md.

type Piece =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "key"; readonly name: string; readonly nkey: number }
  | { readonly kind: "number"; readonly name: string; readonly plus: bigint }
  /** The same as eight bytes, the highest one first; parsed by packet.ts only. */
  | { readonly kind: "word"; readonly name: string; readonly plus: bigint }
  | { readonly kind: "repeat"; readonly of: Template; readonly count: number };

/** A parsed line or packet. */
export type Template = readonly Piece[];

/** What the variables of one play stand for. */
export interface Scope {
  /** Begins every key of the play; always {@linkcode PREFIX_LENGTH} bytes. */
  readonly prefix: string;
  /** Numbers captured so far. */
  readonly numbers: Map<string, bigint>;
  /** Unix time, in seconds; undefined for that of this machine. */
  readonly now?: (() => number) | undefined;
}

/** Bytes of {@linkcode Scope.prefix}. */
export const PREFIX_LENGTH = 8;

/** The name that stands for the present second rather than for a captured number. */
export const NOW = "now";

/** A mistake in a script. */
export class ScriptError extends Error {
  override name = "ScriptError";
}

const ENCODER = new TextEncoder();
const WORD_BYTES = 8;
const ESCAPES: Readonly<Record<string, number>> = {
  r: 0x0d,
  n: 0x0a,
  t: 0x09,
  "0": 0,
  "\\": 0x5c,
  $: 0x24,
  '"': 0x22,
};

/** Parses one line of text. @throws {ScriptError} When the text is not of the form above. */
export function parseTemplate(text: string): Template {
  const reader = new Reader(text);
  const template = reader.template(false);
  return template;
}

/** The bytes that `template` stands for in `scope`. */
export function render(template: Template, scope: Scope): Uint8Array<ArrayBuffer> {
  return concat(template.map((piece) => renderPiece(piece, scope)));
}

/** Whether `template` names a number that `scope` does not hold yet. */
export function hasUnknown(template: Template, scope: Scope): boolean {
  return template.some((piece) =>
    (piece.kind === "number" || piece.kind === "word") && isUnknown(piece.name, scope)
  );
}

/**
 * Compares `line` with `template` and captures the numbers that `scope` does not hold yet.
 *
 * @returns Whether the whole line matched. Only then are the numbers captured.
 */
export function matchLine(line: Uint8Array, template: Template, scope: Scope): boolean {
  const captured = new Map<string, bigint>();
  const known: Scope = { ...scope, numbers: new Map(scope.numbers) };
  let at = 0;
  for (const piece of template) {
    if (piece.kind === "number" && isUnknown(piece.name, known)) {
      let to = at;
      while (to < line.length && line[to]! >= 0x30 && line[to]! <= 0x39) to++;
      if (to === at) return false;
      const value = BigInt(new TextDecoder().decode(line.subarray(at, to)));
      captured.set(piece.name, value);
      known.numbers.set(piece.name, value);
      at = to;
      continue;
    }
    if (piece.kind === "word" && isUnknown(piece.name, known) && at + WORD_BYTES <= line.length) {
      const value = new DataView(line.buffer, line.byteOffset + at).getBigUint64(0);
      captured.set(piece.name, value);
      known.numbers.set(piece.name, value);
      at += WORD_BYTES;
      continue;
    }
    const bytes = renderPiece(piece, known);
    if (!startsWith(line.subarray(at), bytes)) return false;
    at += bytes.length;
  }
  if (at !== line.length) return false;
  for (const [name, value] of captured) scope.numbers.set(name, value);
  return true;
}

/** One array holding all of `parts` in order. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** `value` in eight bytes, the highest one first. */
export function wordBytes(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(WORD_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function isUnknown(name: string, scope: Scope): boolean {
  return name !== NOW && !scope.numbers.has(name);
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, at) => bytes[at] === byte);
}

function renderPiece(piece: Piece, scope: Scope): Uint8Array<ArrayBuffer> {
  switch (piece.kind) {
    case "bytes":
      return piece.bytes;
    case "key":
      return ENCODER.encode((scope.prefix + piece.name).padEnd(piece.nkey, "x"));
    case "number":
      return ENCODER.encode(String(numberOf(piece.name, scope) + piece.plus));
    case "word":
      return wordBytes(numberOf(piece.name, scope) + piece.plus);
    case "repeat": {
      const once = render(piece.of, scope);
      const whole = new Uint8Array(once.length * piece.count);
      for (let i = 0; i < piece.count; i++) whole.set(once, i * once.length);
      return whole;
    }
  }
}

function numberOf(name: string, scope: Scope): bigint {
  if (name === NOW) return BigInt(scope.now?.() ?? Math.floor(Date.now() / 1000));
  const value = scope.numbers.get(name);
  if (value === undefined) throw new ScriptError(`\${${name}} is used before it is captured`);
  return value;
}

/** Reads templates out of one text, character by character. */
class Reader {
  #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** @param quoted Whether the template ends at a `"`, which is then consumed. */
  template(quoted: boolean): Template {
    const pieces: Piece[] = [];
    let plain: number[] = [];
    const flush = (): void => {
      if (plain.length > 0) pieces.push({ kind: "bytes", bytes: new Uint8Array(plain) });
      plain = [];
    };
    while (true) {
      const char = this.#next();
      if (char === undefined) {
        if (quoted) throw new ScriptError('a " is not closed');
        break;
      }
      if (quoted && char === '"') break;
      if (char === "\\") {
        plain.push(this.#escape());
      } else if (char === "$") {
        flush();
        pieces.push(this.#variable());
      } else {
        plain.push(...ENCODER.encode(char));
      }
    }
    flush();
    return pieces;
  }

  #next(): string | undefined {
    const code = this.#text.codePointAt(this.#at);
    if (code === undefined) return undefined;
    const char = String.fromCodePoint(code);
    this.#at += char.length;
    return char;
  }

  /** What `pattern` (sticky) matches here, consumed. */
  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #escape(): number {
    const hex = this.#take(/x([0-9a-fA-F]{2})/y);
    if (hex !== null) return parseInt(hex[1]!, 16);
    const char = this.#next() ?? "";
    const byte = ESCAPES[char];
    if (byte === undefined) throw new ScriptError(`\\${char} is not an escape`);
    return byte;
  }

  #variable(): Piece {
    const key = this.#take(/[a-z][a-z0-9]*/y);
    if (key !== null) return { kind: "key", name: key[0], nkey: 0 };
    const long = this.#take(/\{([a-z][a-z0-9]*):(\d+)\}/y);
    if (long !== null) return { kind: "key", name: long[1]!, nkey: Number(long[2]) };
    const number = this.#take(/\{([a-z][a-z0-9]*)(?:([+-])(\d+))?\}/y);
    if (number !== null) {
      const plus = BigInt(number[3] ?? "0");
      return { kind: "number", name: number[1]!, plus: number[2] === "-" ? -plus : plus };
    }
    if (this.#take(/\{"/y) === null) {
      throw new ScriptError(`unknown variable at $${this.#text.slice(this.#at, this.#at + 20)}`);
    }
    const of = this.template(true);
    const count = this.#take(/\*(\d+)\}/y);
    if (count === null) throw new ScriptError('a repeated text ends in "*<count>}');
    return { kind: "repeat", of, count: Number(count[1]) };
  }
}
