// Reply lines, and the buffer in which replies wait to be sent.

import { assert, fail } from "../base/assert.ts";
import { ascii } from "../base/ascii.ts";
import { Block } from "../base/block.ts";
import { copyBytes } from "../base/copy.ts";
import { writeUint } from "../base/decimal.ts";
import { type U64, U64_DIGITS_MAX } from "../base/u64.ts";

/** The bytes of `text` with its CRLF, ready to be written. */
function line(text: string): Block {
  return Block.of(ascii(`${text}\r\n`));
}

/** Fixed reply lines. Wording is memcached's, byte for byte: clients match on it. */
export const Reply = {
  CRLF: line(""),
  STORED: line("STORED"),
  NOT_STORED: line("NOT_STORED"),
  EXISTS: line("EXISTS"),
  NOT_FOUND: line("NOT_FOUND"),
  DELETED: line("DELETED"),
  TOUCHED: line("TOUCHED"),
  END: line("END"),
  OK: line("OK"),
  MN: line("MN"),
  RESET: line("RESET"),
  ERROR: line("ERROR"),
  TOO_MANY_CONNECTIONS: line("ERROR Too many open connections"),
  BAD_FORMAT: line("CLIENT_ERROR bad command line format"),
  BAD_CHUNK: line("CLIENT_ERROR bad data chunk"),
  BAD_EXPTIME: line("CLIENT_ERROR invalid exptime argument"),
  BAD_DELTA: line("CLIENT_ERROR invalid numeric delta argument"),
  NON_NUMERIC: line("CLIENT_ERROR cannot increment or decrement non-numeric value"),
  BAD_DELETE: line(
    "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]",
  ),
  FLUSH_NOT_ALLOWED: line("CLIENT_ERROR flush_all not allowed"),
  BAD_SHUTDOWN: line("CLIENT_ERROR invalid shutdown mode"),
  SHUTDOWN_DISABLED: line("SERVER_ERROR: shutdown not enabled"),
  UNAUTHENTICATED: line("CLIENT_ERROR unauthenticated"),
  AUTHENTICATION_FAILURE: line("CLIENT_ERROR authentication failure"),
  BAD_TOKEN_FORMAT: line("CLIENT_ERROR bad authentication token format"),
  BAD_TOKEN_TERMINATION: line("CLIENT_ERROR bad command line termination"),
  TOKEN_TOO_LONG: line("CLIENT_ERROR auth token too long"),
  HD: line("HD"),
  EN: line("EN"),
  TOO_MANY_FLAGS: line("CLIENT_ERROR options flags are too long"),
  DUPLICATE_FLAG: line("CLIENT_ERROR duplicate flag"),
  INVALID_FLAG: line("CLIENT_ERROR invalid flag"),
  INVALID_OR_DUPLICATE_FLAG: line("CLIENT_ERROR invalid or duplicate flag"),
  OPAQUE_TOO_LONG: line("CLIENT_ERROR opaque token too long"),
  BAD_KEY_ENCODING: line("CLIENT_ERROR error decoding key"),
  BAD_FLAG_TOKEN: line("CLIENT_ERROR bad token in command line format"),
  BAD_MS_MODE: line("CLIENT_ERROR invalid mode for ms M token"),
  BAD_MA_MODE: line("CLIENT_ERROR invalid mode for ma M token"),
  BAD_INITIAL: line("CLIENT_ERROR invalid numeric initial value"),
  BAD_DELTA_VALUE: line("CLIENT_ERROR invalid numeric delta value"),
  NO_MEMORY_VIVIFYING: line("SERVER_ERROR Out of memory allocating new item"),
  TOO_MANY_HOLDERS: line("SERVER_ERROR refcount overflow during fetch"),
  BAD_LRU_PCTS: line("ERROR hot and warm pcts must not exceed 80"),
  BAD_LRU_FACTORS: line("ERROR hot/warm age factors must be greater than 0"),
  METADUMP_NOT_ALLOWED: line("ERROR metadump not allowed"),
  MGDUMP_NOT_ALLOWED: line("ERROR key dump not allowed"),
  CACHEDUMP_NOT_ALLOWED: line("CLIENT_ERROR stats cachedump not allowed"),
  BAD_CACHEDUMP: line("CLIENT_ERROR bad command line"),
  BAD_DETAIL: line("CLIENT_ERROR usage: stats detail on|off|dump"),
  DETAIL_NOT_ALLOWED: line("CLIENT_ERROR stats detail not allowed"),
  WATCH_NOT_ALLOWED: line("CLIENT_ERROR watch commands not allowed"),
  WATCHER_TOO_MANY: line("WATCHER_TOO_MANY log watcher limit reached"),
  WATCHER_FAILED: line("WATCHER_FAILED failed to add log watcher"),
  BAD_SLAB_ID: line("CLIENT_ERROR Illegal slab id"),
  CRAWLER_NOT_STARTED: line("ERROR failed to start lru crawler thread"),
  CRAWLER_DISABLED: line("CLIENT_ERROR lru crawler disabled"),
  BAD_CRAWLER_SLEEP: line("CLIENT_ERROR sleep must be one second or less"),
  CRAWLER_BUSY: line("BUSY currently processing crawler request"),
  BADCLASS: line("BADCLASS invalid class id"),
  NOTSTARTED: line("NOTSTARTED no items to crawl"),
  REASSIGN_DISABLED: line("CLIENT_ERROR slab reassignment disabled"),
  REASSIGN_BUSY: line("BUSY currently processing reassign request"),
  BAD_SLAB_CLASS: line("BADCLASS invalid src or dst class id"),
  SAME_CLASS: line("SAME src and dst class are identical"),
  NOSPARE: line("NOSPARE source class has no spare pages"),
  BAD_WINDOW: line("CLIENT_ERROR automove window too low or too high"),
  MEMLIMIT_TOO_SMALL: line("MEMLIMIT_TOO_SMALL cannot set maxbytes to less than 8m"),
  MEMLIMIT_NOT_MEGABYTES: line("MEMLIMIT_ADJUST_FAILED input value is megabytes not bytes"),
  MEMLIMIT_OUT_OF_BOUNDS: line("MEMLIMIT_ADJUST_FAILED out of bounds or unable to adjust"),
  NO_TLS: line("Error TLS not enabled"),
  TOO_LARGE: line("SERVER_ERROR object too large for cache"),
  TOO_LARGE_FOR_UDP: line("SERVER_ERROR response too large for UDP"),
  NO_MEMORY_STORING: line("SERVER_ERROR out of memory storing object"),
  NO_MEMORY_DURING_READ: line("SERVER_ERROR Out of memory during read"),
  NO_MEMORY_ADDING: line("SERVER_ERROR out of memory"),
  NO_MEMORY_READING: line("SERVER_ERROR out of memory writing get response"),
} as const;

