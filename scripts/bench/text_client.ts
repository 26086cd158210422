// A client of the text protocol for load: whole batches of requests in one write.
//
// Each batch of sets ends with `version`, whose reply marks the end of the batch's replies, however
// many there are: with noreply there is none, not even of a refusal. Writing and reading overlap,
// so that neither side waits for the other with full buffers.

const READ_BYTES = 256 * 1024;
const LINE_FEED = 10;
const SPACE = 32;
const DIGIT_0 = 48;
const LETTER_E = 69;
const LETTER_S = 83;
const LETTER_V = 86;
const LETTER_T = 84;
const LETTER_A = 65;
const LETTER_D = 68;
const LETTER_H = 72;
const LETTER_N = 78;
/** Bytes of `VALUE `: the key begins behind it. */
const KEY_AT = 6;
/** Bytes behind a value: CR and LF. */
const VALUE_END_BYTES = 2;
/** Bytes of `VA `: the length of a value begins behind it. */
const META_LENGTH_AT = 3;
/** What {@linkcode TextClient.metaGet} hands over for a length where there is no item. */
export const MISSED = -1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const SYNC = encoder.encode("version\r\n");

/** Replies that are errors: how often each text came. */
export type Errors = Map<string, number>;

/** Lines `STAT name value` by name. */
export type Stats = ReadonlyMap<string, string>;

/** Takes the lines of a `stats` reply apart; other lines are left out. */
export function parseStats(text: string): Stats {
  const lines = text.matchAll(/^STAT (\S+) (.*?)\r?$/gm);
  return new Map([...lines].map(([, name = "", value = ""]) => [name, value]));
}

/** The statistic `name` as a number; 0 when the server does not show it. */
export function statNumber(stats: Stats, name: string): number {
  return Number(stats.get(name) ?? 0);
}

/** The number that the digits of `bytes[from, to)` make; other characters are passed over. */
export function digitsOf(bytes: Uint8Array, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = bytes[at]! - DIGIT_0;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
  }
  return value;
}

/** Adds the counts of `more` to `errors`. */
export function addErrors(errors: Errors, more: Errors): void {
  for (const [text, count] of more) errors.set(text, (errors.get(text) ?? 0) + count);
}

/** How many of `errors` are refusals for want of memory. */
export function outOfMemory(errors: Errors): number {
  let sum = 0;
  for (const [text, count] of errors) if (text.includes("out of memory")) sum += count;
  return sum;
}

/** What the client needs of a connection. */
export type ByteConn = Pick<Deno.Conn, "read" | "write" | "close">;

/** One connection; one call at a time. */
export class TextClient {
  readonly #conn: ByteConn;
  readonly #bytes = new Uint8Array(READ_BYTES);
  /** What has been received and not consumed: `#bytes[#from, #to)`. */
  #from = 0;
  #to = 0;

  constructor(conn: ByteConn) {
    this.#conn = conn;
  }

