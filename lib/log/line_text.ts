// One line of text, written piece by piece into bytes that stay: log lines are many, and strings
// that are put together and encoded cost more than all else about them.

import { LF } from "../base/ascii.ts";
import { encodeUri } from "../base/uri.ts";

/** What each byte is in a URI. */
const URI_CODES = Array.from(
  { length: 256 },
  (_, byte) => encodeUri(String.fromCharCode(byte)),
);

/** A line that is being written. */
export class LineText {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** @param capacity Longest line, in bytes. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Starts anew. */
  clear(): void {
    this.#length = 0;
  }

  /** Appends ASCII text, or a number as text. */
  text(value: string | number): void {
    const text = String(value);
    for (let at = 0; at < text.length; at++) this.#bytes[this.#length++] = text.charCodeAt(at);
  }

  /** Appends `bytes[from, to)` as they are. */
  raw(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) this.#bytes[this.#length++] = bytes[at]!;
  }

  /** Appends `bytes[from, to)`, percent-encoded as in a URI. */
  uri(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) this.text(URI_CODES[bytes[at]!]!);
  }

  /** Ends the line; its bytes, with a LF, are valid until the next {@linkcode clear}. */
  end(): Uint8Array<ArrayBuffer> {
    this.#bytes[this.#length++] = LF;
    return this.#bytes.subarray(0, this.#length);
  }
}
