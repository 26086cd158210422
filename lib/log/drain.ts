// From the rings of all threads to the lines that watchers read: the maintenance thread takes the
// records in the order of their times, numbers them, and writes their lines.
//
// Source of the lines: memcached logger.c, _logger_parse_ige and its neighbours.

import { loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, LINE_BYTES, wordIndex } from "../memory/regions.ts";
import { LogType, RECORD_HEAD_BYTES, RecordWord, RING_HEAD_BYTES } from "./event_log.ts";
import { LineText } from "./line_text.ts";
import type { LogLines } from "./lines.ts";

/** Most records that one turn takes. */
const RECORDS_PER_TURN = 500;
const ALIGN = 8;
/** Longest line: a key of which every byte is encoded, and a head. Texts are shorter. */
const LINE_BYTES_MAX = 2048;

const GET_STATUS = ["not_found", "found", "flushed", "expired"] as const;
const STORE_STATUS = [
  "stored",
  "not_stored",
  "exists",
  "not_found",
  "too_large",
  "no_memory",
] as const;
const STORE_COMMAND = ["set", "add", "replace", "append", "prepend", "cas"] as const;
const DELETE_COMMAND = ["delete", "md"] as const;

/** Number of the kind that each type's lines are of. */
const KIND_OF: Readonly<Record<LogType, number>> = {
  [LogType.PAD]: 0,
  [LogType.ITEM_GET]: 0,
  [LogType.ITEM_STORE]: 1,
  [LogType.EVICTION]: 2,
  [LogType.CONNEVENT]: 3,
  [LogType.SYSEVENT]: 4,
  [LogType.DELETED]: 5,
};

/** The line that is being written. */
const line = new LineText(LINE_BYTES_MAX);

/** One thread's ring, as its reader sees it. */
class Ring {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #f64: Float64Array<SharedArrayBuffer>;
  readonly #u8: Uint8Array<SharedArrayBuffer>;
  readonly #writtenAt: number;
  readonly #readAt: number;
  readonly #from: number;
  readonly #size: number;
  /** Place of the next record, in bytes of the memory. */
  #at = 0;

  constructor({ u32, f64, regions }: Control, thread: number) {
    this.#u32 = u32;
    this.#f64 = f64;
    this.#u8 = new Uint8Array(u32.buffer);
    const at = regions.logRingsAt + thread * (RING_HEAD_BYTES + regions.logRingBytes);
    this.#writtenAt = wordIndex(at);
    this.#readAt = wordIndex(at + LINE_BYTES);
    this.#from = at + RING_HEAD_BYTES;
    this.#size = regions.logRingBytes;
  }

  /** When its next record was written; Infinity when there is none. */
  get nextMs(): number {
    for (;;) {
      const read = this.#u32[this.#readAt]!;
      if (read === loadWord(this.#u32, this.#writtenAt)) return Infinity;
      this.#at = this.#from + read % this.#size;
      const left = this.#size - read % this.#size;
      if (left > ALIGN && this.word(RecordWord.TYPE) !== LogType.PAD) {
        return this.#f64[this.#at / ALIGN]!;
      }
      this.#advance(left); // A PAD goes to the end.
    }
  }

  /** Word `index` of the next record. */
  word(index: number): number {
    return this.#u32[wordIndex(this.#at) + index]!;
  }

  /** Appends the key of the next record to `line`, as it is shown. */
  writeKey(line: LineText): void {
    const from = this.#at + RECORD_HEAD_BYTES;
    line.uri(this.#u8, from, from + this.word(RecordWord.NKEY));
  }

  /** Appends the text of the next record to `line`. */
  writeText(line: LineText): void {
    const from = this.#at + RECORD_HEAD_BYTES;
    line.raw(this.#u8, from, from + this.word(RecordWord.NKEY));
  }

  /** Goes past the next record. */
  skip(): void {
    this.#advance(this.word(RecordWord.BYTES));
  }

  #advance(bytes: number): void {
    storeWord(this.#u32, this.#readAt, (this.#u32[this.#readAt]! + bytes) >>> 0);
  }
}

/** Takes the records of all threads. */
export class LogDrain {
  readonly #rings: readonly Ring[];
  readonly #lines: LogLines;

  constructor(control: Control, lines: LogLines) {
    this.#rings = Array.from(
      { length: control.regions.counterThreads },
      (_, thread) => new Ring(control, thread),
    );
    this.#lines = lines;
  }

  /** Whether a client watches, so that the next turn is due soon. */
  get isWatched(): boolean {
    return this.#lines.isWatched;
  }

  /**
   * Makes lines of the records that there are, and throws away what is older than the first
   * watcher. Takes: log.
   *
   * @returns Whether there may be more.
   */
  turn(): boolean {
    const { since } = this.#lines;
    for (let taken = 0; taken < RECORDS_PER_TURN; taken++) {
      const ring = this.#oldest();
      if (ring === undefined) return false;
      const ms = ring.nextMs;
      if (this.isWatched && ms >= since) {
        const kind = KIND_OF[ring.word(RecordWord.TYPE) as LogType];
        this.#lines.append(kind, (gid) => lineOf(ring, ms, gid));
      }
      ring.skip();
    }
    return true;
  }

  #oldest(): Ring | undefined {
    let oldest: Ring | undefined;
    let oldestMs = Infinity;
    for (const ring of this.#rings) {
      const ms = ring.nextMs;
      if (ms >= oldestMs) continue;
      oldest = ring;
      oldestMs = ms;
    }
    return oldest;
  }
}

/** Seconds, a dot, and microseconds without leading zeros, as memcached writes them. */
function timeOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return `${seconds}.${Math.floor((ms - seconds * 1000) * 1000)}`;
}

/** The line of the next record of a ring: valid until the next one. */
function lineOf(ring: Ring, ms: number, gid: number): Uint8Array {
  line.clear();
  line.text("ts=");
  line.text(timeOf(ms));
  line.text(" gid=");
  line.text(gid);
  line.text(" ");
  const { A, B, C, D } = RecordWord;
  const [a, b, c, d] = [ring.word(A), ring.word(B), ring.word(C), ring.word(D)];
  switch (ring.word(RecordWord.TYPE)) {
    case LogType.ITEM_GET:
      line.text("type=item_get key=");
      ring.writeKey(line);
      line.text(` status=${GET_STATUS[a]} clsid=${b} cfd=${c} size=${d}`);
      break;
    case LogType.ITEM_STORE:
      line.text("type=item_store key=");
      ring.writeKey(line);
      line.text(` status=${STORE_STATUS[a & 0xff]} cmd=${STORE_COMMAND[(a >> 8) & 0xff]} `);
      line.text(`ttl=${b} clsid=${a >> 16} cfd=${c} size=${d}`);
      break;
    case LogType.EVICTION:
      line.text("type=eviction key=");
      ring.writeKey(line);
      line.text(` fetch=${(a & 0xff) === 1 ? "yes" : "no"} ttl=${b | 0} la=${c | 0} `);
      line.text(`clsid=${a >> 8} size=${d}`);
      break;
    case LogType.DELETED:
      line.text("type=deleted key=");
      ring.writeKey(line);
      line.text(` cmd=${DELETE_COMMAND[a]} clsid=${b} size=${d}`);
      break;
    default:
      ring.writeText(line);
  }
  return line.end();
}