  /** Connects to a server on this machine. */
  static async connect(port: number): Promise<TextClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conn.setNoDelay(true);
    return new TextClient(conn);
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }

  /**
   * Sends sets, with or without noreply, and waits until all of them are done.
   *
   * @returns What the server refused, as far as it was to reply.
   */
  async store(requests: Uint8Array): Promise<Errors> {
    const [errors] = await Promise.all([this.#readStored(), this.#send(requests, SYNC)]);
    return errors;
  }

  /**
   * Sends one get of any number of keys.
   *
   * @param onHit Called for each value with the number that the key's digits make and its length.
   */
  async get(request: Uint8Array, onHit: (key: number, nbytes: number) => void): Promise<void> {
    await Promise.all([this.#readValues(onHit), this.#send(request)]);
  }

  /**
   * Sends `count` requests `mg <key> v`.
   *
   * @param onReply Called for each, in order: the length of the value, or {@linkcode MISSED}.
   */
  async metaGet(
    requests: Uint8Array,
    count: number,
    onReply: (index: number, nbytes: number) => void,
  ): Promise<void> {
    await Promise.all([this.#readMetaValues(count, onReply), this.#send(requests)]);
  }

  /** Sends `count` requests `ms`; returns what the server refused. */
  async metaSet(requests: Uint8Array, count: number): Promise<Errors> {
    const [errors] = await Promise.all([this.#readHeads(count), this.#send(requests)]);
    return errors;
  }

  /** Reads `stats`, or its group `items`, `slabs` or `settings`. */
  async stats(group = ""): Promise<Stats> {
    await this.#send(encoder.encode(group === "" ? "stats\r\n" : `stats ${group}\r\n`));
    let text = "";
    let line = "";
    do {
      line = await this.#line();
      text += line;
    } while (line.startsWith("STAT "));
    return parseStats(text);
  }

  async #send(...parts: Uint8Array[]): Promise<void> {
    for (const bytes of parts) {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#conn.write(sent === 0 ? bytes : bytes.subarray(sent));
      }
    }
  }

  async #readStored(): Promise<Errors> {
    const errors: Errors = new Map();
    for (;;) {
      const end = this.#lineEnd();
      if (end === -1) {
        await this.#receive();
        continue;
      }
      const first = this.#bytes[this.#from]!;
      const isStored = first === LETTER_S && this.#bytes[this.#from + 1] === LETTER_T;
      if (first !== LETTER_V && !isStored) {
        const text = decoder.decode(this.#bytes.subarray(this.#from, end)).trimEnd();
        errors.set(text, (errors.get(text) ?? 0) + 1);
      }
      this.#from = end + 1;
      if (first === LETTER_V) return errors;
    }
  }

  async #readValues(onHit: (key: number, nbytes: number) => void): Promise<void> {
    for (;;) {
      const end = this.#lineEnd();
      if (end === -1) {
        await this.#receive();
        continue;
      }
      const bytes = this.#bytes;
      const first = bytes[this.#from]!;
      const from = this.#from + KEY_AT;
      if (first !== LETTER_V) {
        const text = await this.#line();
        if (first === LETTER_E && text === "END\r\n") return;
        throw new Error(`Server answered a get with "${text.trimEnd()}"`);
      }
      const nbytes = digitsOf(bytes, bytes.lastIndexOf(SPACE, end), end);
      onHit(digitsOf(bytes, from, bytes.indexOf(SPACE, from)), nbytes);
      this.#from = end + 1;
      await this.#skip(nbytes + VALUE_END_BYTES);
    }
  }

  async #readMetaValues(
    count: number,
    onReply: (index: number, nbytes: number) => void,
  ): Promise<void> {
    for (let index = 0; index < count; index++) {
      const end = await this.#wholeLine();
      const first = this.#bytes[this.#from]!;
      const second = this.#bytes[this.#from + 1]!;
      if (first === LETTER_E && second === LETTER_N) {
        this.#from = end + 1;
        onReply(index, MISSED);
        continue;
      }
      if (first !== LETTER_V || second !== LETTER_A) {
        throw new Error(`Server answered mg with "${(await this.#line()).trimEnd()}"`);
      }
      const nbytes = digitsOf(this.#bytes, this.#from + META_LENGTH_AT, end);
      this.#from = end + 1;
      await this.#skip(nbytes + VALUE_END_BYTES);
      onReply(index, nbytes);
    }
  }

  async #readHeads(count: number): Promise<Errors> {
    const errors: Errors = new Map();
    for (let index = 0; index < count; index++) {
      const end = await this.#wholeLine();
      if (this.#bytes[this.#from] === LETTER_H && this.#bytes[this.#from + 1] === LETTER_D) {
        this.#from = end + 1;
        continue;
      }
      const text = (await this.#line()).trimEnd();
      errors.set(text, (errors.get(text) ?? 0) + 1);
    }
    return errors;
  }

  /** Receives until a whole line is there; returns the place of its line feed. */
  async #wholeLine(): Promise<number> {
    let end = this.#lineEnd();
    while (end === -1) {
      await this.#receive();
      end = this.#lineEnd();
    }
    return end;
  }

  async #line(): Promise<string> {
    const end = await this.#wholeLine();
    const text = decoder.decode(this.#bytes.subarray(this.#from, end + 1));
    this.#from = end + 1;
    return text;
  }

  /** Place of the first line feed; -1 when it has not come yet. */
  #lineEnd(): number {
    const end = this.#bytes.indexOf(LINE_FEED, this.#from);
    return end < this.#to ? end : -1;
  }

  async #skip(bytes: number): Promise<void> {
    let left = bytes;
    while (left > this.#to - this.#from) {
      left -= this.#to - this.#from;
      this.#from = this.#to;
      await this.#receive();
    }
    this.#from += left;
  }

  /** Receives more, behind what is there. */
  async #receive(): Promise<void> {
    if (this.#from === this.#to) {
      this.#from = this.#to = 0;
    } else if (this.#from > 0) {
      this.#bytes.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    if (this.#to === this.#bytes.length) throw new Error("Server sends a line without an end");
    const count = await this.#conn.read(this.#bytes.subarray(this.#to));
    if (count === null) throw new Error("Server closed the conn before its reply");
    this.#to += count;
  }
}
