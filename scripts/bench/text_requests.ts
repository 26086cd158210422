// Encodes requests of the text protocol into buffers that are used again and again.
//
// A key is letters and a number of leading zeros, `key-000000000042`: all keys of a load have one
// length, so a set of a given value has one length too, and only its digits change.

const DIGIT_0 = 48;
const FILLER = 120;
const encoder = new TextEncoder();

/** How keys look. */
export interface KeyForm {
  readonly prefix: string;
  /** Length of the whole key. */
  readonly bytes: number;
}

/** The usual form: 16 bytes. */
export const KEY_FORM: KeyForm = { prefix: "key-", bytes: 16 };

/** Fewest digits of a key: as many numbers as no load here has keys. */
export const KEY_DIGITS_MIN = 8;

/** A form of `bytes` bytes, which must leave room for the digits. */
export function keyForm(prefix: string, bytes: number): KeyForm {
  if (!(bytes >= prefix.length + KEY_DIGITS_MIN && bytes <= 250)) {
    throw new Error(`A key has ${prefix.length + KEY_DIGITS_MIN} to 250 bytes here`);
  }
  return { prefix, bytes };
}

/** Fills `bytes[from, to)` with `value` in decimal and leading zeros. */
export function writeDigits(bytes: Uint8Array, from: number, to: number, value: number): void {
  let rest = value;
  for (let at = to - 1; at >= from; at--) {
    const next = Math.floor(rest / 10);
    bytes[at] = DIGIT_0 + rest - next * 10;
    rest = next;
  }
}

/** A fixed number of sets of one size, with consecutive keys. */
export class SetBatch {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly #stride: number;
  readonly #digitsFrom: number;
  readonly #digitsTo: number;

  constructor(form: KeyForm, valueBytes: number, count: number, noreply: boolean) {
    const digits = "0".repeat(form.bytes - form.prefix.length);
    const head = `set ${form.prefix}${digits} 0 0 ${valueBytes}${noreply ? " noreply" : ""}\r\n`;
    const one = encoder.encode(`${head}${"x".repeat(valueBytes)}\r\n`);
    this.count = count;
    this.#stride = one.length;
    this.#digitsFrom = "set ".length + form.prefix.length;
    this.#digitsTo = "set ".length + form.bytes;
    this.bytes = new Uint8Array(one.length * count);
    for (let at = 0; at < count; at++) this.bytes.set(one, at * one.length);
  }

  /** The batch whose first key has number `first`. The bytes are this batch's own. */
  from(first: number): Uint8Array {
    for (let at = 0; at < this.count; at++) {
      const base = at * this.#stride;
      writeDigits(this.bytes, base + this.#digitsFrom, base + this.#digitsTo, first + at);
    }
    return this.bytes;
  }
}

/** Requests of any kind, one behind the other. */
export class RequestBuffer {
  readonly #form: KeyForm;
  readonly #bytes: Uint8Array;
  #length = 0;

  constructor(form: KeyForm, bytesMax: number) {
    this.#form = form;
    this.#bytes = new Uint8Array(bytesMax);
  }

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
  }

  /** Everything appended since the last {@linkcode clear}. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Appends one get of `keys`. */
  get(keys: Iterable<number>): void {
    this.#text("get");
    for (const key of keys) {
      this.#text(" ");
      this.#key(key);
    }
    this.#text("\r\n");
  }

  /** Appends one set with a reply. */
  set(key: number, valueBytes: number): void {
    this.#text("set ");
    this.#key(key);
    this.#text(` 0 0 ${valueBytes}\r\n`);
    this.#value(valueBytes);
  }

  /** Appends one mg that asks for the value. */
  metaGet(key: number): void {
    this.#text("mg ");
    this.#key(key);
    this.#text(" v\r\n");
  }

  /** Appends one ms with a reply. */
  metaSet(key: number, valueBytes: number): void {
    this.#text("ms ");
    this.#key(key);
    this.#text(` ${valueBytes}\r\n`);
    this.#value(valueBytes);
  }

  #value(valueBytes: number): void {
    this.#bytes.fill(FILLER, this.#length, this.#length + valueBytes);
    this.#length += valueBytes;
    this.#text("\r\n");
  }

  #key(key: number): void {
    this.#text(this.#form.prefix);
    const to = this.#length + this.#form.bytes - this.#form.prefix.length;
    writeDigits(this.#bytes, this.#length, to, key);
    this.#length = to;
  }

  #text(text: string): void {
    const { read, written } = encoder.encodeInto(text, this.#bytes.subarray(this.#length));
    if (read < text.length) throw new Error(`Requests of more than ${this.#bytes.length} bytes`);
    this.#length += written;
  }
}
