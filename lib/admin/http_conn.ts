// One connection of the admin server: what node:http reads from and writes to.
//
// A connection is for one request. The client has so long to say what it wants, which is a whole
// head, as no body is waited for; so long to take some bytes of the answer; and so long to hang up
// after it. So whoever says nothing, says it a byte at a time, or does not read, has a place for a
// while and no longer.

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

  /** @param patienceMs How long the client has, in milliseconds. */
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

  /** Gives the client its time, from now on. */
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
