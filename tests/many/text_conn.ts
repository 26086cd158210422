// One connection that speaks the text protocol, to a node or to a proxy: what comes back is kept as
// it came, error lines too.

import { Link } from "../conformance/link.ts";

const WAIT_MS_MAX = 10_000;
/** Keys of one get. */
const KEYS_PER_GET = 100;

/** The answer to a get of one key. */
export type Answer =
  | { readonly kind: "hit"; readonly value: string }
  | { readonly kind: "miss" }
  | { readonly kind: "error"; readonly line: string };

const encoder = new TextEncoder();

const decoder = new TextDecoder();

/** A connection. Keys and values are text in UTF-8; for other bytes there is {@linkcode bytes}. */
export class TextConn {
  readonly #link: Link;

  private constructor(link: Link) {
    this.#link = link;
  }

  static async open(hostname: string, port: number, waitMsMax = WAIT_MS_MAX): Promise<TextConn> {
    return new TextConn(await Link.open({ hostname, port }, waitMsMax));
  }

  /** Sends `text` as it is. */
  async send(text: string | Uint8Array): Promise<void> {
    await this.#link.send(typeof text === "string" ? encoder.encode(text) : text);
  }

  /** The next line without its end, or how the connection ended. */
  async line(): Promise<string> {
    const line = await this.#link.line();
    if (line === undefined) return `connection ${this.#link.ended}`;
    return decoder.decode(line).replace(/\r?\n$/, "");
  }

  /** The next `count` bytes and the line end behind them, which is left out. */
  async value(count: number): Promise<string> {
    while (this.#link.pending.length < count + 2) {
      if (!(await this.#link.more())) throw new Error(`a value is cut off: ${this.#link.ended}`);
    }
    const value = decoder.decode(this.#link.pending.subarray(0, count));
    this.#link.take(count + 2);
    return value;
  }

  /** What comes up to `count` bytes, or until nothing more comes. */
  async bytes(count: number): Promise<Uint8Array> {
    while (this.#link.pending.length < count && await this.#link.more());
    const bytes = this.#link.pending.slice(0, count);
    this.#link.take(bytes.length);
    return bytes;
  }

  /** Sends `request` and a CRLF; the first line of the answer. */
  async ask(request: string): Promise<string> {
    await this.send(`${request}\r\n`);
    return await this.line();
  }

  /** Stores `value` under `key`; the line that comes back. */
  set(key: string, value: string): Promise<string> {
    return this.ask(`set ${key} 0 0 ${value.length}\r\n${value}`);
  }

  /** Asks for one key. */
  async get(key: string): Promise<Answer> {
    await this.send(`get ${key}\r\n`);
    const found = await this.values();
    if (typeof found === "string") return { kind: "error", line: found };
    const value = found.get(key);
    return value === undefined ? { kind: "miss" } : { kind: "hit", value };
  }

  /** Reads values up to END; a line that is neither ends it and is returned. */
  async values(): Promise<Map<string, string> | string> {
    const found = new Map<string, string>();
    while (true) {
      const line = await this.line();
      if (line === "END") return found;
      const [, key, count] = /^VALUE (\S+) \d+ (\d+)$/.exec(line) ?? [];
      if (key === undefined) return line;
      found.set(key, await this.value(Number(count)));
    }
  }

  /** What there is of `keys`; an error line is an error. */
  async getMany(keys: readonly string[]): Promise<Map<string, string>> {
    const all = new Map<string, string>();
    for (let at = 0; at < keys.length; at += KEYS_PER_GET) {
      await this.send(`get ${keys.slice(at, at + KEYS_PER_GET).join(" ")}\r\n`);
      const found = await this.values();
      if (typeof found === "string") throw new Error(`get of ${KEYS_PER_GET} keys: ${found}`);
      for (const [key, value] of found) all.set(key, value);
    }
    return all;
  }

  close(): void {
    this.#link.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
