// What every connection is doing, in shared memory: any thread can list all of them.
//
//   record of descriptor n   [ state + 1, 0 unused ][ second of the last command ][ listener ][ - ]
//
// The thread that owns the connection writes its record; any thread may read it. A reader may see a
// connection that is just closing or has just closed.

import { ascii } from "../base/ascii.ts";
import { loadWord, storeWord } from "../memory/atomic.ts";
import { CONN_WORDS, type Control, wordIndex } from "../memory/regions.ts";

const STATE = 0;
const LAST_COMMAND = 1;
const LISTENER = 2;

/** Bytes for the addresses of one connection: two texts, each shorter than half of it. */
export const CONN_NAME_BYTES = 128;

/** One connection, as it was a moment ago. */
export interface ConnRow {
  readonly fd: number;
  /** The number of a `ConnState`. */
  readonly state: number;
  /** Seconds since start. */
  readonly lastCommand: number;
  /** Which listener it came by, counted from 0. */
  readonly listener: number;
}

/** One thread's view of the records. */
export class ConnTable {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #at: number;
  readonly #count: number;
  readonly #names: Uint8Array<SharedArrayBuffer>;
  readonly #nameBytes: number;

  constructor({ u32, regions }: Control) {
    this.#u32 = u32;
    this.#at = wordIndex(regions.connsAt);
    this.#count = regions.conns;
    this.#nameBytes = regions.connNameBytes;
    this.#names = new Uint8Array(u32.buffer, regions.connNamesAt, this.#count * this.#nameBytes);
  }

  /** Records a new connection or listener. A descriptor beyond the table is not recorded. */
  open(fd: number, state: number, now: number, listener: number): void {
    if (fd >= this.#count) return;
    const at = this.#at + fd * CONN_WORDS;
    storeWord(this.#u32, at + LAST_COMMAND, now);
    storeWord(this.#u32, at + LISTENER, listener);
    storeWord(this.#u32, at + STATE, state + 1);
  }

  /**
   * Records what a connection does now.
   * @hot
   */
  setState(fd: number, state: number): void {
    if (fd < this.#count) this.#u32[this.#at + fd * CONN_WORDS + STATE] = state + 1;
  }

  /**
   * Records that a connection has just run a command.
   * @hot
   */
  setLastCommand(fd: number, now: number): void {
    if (fd < this.#count) this.#u32[this.#at + fd * CONN_WORDS + LAST_COMMAND] = now;
  }

  /** Records the addresses of both ends, as far as they fit; where the table has room for them. */
  setNames(fd: number, peer: string, local: string): void {
    if (fd >= this.#count || this.#nameBytes === 0) return;
    const half = this.#nameBytes / 2;
    for (const [at, text] of [[0, peer], [half, local]] as const) {
      const from = fd * this.#nameBytes + at;
      const bytes = ascii(text).subarray(0, half - 1);
      this.#names.fill(0, from, from + half);
      this.#names.set(bytes, from);
    }
  }

  /** The addresses of both ends, as {@linkcode setNames} recorded them. */
  namesOf(fd: number): { readonly peer: string; readonly local: string } {
    const half = this.#nameBytes / 2;
    const textAt = (from: number): string => {
      const end = this.#names.indexOf(0, from);
      const to = Math.min(end < 0 ? from + half : end, from + half);
      return new TextDecoder().decode(this.#names.slice(from, to));
    };
    return { peer: textAt(fd * this.#nameBytes), local: textAt(fd * this.#nameBytes + half) };
  }

  /** Forgets a closed connection. */
  close(fd: number): void {
    if (fd < this.#count) storeWord(this.#u32, this.#at + fd * CONN_WORDS + STATE, 0);
  }

  /** Every connection and listener, in order of descriptors. */
  *rows(): Generator<ConnRow> {
    for (let fd = 0; fd < this.#count; fd++) {
      const at = this.#at + fd * CONN_WORDS;
      const state = loadWord(this.#u32, at + STATE);
      if (state === 0) continue;
      yield {
        fd,
        state: state - 1,
        lastCommand: this.#u32[at + LAST_COMMAND]!,
        listener: this.#u32[at + LISTENER]!,
      };
    }
  }
}