/** References that may wait in one buffer. A `sendmsg` takes twice as many pieces and one. */
export const REFERENCES_MAX = 32;

/** Longest fixed line of {@linkcode Reply}, in bytes: room for one makes room for any. */
export const LINE_BYTES_MAX = 128;

/**
 * Replies of one connection that wait to be sent: `bytes[sent, used)`, with references between
 * them.
 *
 * A reference stands for bytes that are sent straight from where they are, such as a large value:
 * segment, range, and the holder that keeps them there. Holders are only numbers here.
 */
export class ReplyBuffer {
  readonly block: Block;
  used = 0;
  sent = 0;
  /** References `[refNext, refCount)` are still to be sent, `[refReleased, refNext)` are done. */
  refCount = 0;
  refNext = 0;
  refReleased = 0;
  /** Position in `bytes` before which each reference is sent. */
  readonly refAt = new Uint32Array(REFERENCES_MAX);
  readonly refSegment = new Uint32Array(REFERENCES_MAX);
  readonly refFrom = new Uint32Array(REFERENCES_MAX);
  readonly refTo = new Uint32Array(REFERENCES_MAX);
  readonly refHolder = new Uint32Array(REFERENCES_MAX);

  constructor(block: Block) {
    this.block = block;
  }

  /** Bytes free at the end. Ask before a command that writes more than a line. */
  get room(): number {
    return this.block.bytes.length - this.used;
  }

