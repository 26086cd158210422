// Packets of the binary protocol as the lines of a script hold them.
//
//   >b SET key=$a flags=7 exptime=0 value=abc
//   <b SET cas=${c}
//   <b GET status=1
//
// First the command, or its code as 0x50; then fields in any order, none of them with a space in
// it (write \x20). A number may be hexadecimal. Lengths are filled in.
//
//   key= value=              text with variables, as everywhere
//   flags= delta= initial= exptime=   extras, in this order; extras= for other ones
//   number=                  a value of eight bytes
//   status=                  of a response; its text becomes the value, unless there is a value=
//   cas=                     a number; ${name} to capture it or compare with it; * for any
//   opaque=                  if not given, one that goes with the command
//   magic= keylen= extlen= bodylen= type= vbucket=   instead of what would be right

import {
  concat,
  parseTemplate,
  PREFIX_LENGTH,
  render,
  type Scope,
  ScriptError,
  type Template,
  wordBytes,
} from "./template.ts";

const HEADER_BYTES = 24;
const OPAQUE = 0xbad0_c0de;

// Written down once more, and not taken from lib/, so that a mistake there is noticed.
// deno-fmt-ignore
const CODES: Readonly<Record<string, number>> = {
  GET: 0x00, SET: 0x01, ADD: 0x02, REPLACE: 0x03, DELETE: 0x04, INCREMENT: 0x05, DECREMENT: 0x06,
  QUIT: 0x07, FLUSH: 0x08, GETQ: 0x09, NOOP: 0x0a, VERSION: 0x0b, GETK: 0x0c, GETKQ: 0x0d,
  APPEND: 0x0e, PREPEND: 0x0f, STAT: 0x10, SETQ: 0x11, ADDQ: 0x12, REPLACEQ: 0x13, DELETEQ: 0x14,
  INCREMENTQ: 0x15, DECREMENTQ: 0x16, QUITQ: 0x17, FLUSHQ: 0x18, APPENDQ: 0x19, PREPENDQ: 0x1a,
  VERBOSITY: 0x1b, TOUCH: 0x1c, GAT: 0x1d, GATQ: 0x1e, SASL_LIST: 0x20, SASL_AUTH: 0x21,
  SASL_STEP: 0x22, GATK: 0x23, GATKQ: 0x24,
};

const TEXTS: Readonly<Record<number, string>> = {
  0x00: "",
  0x01: "Not found",
  0x02: "Data exists for key.",
  0x03: "Too large.",
  0x04: "Invalid arguments",
  0x05: "Not stored.",
  0x06: "Non-numeric server-side value for incr or decr",
  0x20: "Auth failure.",
  0x21: "",
  0x81: "Unknown command",
  0x82: "Out of memory",
};

const FIELDS = [
  ...["key", "value", "flags", "delta", "initial", "exptime", "extras", "number", "status", "cas"],
  ...["opaque", "magic", "keylen", "extlen", "bodylen", "type", "vbucket"],
];

/** Stands for any scope: every key has the same length in all of them. */
const ANY: Scope = { prefix: "x".repeat(PREFIX_LENGTH), numbers: new Map() };

/** Tells versions that nobody names apart. */
let anonymous = 0;

/** Parses a request. @throws {ScriptError} */
export function parseRequest(text: string): Template {
  return new Fields(text).packet(0x80, "vbucket");
}

/** Parses a response. @throws {ScriptError} */
export function parseResponse(text: string): Template {
  return new Fields(text).packet(0x81, "status");
}

/** The fields of one packet. */
class Fields {
  readonly #code: number;
  readonly #fields = new Map<string, string>();

  constructor(text: string) {
    const [name = "", ...fields] = text.split(" ");
    this.#code = CODES[name] ?? (/^0x[0-9a-f]{2}$/.test(name) ? Number(name) : NaN);
    if (Number.isNaN(this.#code)) throw new ScriptError(`${name} is no command`);
    for (const field of fields) {
      const at = field.indexOf("=");
      const key = field.slice(0, at);
      if (!FIELDS.includes(key)) throw new ScriptError(`${field} is no field of a packet`);
      this.#fields.set(key, field.slice(at + 1));
    }
  }

  packet(magic: number, secondWord: "vbucket" | "status"): Template {
    const extras = this.#extras();
    const key = parseTemplate(this.#fields.get("key") ?? "");
    const value = this.#value();
    const nkey = render(key, ANY).length;
    const bodyBytes = extras.length + nkey + render(value, ANY).length;
    const head = new DataView(new ArrayBuffer(HEADER_BYTES - 8));
    head.setUint8(0, this.#number("magic", magic));
    head.setUint8(1, this.#code);
    head.setUint16(2, this.#number("keylen", nkey));
    head.setUint8(4, this.#number("extlen", extras.length));
    head.setUint8(5, this.#number("type", 0));
    head.setUint16(6, this.#number(secondWord, 0));
    head.setUint32(8, this.#number("bodylen", bodyBytes));
    head.setUint32(12, this.#number("opaque", (OPAQUE ^ this.#code) >>> 0));
    const bytes = (of: Uint8Array<ArrayBuffer>) => ({ kind: "bytes", bytes: of }) as const;
    const first = bytes(new Uint8Array(head.buffer));
    return [first, ...this.#cas(), bytes(extras), ...key, ...value];
  }

  #number(name: string, otherwise: number): number {
    const text = this.#fields.get(name);
    if (text === undefined) return otherwise;
    if (!/^(\d+|0x[0-9a-f]+)$/.test(text)) throw new ScriptError(`${name}=${text} is no number`);
    return Number(text);
  }

  #extras(): Uint8Array<ArrayBuffer> {
    const given = this.#fields.get("extras");
    if (given !== undefined) return render(parseTemplate(given), ANY);
    const parts: Uint8Array[] = [];
    for (
      const [name, bytes] of [["flags", 4], ["delta", 8], ["initial", 8], ["exptime", 4]] as const
    ) {
      const text = this.#fields.get(name);
      if (text !== undefined) parts.push(wordBytes(BigInt(text)).subarray(8 - bytes));
    }
    return concat(parts);
  }

  #value(): Template {
    const number = this.#fields.get("number");
    if (number !== undefined) return [{ kind: "bytes", bytes: wordBytes(BigInt(number)) }];
    const text = this.#fields.get("value");
    return parseTemplate(text ?? TEXTS[this.#number("status", 0)] ?? "");
  }

  #cas(): Template {
    const text = this.#fields.get("cas") ?? "0";
    if (text === "*") return [{ kind: "word", name: `any ${anonymous++}`, plus: 0n }];
    const [piece, ...more] = parseTemplate(text);
    if (piece?.kind === "number" && more.length === 0) return [{ ...piece, kind: "word" }];
    return [{ kind: "bytes", bytes: wordBytes(BigInt(text)) }];
  }
}
