// Plays requests on one server and tells the replies of each unit: a run of requests up to the next
// that is followed by an `mn`.

import { Link } from "../conformance/link.ts";
import type { Address } from "../support/address.ts";
import { CAS, FRESH, KEY, type Request } from "./request.ts";

const WAIT_MS_MAX = 5_000;
const SENTINEL = "mn\r\n";
const SENTINEL_REPLY = "MN\r\n";

/** Requests whose replies are looked at together, and how they are written. */
export interface Unit {
  readonly requests: readonly Request[];
  /** Where the bytes are cut in two, as a part of their length; 0 for not at all. */
  readonly cutAt: number;
}

/** What a server answered to a unit. */
export interface Answer {
  /** The bytes, with cas numbers by order of appearance and the version left out. */
  readonly text: string;
  readonly ended: "open" | "closed" | "silent";
}

/** One server during one play. */
export class Player {
  readonly #address: Address;
  readonly #prefix: string;
  #link: Link | undefined;
  /** The cas number of each shared key as shown last. */
  readonly #casOf = new Map<string, string>();
  /** Cas numbers in order of appearance: the servers count differently. */
  readonly #casNames = new Map<string, string>();

  constructor(address: Address, prefix: string) {
    this.#address = address;
    this.#prefix = prefix;
  }

  /** Sends `unit` and receives all replies to it. After a close the next unit connects again. */
  async answer(unit: Unit): Promise<Answer> {
    const link = this.#link ??= await Link.open(this.#address, WAIT_MS_MAX);
    const bytes = latin1(this.#render(unit.requests.map(({ text }) => text).join("") + SENTINEL));
    const cut = Math.floor(bytes.length * unit.cutAt);
    const sending = this.#send(link, bytes, cut);
    let text = "";
    while (!text.endsWith(SENTINEL_REPLY) || !isLineStart(text, text.length - 4)) {
      if (link.pending.length === 0 && !(await link.more())) {
        this.close();
        return { text: this.#named(text), ended: link.ended === "silent" ? "silent" : "closed" };
      }
      text += new TextDecoder("latin1").decode(link.pending);
      link.take(link.pending.length);
    }
    await sending;
    return { text: this.#named(text.slice(0, -SENTINEL_REPLY.length)), ended: "open" };
  }

  close(): void {
    this.#link?.close();
    this.#link = undefined;
  }

  async #send(link: Link, bytes: Uint8Array, cut: number): Promise<void> {
    if (cut > 0) {
      await link.send(bytes.subarray(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    await link.send(bytes.subarray(cut));
  }

  #render(text: string): string {
    return text.replace(/[\u4e00-\u57ff]/g, (char) => {
      const code = char.charCodeAt(0);
      if (code >= FRESH) return `${this.#prefix}f${(code - FRESH).toString(36).padStart(3, "0")}`;
      if (code >= CAS) return this.#casOf.get(this.#key(code - CAS)) ?? "12345";
      return this.#key(code - KEY);
    });
  }

  #key(index: number): string {
    return `${this.#prefix}k${index}`;
  }

  /** `text` with cas numbers replaced by names; remembers the numbers. */
  #named(text: string): string {
    let named = "";
    for (let at = 0; at < text.length;) {
      let to = text.indexOf("\n", at) + 1;
      if (to === 0) to = text.length;
      const line = text.slice(at, to);
      const value = /^VALUE (\S+) \d+ (\d+)(?: (\d+))?\r\n$/.exec(line);
      if (value === null) {
        named += line.startsWith("VERSION ") ? "VERSION\r\n" : line;
      } else {
        to += Number(value[2]) + 2;
        named += this.#namedValue(line, value[1]!, value[3]) + text.slice(at + line.length, to);
      }
      at = to;
    }
    return named;
  }

  #namedValue(line: string, key: string, cas: string | undefined): string {
    if (cas === undefined) return line;
    this.#casOf.set(key, cas);
    const name = this.#casNames.get(cas) ?? `#${this.#casNames.size + 1}`;
    this.#casNames.set(cas, name);
    return line.replace(/ \d+\r\n$/, ` ${name}\r\n`);
  }
}

function isLineStart(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === "\n";
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

/** Requests in a form to read: keys as $k1, cas numbers as $cas1, other bytes escaped. */
export function show(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (char) => {
    const code = char.charCodeAt(0);
    if (code >= FRESH) return `$f${code - FRESH}`;
    if (code >= CAS) return `$cas${code - CAS}`;
    if (code >= KEY) return `$k${code - KEY}`;
    if (code === 0x0d) return "\\r";
    if (code === 0x0a) return "\\n";
    return `\\x${code.toString(16).padStart(2, "0")}`;
  });
}
