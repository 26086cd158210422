// Bytes received from one client, between the socket and the parser.

import { assert } from "../base/assert.ts";
import { CR, LF } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";

/**
 * Longest command line, except for get, gets, gat and gats: a client that sends more is talking
 * another protocol. Source: memcached proto_text.c, try_read_command_ascii.
 */
export const LINE_MAX = 2048;

/** What {@linkcode ReadBuffer.lineEnd} returns while the line is incomplete. */
export const NO_LINE = -1;

/**
 * Received bytes not yet consumed: `bytes[consumed, received)`.
 *
 * Invariant: 0 <= consumed <= searched <= received <= bytes.length.
 */
export class ReadBuffer {
  readonly block: Block;
  consumed = 0;
  /** Up to here there is no line feed, so a search need not start over. */
  searched = 0;
  received = 0;

  constructor(block: Block) {
    this.block = block;
  }

  /** Bytes received and not consumed. */
  get pending(): number {
    return this.received - this.consumed;
  }

  /** Whether pending bytes fill the whole buffer. */
  get isFull(): boolean {
    return this.pending === this.block.bytes.length;
  }

  /**
   * Position of the line feed that ends the first pending line, or {@linkcode NO_LINE}.
   *
   * A loop, not `indexOf`: that has no end position and would search stale bytes too.
   * @hot
   */
  lineEnd(): number {
    const { received } = this;
    const { bytes } = this.block;
    for (let at = this.searched; at < received; at++) {
      if (bytes[at] === LF) {
        this.searched = at;
        return at;
      }
    }
    this.searched = received;
    return NO_LINE;
  }

  /**
   * Drops the first `count` pending bytes.
   * @hot
   */
  consume(count: number): void {
    assert(count >= 0 && count <= this.pending, "Consumed more than was received");
    this.consumed += count;
    this.searched = this.consumed;
  }

  /**
   * `count` bytes were received behind the pending ones.
   * @hot
   */
  fill(count: number): void {
    assert(
      count <= this.block.bytes.length - this.received,
      "Received more than there is room for",
    );
    this.received += count;
  }

  /** Moves the pending bytes to the front, so that there is room for more behind them. */
  compact(): void {
    if (this.consumed === 0) return;
    if (this.pending > 0) this.block.bytes.copyWithin(0, this.consumed, this.received);
    this.searched -= this.consumed;
    this.received -= this.consumed;
    this.consumed = 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.consumed = 0;
    this.searched = 0;
    this.received = 0;
  }
}

/** `lineFeed`, or the position of the CR before it, in the line that starts at `from`. */
export function lineWithoutCr(bytes: Uint8Array, from: number, lineFeed: number): number {
  return lineFeed > from && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
}
