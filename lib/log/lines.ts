// The lines that watchers read: one ring for all of them. Each watcher has its place in it.
//
//   state:   [ lock | watchers | half-closed ones | watchers by kind … ]
//            [ written | oldest | gid | since | lines ever, by kind … | lines gone, by kind … ]
//   line:    [ bytes | kind ][ text, zeros ]      positions in bytes, from the beginning of time
//
// The maintenance thread appends (drain.ts), and makes room by letting the oldest lines go. A
// watcher that had not read them learns how many of its kinds it has lost. So a watcher that does
// not read costs nothing and delays no other. All this is done under the lock, which a thread holds
// no longer than it takes to copy a buffer.

import { assert, CHECKS } from "../base/assert.ts";
import { addWord, loadWord, storeWord } from "../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../memory/lock.ts";
import { type Control, Global, LINE_BYTES, wordIndex } from "../memory/regions.ts";
import { KINDS, wallMs } from "./event_log.ts";

/** Watchers there may be. Source: memcached logger.c, WATCHER_LIMIT. */
export const WATCHERS_MAX = 20;

const LOCK = 0;
const WATCHERS = 1;
const HALF_CLOSED = 2;
const BY_KIND = 3;
const FLOATS_FROM = LINE_BYTES;
const WRITTEN = 0;
const OLDEST = 1;
const GID = 2;
const SINCE = 3;
const LINES = 4;
const GONE = LINES + KINDS;
/** Bytes of the state: its words, and its floats. */
export const LINES_HEAD_BYTES = 4 * LINE_BYTES;

const FLOAT_BYTES = 8;
const HEAD_BYTES = 8;
const ALIGN = 8;
const RING_BYTES_MIN = 8192;
const RING_BYTES_MAX = 64 * 2 ** 20;

/** The size of the ring for which `asked` bytes were asked. */
export function linesBytes(asked: number): number {
  const bytes = Math.ceil(asked / LINE_BYTES) * LINE_BYTES;
  return Math.min(Math.max(bytes, RING_BYTES_MIN), RING_BYTES_MAX);
}

/** A watcher's place among the lines. */
export class LinesCursor {
  readonly kinds: number;
  at = 0;
  /** By kind: lines before its place. */
  readonly seen = new Float64Array(KINDS);
  /** Its client sends no more. */
  isHalfClosed = false;
  /** Lines that were gone before the watcher read them; its client does not know of them yet. */
  skipped = 0;

  /** @param kinds What it watches for, as bits of `Watched`. */
  constructor(kinds: number) {
    this.kinds = kinds;
  }
}

/** One thread's way to the lines. */
export class LogLines {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #f64: Float64Array<SharedArrayBuffer>;
  readonly #u8: Uint8Array<SharedArrayBuffer>;
  readonly #locks: Locks;
  readonly #words: number;
  readonly #floats: number;
  readonly #from: number;
  readonly #size: number;

  constructor({ u32, f64, regions }: Control, locks: Locks) {
    this.#u32 = u32;
    this.#f64 = f64;
    this.#u8 = new Uint8Array(u32.buffer);
    this.#locks = locks;
    this.#words = wordIndex(regions.logLinesAt);
    this.#floats = (regions.logLinesAt + FLOATS_FROM) / FLOAT_BYTES;
    this.#from = regions.logLinesAt + LINES_HEAD_BYTES;
    this.#size = regions.logLinesBytes;
  }

