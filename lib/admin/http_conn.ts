// One connection of the admin server: what node:http reads from and writes to.
//
// A connection serves one request. One time limit applies to each step: receiving the whole head (a
// body is not read), sending each part of the answer, and the client's close after it. So a client
// that sends nothing, sends byte by byte or does not read cannot hold a connection for long.

import { Duplex } from "node:stream";

const READ_BYTES = 2048;

type Done = (error?: Error | null) => void;

/** A stream over a connection; it ends by itself, and never with an error. */
export class HttpConn extends Duplex {
  readonly #conn: Deno.Conn;
  readonly #patienceMs: number;
  readonly #bytes = new Uint8Array(READ_BYTES);
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #isAsked = false;

  /** @param patienceMs The time limit of each step, in milliseconds. */
  constructor(conn: Deno.Conn, patienceMs: number) {
    super();
    this.#conn = conn;
    this.#patienceMs = patienceMs;
    this.#wait();
  }

  /** A request is there. Returns false when it is not the first one. */
  ask(): boolean {
    if (this.#isAsked) return false;
    this.#isAsked = true;
    clearTimeout(this.#deadline);
    return true;
  }

  /** Starts the time limit anew. */
  #wait(): void {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.destroy(), this.#patienceMs);
  }

  override _read(): void {
    void this.#receive();
  }

  /** Reads once; the stream asks again when it has taken that. */
  async #receive(): Promise<void> {
    try {
      const count = await this.#conn.read(this.#bytes);
      this.push(count === null ? null : this.#bytes.slice(0, count));
    } catch {
      this.destroy();
    }
  }

  override _write(chunk: Uint8Array, _encoding: string, done: Done): void {
    this.#send(chunk).then(() => done(), done);
  }

  async #send(chunk: Uint8Array): Promise<void> {
    for (let from = 0; from < chunk.length;) {
      this.#wait();
      from += await this.#conn.write(chunk.subarray(from));
    }
    if (this.#isAsked) clearTimeout(this.#deadline);
  }

  override _final(done: Done): void {
    this.#wait();
    this.#conn.closeWrite().then(() => done(), done);
  }

  override _destroy(_error: Error | null, done: Done): void {
    clearTimeout(this.#deadline);
    this.#conn.close();
    done();
  }
}
