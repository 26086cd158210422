// Events, for clients that `watch`: each thread writes records into its own ring, and takes no lock
// for it. A ring that is full takes no more: a record that has no room is dropped.
//
//   ring:    [ written ] line [ read ] line [ records … ]       positions in bytes, modulo 2^32
//   record:  [ ms since 1970: 8 ][ bytes | type | a | b | c | d | nkey | 0 ][ key or text, zeros ]
//
// A record does not go round the ring's end: one of type PAD fills the rest. drain.ts reads.
// Source: memcached logger.c, whose entries and fields these are.

import { ascii } from "../base/ascii.ts";
import { loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, Global, LINE_BYTES, wordIndex } from "../memory/regions.ts";
import type { Counters } from "../stats/counters.ts";
import { Counter } from "../stats/names.ts";

/** What a client can watch; as bits. Those of the proxy and raw commands are never logged. */
export const Watched = {
  FETCHERS: 1,
  MUTATIONS: 2,
  EVICTIONS: 4,
  CONNEVENTS: 8,
  SYSEVENTS: 16,
  DELETIONS: 32,
  NOTHING: 64,
} as const;

/** Kinds of watched things that have lines. */
export const KINDS = 6;

/** What a record is about. */
export const LogType = {
  PAD: 0,
  ITEM_GET: 1,
  ITEM_STORE: 2,
  EVICTION: 3,
  DELETED: 4,
  CONNEVENT: 5,
  SYSEVENT: 6,
} as const;
export type LogType = typeof LogType[keyof typeof LogType];

/** Words of a record, from its start. */
export const RecordWord = { BYTES: 2, TYPE: 3, A: 4, B: 5, C: 6, D: 7, NKEY: 8 } as const;
/** Bytes of a record before its key. */
export const RECORD_HEAD_BYTES = 40;
const ALIGN = 8;

/** Longest text of a record. */
const TEXT_BYTES_MAX = 512;

/** Bytes of a ring's two positions, each on a separate line. */
export const RING_HEAD_BYTES = 2 * LINE_BYTES;

/** Sizes that a ring may have: powers of two. A longest record fits in the least many times. */
const RING_BYTES_MIN = 4096;
const RING_BYTES_MAX = 4 * 2 ** 20;

/** The size of a ring for which `asked` bytes were asked. */
export function ringBytes(asked: number): number {
  const log2 = Math.ceil(Math.log2(Math.max(asked, 1)));
  return Math.min(Math.max(2 ** log2, RING_BYTES_MIN), RING_BYTES_MAX);
}

/** Milliseconds since 1970, with a fraction. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}

/** One thread's way to its ring. */
export class EventLog {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #f64: Float64Array<SharedArrayBuffer>;
  readonly #u8: Uint8Array<SharedArrayBuffer>;
  readonly #counters: Counters;
  readonly #writtenAt: number;
  readonly #readAt: number;
  /** Where the records start, in bytes. */
  readonly #from: number;
  readonly #size: number;

  constructor({ u32, f64, regions }: Control, thread: number, counters: Counters) {
    this.#u32 = u32;
    this.#f64 = f64;
    this.#u8 = new Uint8Array(u32.buffer);
    this.#counters = counters;
    const at = regions.logRingsAt + thread * (RING_HEAD_BYTES + regions.logRingBytes);
    this.#writtenAt = wordIndex(at);
    this.#readAt = wordIndex(at + LINE_BYTES);
    this.#from = at + RING_HEAD_BYTES;
    this.#size = regions.logRingBytes;
  }

  /**
   * Whether a client watches for `what`: ask before each record.
   * @hot
   */
  wants(what: number): boolean {
    return (this.#u32[Global.WATCHED]! & what) !== 0;
  }

  /** Logs a rare event: `text` is the line behind the gid. */
  text(type: LogType, text: string): void {
    const bytes = ascii(text.slice(0, TEXT_BYTES_MAX));
    this.write(type, 0, 0, 0, 0, bytes, 0, bytes.length);
  }

  /** Writes a record with four numbers and a key, or drops it. */
  write(
    type: LogType,
    a: number,
    b: number,
    c: number,
    d: number,
    bytes: Uint8Array,
    keyFrom: number,
    nkey: number,
  ): void {
    const length = Math.ceil((RECORD_HEAD_BYTES + nkey) / ALIGN) * ALIGN;
    let written = this.#u32[this.#writtenAt]!;
    const used = (written - loadWord(this.#u32, this.#readAt)) >>> 0;
    const left = this.#size - written % this.#size;
    const pad = left < length ? left : 0;
    if (used + pad + length > this.#size) {
      this.#counters.add(Counter.LOG_WORKER_DROPPED, 1);
      return;
    }
    if (pad > 0) {
      this.#head(written, pad, LogType.PAD);
      written = (written + pad) >>> 0;
    }
    const at = this.#head(written, length, type);
    this.#f64[at / ALIGN] = wallMs();
    const word = wordIndex(at);
    this.#u32[word + RecordWord.A] = a;
    this.#u32[word + RecordWord.B] = b;
    this.#u32[word + RecordWord.C] = c;
    this.#u32[word + RecordWord.D] = d;
    this.#u32[word + RecordWord.NKEY] = nkey;
    for (let index = 0; index < nkey; index++) {
      this.#u8[at + RECORD_HEAD_BYTES + index] = bytes[keyFrom + index]!;
    }
    storeWord(this.#u32, this.#writtenAt, (written + length) >>> 0); // Published.
    this.#counters.add(Counter.LOG_WORKER_WRITTEN, 1);
  }

  /** Writes what every record begins with; returns its place in bytes. */
  #head(written: number, length: number, type: LogType): number {
    const at = this.#from + written % this.#size;
    const word = wordIndex(at);
    // The rest of the ring may be shorter than a head: the size shows a PAD of 8 bytes.
    if (length > ALIGN) {
      this.#u32[word + RecordWord.BYTES] = length;
      this.#u32[word + RecordWord.TYPE] = type;
    }
    return at;
  }
}