  /** Whether another reference fits. */
  get hasReferenceRoom(): boolean {
    return this.refCount < REFERENCES_MAX;
  }

  /** Whether nothing waits to be sent. */
  get isEmpty(): boolean {
    return this.sent === this.used && this.refNext === this.refCount;
  }

  /**
   * Appends a fixed line. Caller has checked {@linkcode room}.
   * @hot
   */
  write(text: Block): void {
    this.writeRange(text, 0, text.bytes.length);
  }

  /**
   * Appends `source[from, to)`. Caller has checked {@linkcode room}.
   * @hot
   */
  writeRange(source: Block, from: number, to: number): void {
    assert(to - from <= this.room, "Reply buffer overrun");
    copyBytes(source, from, this.block, this.used, to - from);
    this.used += to - from;
  }

  /**
   * Appends one byte.
   * @hot
   */
  writeByte(byte: number): void {
    assert(this.room > 0, "Reply buffer overrun");
    this.block.bytes[this.used++] = byte;
  }

  /**
   * Appends a whole number, 0..2^53-1, in decimal.
   * @hot
   */
  writeUint(value: number): void {
    assert(this.room >= U64_DIGITS_MAX, "Reply buffer overrun");
    this.used = writeUint(this.block.bytes, this.used, value);
  }

  /**
   * Appends a 64-bit number in decimal.
   * @hot
   */
  writeU64(value: U64): void {
    assert(this.room >= U64_DIGITS_MAX, "Reply buffer overrun");
    this.used = value.write(this.block.bytes, this.used);
  }

  /** Appends ASCII text. For cold paths. Caller has checked {@linkcode room}. */
  writeText(text: string): void {
    const bytes = ascii(text);
    this.writeBytes(bytes, bytes.length);
  }

  /** Appends the first `count` of `bytes`. For cold paths. Caller has checked {@linkcode room}. */
  writeBytes(bytes: Uint8Array, count: number): void {
    if (count > this.room) fail(`Cannot write ${count} bytes: room ${this.room}`);
    this.block.bytes.set(bytes.subarray(0, count), this.used);
    this.used += count;
  }

  /**
   * Appends bytes `[from, to)` of a segment by reference. Caller has checked
   * {@linkcode hasReferenceRoom}.
   *
   * @param holder What keeps them there until they are sent.
   * @hot
   */
  writeReference(segment: number, from: number, to: number, holder: number): void {
    assert(this.refCount < REFERENCES_MAX, "Too many references in a reply buffer");
    const at = this.refCount++;
    this.refAt[at] = this.used;
    this.refSegment[at] = segment;
    this.refFrom[at] = from;
    this.refTo[at] = to;
    this.refHolder[at] = holder;
  }

  /**
   * Records that the next `count` waiting bytes were sent.
   * @hot
   */
  advance(count: number): void {
    let left = count;
    while (left > 0) {
      const stop = this.refNext < this.refCount ? this.refAt[this.refNext]! : this.used;
      if (this.sent < stop) {
        const step = Math.min(stop - this.sent, left);
        this.sent += step;
        left -= step;
        continue;
      }
      assert(this.refNext < this.refCount, "More was sent than was waiting");
      const step = Math.min(this.refTo[this.refNext]! - this.refFrom[this.refNext]!, left);
      this.refFrom[this.refNext]! += step;
      left -= step;
      if (this.refFrom[this.refNext] === this.refTo[this.refNext]) this.refNext++;
    }
  }

  /** Forgets everything; call once all is sent and every holder released. */
  reset(): void {
    assert(this.isEmpty, "Reply buffer reset with bytes unsent");
    assert(this.refReleased === this.refCount, "Reply buffer reset with a holder left");
    this.clear();
  }

  /** Forgets everything, sent or not: the client is gone. Holders are the caller's to release. */
  clear(): void {
    this.used = 0;
    this.sent = 0;
    this.refCount = 0;
    this.refNext = 0;
    this.refReleased = 0;
  }
}
