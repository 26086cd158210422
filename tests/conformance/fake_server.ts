// A server of a few lines for testing the runner itself: knows set, get, gets, version, mn, stats
// and quit, and can be given a fault.

import { concat } from "./template.ts";

/** What the server does wrong. */
export type Fault =
  | "none"
  /** Takes what one read brings for whole lines. */
  | "needs-whole-lines"
  /** Looks at one line of each read, and drops the others. */
  | "one-line-a-read";

export class FakeServer {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #fault: Fault;
  readonly #items = new Map<string, { value: string; cas: number }>();
  #cas = 0;
  #gets = 0;

  constructor(fault: Fault) {
    this.#fault = fault;
    void this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    for (const conn of this.#conns) conn.close();
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) void this.#serve(conn);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    this.#conns.add(conn);
    const buffer = new Uint8Array(64 * 1024);
    let input = "";
    try {
      while (true) {
        const count = await conn.read(buffer);
        if (count === null) break;
        input += new TextDecoder("latin1").decode(buffer.subarray(0, count));
        const { reply, left, quit } = this.#answer(input);
        input = this.#fault === "needs-whole-lines" ? "" : left;
        await conn.write(concat([new TextEncoder().encode(reply)]));
        if (quit) break;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Error)) throw error;
    }
    if (this.#conns.delete(conn)) close(conn);
  }

  /** Answers the whole requests at the start of `input`; `left` is what follows them. */
  #answer(input: string): { reply: string; left: string; quit: boolean } {
    let reply = "";
    let left = input;
    while (true) {
      const end = left.indexOf("\r\n");
      if (end < 0) return { reply, left, quit: false };
      const [command, key = "", flags, , size, noreply] = left.slice(0, end).split(" ");
      let next = end + 2;
      if (command === "quit") return { reply, left, quit: true };
      if (command === "set" && flags !== undefined) {
        next += Number(size) + 2;
        if (left.length < next) return { reply, left, quit: false };
        this.#items.set(key, { value: left.slice(end + 2, next - 2), cas: ++this.#cas });
        if (noreply === undefined) reply += "STORED\r\n";
      } else {
        reply += this.#line(command ?? "", left.slice(0, end).split(" ").slice(1));
      }
      left = left.slice(next);
      if (this.#fault === "one-line-a-read") return { reply, left: "", quit: false };
    }
  }

  #line(command: string, keys: readonly string[]): string {
    if (command === "mn") return "MN\r\n";
    if (command === "version") return "VERSION 0.0.1\r\n";
    if (command === "stats") {
      return `STAT time ${Math.floor(Date.now() / 1000)}\r\nSTAT cmd_set ${this.#cas}\r\n` +
        `STAT cmd_get ${this.#gets}\r\nEND\r\n`;
    }
    if (command !== "get" && command !== "gets") return "ERROR\r\n";
    let reply = "";
    for (const key of keys) {
      this.#gets++;
      const item = this.#items.get(key);
      if (item === undefined) continue;
      const cas = command === "gets" ? ` ${item.cas}` : "";
      reply += `VALUE ${key} 0 ${item.value.length}${cas}\r\n${item.value}\r\n`;
    }
    return `${reply}END\r\n`;
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
