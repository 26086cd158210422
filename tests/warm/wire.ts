// A client's connection for the tests of warm restarts: many requests in one write, replies taken
// one by one, bytes as they are.

const READ_BYTES = 2 ** 18;
const LF = 0x0a;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The server has closed the connection, or died. */
export class GoneError extends Error {
  override name = "GoneError";
}

/** One connection. */
export class Wire {
  readonly #conn: Deno.Conn;
  #buffer = new Uint8Array(2 * READ_BYTES);
  #from = 0;
  #to = 0;

  private constructor(conn: Deno.TcpConn) {
    conn.setNoDelay(true);
    this.#conn = conn;
  }

  /** Connects to a port of this machine. */
  static async open(port: number): Promise<Wire> {
    return new Wire(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Sends all of `bytes`. */
  async send(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    for (let at = 0; at < all.length;) at += await this.#conn.write(all.subarray(at));
  }

  async #more(): Promise<void> {
    if (this.#from > 0) {
      this.#buffer.copyWithin(0, this.#from, this.#to);
      this.#to -= this.#from;
      this.#from = 0;
    }
    if (this.#buffer.length - this.#to < READ_BYTES) {
      const larger = new Uint8Array(2 * this.#buffer.length);
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    const count = await this.#conn.read(this.#buffer.subarray(this.#to));
    if (count === null) throw new GoneError("the server closed the connection");
    this.#to += count;
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#buffer.subarray(0, this.#to).indexOf(LF, this.#from);
      if (end >= 0) {
        const line = decoder.decode(this.#buffer.subarray(this.#from, end));
        this.#from = end + 1;
        return line.replace(/\r$/, "");
      }
      await this.#more();
    }
  }

  /** The next `count` bytes, and CRLF behind them, which is taken as well. */
  async value(count: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#to - this.#from < count + 2) await this.#more();
    const bytes = this.#buffer.slice(this.#from, this.#from + count);
    this.#from += count + 2;
    return bytes;
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

/** What `mg` tells of an item. */
export interface Shown {
  readonly value: Uint8Array<ArrayBuffer>;
  readonly flags: string;
  readonly cas: string;
  /** Seconds it has to live; -1 for ever. */
  readonly ttl: number;
  /** Seconds since it was read or stored last. */
  readonly idle: number;
  /** Marks that it is out of date, that somebody was told to make it anew: X, Z. */
  readonly marks: string;
}

/** Asks for many items at once; undefined for those that are not there. */
export async function showAll(
  wire: Wire,
  keys: readonly string[],
): Promise<(Shown | undefined)[]> {
  const sending = wire.send(keys.map((key) => `mg ${key} v f c t l\r\n`).join(""));
  const shown: (Shown | undefined)[] = [];
  for (const _ of keys) shown.push(await show(wire));
  await sending;
  return shown;
}

async function show(wire: Wire): Promise<Shown | undefined> {
  const line = await wire.line();
  if (line === "EN") return undefined;
  const [code, length, ...tokens] = line.split(" ");
  if (code !== "VA") throw new Error(`mg was answered ${line}`);
  const value = await wire.value(Number(length));
  const of = (letter: string) => tokens.find((token) => token.startsWith(letter))?.slice(1) ?? "";
  return {
    value,
    flags: of("f"),
    cas: of("c"),
    ttl: Number(of("t")),
    idle: Number(of("l")),
    marks: tokens.filter((token) => /^[WXZ]$/.test(token)).join(""),
  };
}

/** What `stats` answers, by name. */
export async function statsOf(wire: Wire): Promise<Map<string, string>> {
  await wire.send("stats\r\n");
  const stats = new Map<string, string>();
  for (let line = await wire.line(); line !== "END"; line = await wire.line()) {
    const [, name = "", value = ""] = line.split(" ");
    stats.set(name, value);
  }
  return stats;
}