  /** Watchers there are, without the half-closed ones. */
  get watchers(): number {
    return loadWord(this.#u32, this.#words + WATCHERS);
  }

  /** Whether there is any watcher. */
  get isWatched(): boolean {
    return this.watchers > 0 || loadWord(this.#u32, this.#words + HALF_CLOSED) > 0;
  }

  /** When the first of them came, in milliseconds since 1970. */
  get since(): number {
    return this.#f64[this.#floats + SINCE]!;
  }

  /**
   * Takes a watcher in: it reads from here on. Takes: log.
   *
   * @returns false when there are as many as there may be.
   */
  join(cursor: LinesCursor): boolean {
    this.#lock();
    const { watchers } = this;
    const hasRoom = watchers < WATCHERS_MAX;
    if (hasRoom) {
      if (!this.isWatched) this.#f64[this.#floats + SINCE] = wallMs();
      storeWord(this.#u32, this.#words + WATCHERS, watchers + 1);
      this.#countKindsLocked(cursor.kinds, 1);
      cursor.at = this.#f64[this.#floats + WRITTEN]!;
      for (let kind = 0; kind < KINDS; kind++) {
        cursor.seen[kind] = this.#f64[this.#floats + LINES + kind]!;
      }
    }
    this.#unlock();
    return hasRoom;
  }

  /** Lets a watcher go. Takes: log. */
  leave(cursor: LinesCursor): void {
    this.#lock();
    addWord(this.#u32, this.#words + (cursor.isHalfClosed ? HALF_CLOSED : WATCHERS), -1);
    this.#countKindsLocked(cursor.kinds, -1);
    this.#unlock();
  }

  /**
   * A watcher's client sends no more: the watcher goes on, but others need not wait for its place,
   * as it may be gone. A client that is makes itself known when the next line is sent. Takes: log.
   */
  halfClose(cursor: LinesCursor): void {
    if (cursor.isHalfClosed) return;
    this.#lock();
    cursor.isHalfClosed = true;
    addWord(this.#u32, this.#words + WATCHERS, -1);
    addWord(this.#u32, this.#words + HALF_CLOSED, 1);
    this.#unlock();
  }

  #countKindsLocked(kinds: number, count: 1 | -1): void {
    if (CHECKS) this.#assertHeld();
    let watched = 0;
    for (let kind = 0; kind < KINDS; kind++) {
      const at = this.#words + BY_KIND + kind;
      if (((kinds >> kind) & 1) === 1) this.#u32[at]! += count;
      if (this.#u32[at]! > 0) watched |= 1 << kind;
    }
    storeWord(this.#u32, Global.WATCHED, watched);
  }

  /**
   * Appends a line of kind number `kind`. Takes: log.
   *
   * @param textOf Makes the line, given its number.
   */
  append(kind: number, textOf: (gid: number) => Uint8Array): void {
    this.#lock();
    const gid = this.#f64[this.#floats + GID]! + 1;
    this.#f64[this.#floats + GID] = gid;
    const bytes = textOf(gid);
    const length = HEAD_BYTES + Math.ceil(bytes.length / ALIGN) * ALIGN;
    const written = this.#f64[this.#floats + WRITTEN]!;
    while (written + length - this.#f64[this.#floats + OLDEST]! > this.#size) this.#letGoLocked();
    this.#f64[this.#floats + WRITTEN] = written + length;
    const word = wordIndex(this.#from + written % this.#size);
    this.#u32[word] = bytes.length;
    this.#u32[word + 1] = kind;
    const from = (written + HEAD_BYTES) % this.#size;
    const first = Math.min(bytes.length, this.#size - from);
    this.#u8.set(bytes.subarray(0, first), this.#from + from);
    this.#u8.set(bytes.subarray(first), this.#from);
    this.#f64[this.#floats + LINES + kind]! += 1;
    this.#unlock();
  }

  #letGoLocked(): void {
    if (CHECKS) this.#assertHeld();
    const oldest = this.#f64[this.#floats + OLDEST]!;
    const word = wordIndex(this.#from + oldest % this.#size);
    const length = HEAD_BYTES + Math.ceil(this.#u32[word]! / ALIGN) * ALIGN;
    this.#f64[this.#floats + GONE + this.#u32[word + 1]!]! += 1;
    this.#f64[this.#floats + OLDEST] = oldest + length;
  }

  /** Whether there are lines behind the place of a watcher. */
  hasNews(cursor: LinesCursor): boolean {
    return this.#f64[this.#floats + WRITTEN] !== cursor.at;
  }

  /**
   * Copies the lines that a watcher has not read into `bytes[from, to)`, as many as fit. What of
   * them was gone is counted in `cursor.skipped`, and nothing is copied then. Takes: log.
   *
   * @returns Where the copy ends, and how many lines it has.
   */
  read(
    cursor: LinesCursor,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): { readonly to: number; readonly lines: number } {
    let at = from;
    let lines = 0;
    this.#lock();
    const written = this.#f64[this.#floats + WRITTEN]!;
    const oldest = this.#f64[this.#floats + OLDEST]!;
    if (cursor.at < oldest) this.#skipLocked(cursor, oldest);
    else {
      while (cursor.at < written) {
        const word = wordIndex(this.#from + cursor.at % this.#size);
        const length = this.#u32[word]!;
        const kind = this.#u32[word + 1]!;
        if (((cursor.kinds >> kind) & 1) === 1) {
          if (at + length > to) break;
          this.#copyLocked(cursor.at + HEAD_BYTES, length, bytes, at);
          at += length;
          lines++;
        }
        cursor.seen[kind]! += 1;
        cursor.at += HEAD_BYTES + Math.ceil(length / ALIGN) * ALIGN;
      }
    }
    this.#unlock();
    return { to: at, lines };
  }

  #skipLocked(cursor: LinesCursor, oldest: number): void {
    if (CHECKS) this.#assertHeld();
    for (let kind = 0; kind < KINDS; kind++) {
      const gone = this.#f64[this.#floats + GONE + kind]!;
      if (((cursor.kinds >> kind) & 1) === 1) cursor.skipped += gone - cursor.seen[kind]!;
      cursor.seen[kind] = gone;
    }
    cursor.at = oldest;
  }

  #copyLocked(position: number, length: number, bytes: Uint8Array, to: number): void {
    if (CHECKS) this.#assertHeld();
    const from = position % this.#size;
    const first = Math.min(length, this.#size - from);
    bytes.set(this.#u8.subarray(this.#from + from, this.#from + from + first), to);
    bytes.set(this.#u8.subarray(this.#from, this.#from + length - first), to + first);
  }

  #assertHeld(): void {
    const at = this.#words + LOCK as LockIndex;
    assert(this.#locks.holds(at, LockRank.LOG), "The lines of the log are not held");
  }

  #lock(): void {
    this.#locks.lock(this.#words + LOCK as LockIndex, LockRank.LOG);
  }

  #unlock(): void {
    this.#locks.unlock(this.#words + LOCK as LockIndex, LockRank.LOG);
  }
}
