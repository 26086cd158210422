// A client's end of one connection for tests: sends bytes as they are, and receives with a
// limit on the wait, so that a server that stays silent is a failure and not a hang.

import { type Address, connectTo } from "../support/address.ts";
import { concat } from "./template.ts";

/** How receiving ended when nothing was received. */
export type Ended = "closed" | "reset" | "silent";

const LF = 0x0a;
const READ_BYTES = 64 * 1024;

/** What a link needs of a connection. */
export interface ByteConn {
  readonly localAddr: Deno.Addr;
  read(target: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/** A server in this process. */
export interface ProcessAddress {
  connect(): Promise<ByteConn>;
}

export class Link {
  readonly #conn: ByteConn;
  readonly #waitMsMax: number;
  readonly #buffer = new Uint8Array(READ_BYTES);
  #received = new Uint8Array(0);
  #ended: Ended | undefined;
  #closed = false;

  private constructor(conn: ByteConn, waitMsMax: number) {
    this.#conn = conn;
    this.#waitMsMax = waitMsMax;
  }

  /** @param waitMsMax How long to wait for bytes, before the server counts as silent. */
  static async open(address: Address | ProcessAddress, waitMsMax: number): Promise<Link> {
    const conn = "connect" in address ? await address.connect() : await connectTo(address);
    return new Link(conn, waitMsMax);
  }

  /**
   * Logs in.
   *
   * @param token A name, a space and a password; undefined for a server that asks for none.
   */
  async logIn(token: string | undefined): Promise<void> {
    if (token === undefined) return;
    await this.send(new TextEncoder().encode(`set login 0 0 ${token.length}\r\n${token}\r\n`));
    const reply = new TextDecoder().decode(await this.line());
    if (reply !== "STORED\r\n") throw new Error(`The server does not let us in: ${reply}`);
  }

  /** Why no more bytes came; undefined as long as they did. */
  get ended(): Ended | undefined {
    return this.#ended;
  }

  /** Our TCP port, by which the server knows the connection; 0 over a Unix socket. */
  get localPort(): number {
    const { localAddr } = this.#conn;
    return "port" in localAddr ? localAddr.port : 0;
  }

  /** Sends all of `bytes`. A server that has closed the connection is no error here. */
  async send(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    } catch (error) {
      if (!this.#closed && !isGone(error)) throw error;
    }
  }

  /**
   * Half-closes: the server sees the end of what we send; over TLS by a close_notify. A server
   * answers over either what it has received before.
   */
  async closeWrite(): Promise<void> {
    try {
      await this.#conn.closeWrite();
    } catch (error) {
      if (!isGone(error) && !(error instanceof Deno.errors.NotConnected)) throw error;
    }
  }

  /** The bytes received and not yet taken. */
  get pending(): Uint8Array {
    return this.#received;
  }

  /** Forgets the first `count` pending bytes. */
  take(count: number): void {
    this.#received = this.#received.slice(count);
  }

  /** Waits for more bytes. @returns Whether some came; if not, {@linkcode ended} says why. */
  async more(): Promise<boolean> {
    if (this.#ended !== undefined) return false;
    let silent = false;
    const timer = setTimeout(() => {
      silent = true;
      this.close();
    }, this.#waitMsMax);
    try {
      const count = await this.#conn.read(this.#buffer);
      if (count === null) {
        this.#ended = silent ? "silent" : "closed";
        return false;
      }
      this.#received = concat([this.#received, this.#buffer.subarray(0, count)]);
      return true;
    } catch (error) {
      // TLS that ends without a close_notify: what was sent before has arrived all the same.
      const cutOff = error instanceof Deno.errors.UnexpectedEof;
      if (!silent && !cutOff && !isGone(error)) throw error;
      this.#ended = silent ? "silent" : cutOff ? "closed" : "reset";
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The next line with its LF, taken.
   *
   * @returns undefined when the connection ended first; what came stays pending.
   */
  async line(): Promise<Uint8Array | undefined> {
    let searched = 0;
    while (true) {
      const at = this.#received.indexOf(LF, searched);
      if (at >= 0) {
        const line = this.#received.slice(0, at + 1);
        this.take(at + 1);
        return line;
      }
      searched = this.#received.length;
      if (!(await this.more())) return undefined;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted;
}
