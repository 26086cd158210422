// A transport of one datagram: receives from its payload, and collects the whole reply, as each
// datagram of a reply says how many there are.

import { assert } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { copyBytes } from "../base/copy.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { Io, type Transport } from "./transport.ts";

/** Largest reply; a client that wants more has TCP. */
export const REPLY_BYTES_MAX: number = 16 * 2 ** 20;
/** Memory for a reply that is kept when the reply is gone. */
const REPLY_BYTES_KEPT = 64 * 1024;

/** What a connection reads and writes while one datagram is served. */
export class DatagramTransport implements Transport {
  readonly #segments: readonly Block[];
  #datagram: Block = new Block(new ArrayBuffer(0));
  #at = 0;
  #to = 0;
  #reply = new Block(new ArrayBuffer(REPLY_BYTES_KEPT));
  /** Bytes of the reply so far. */
  length = 0;
  /** More was to be sent than a reply may have. */
  isTooLarge = false;

  /** @param segments Item memory: values are received into it, and sent from it. */
  constructor(segments: readonly Block[]) {
    this.#segments = segments;
  }

  /** Makes `datagram[from, to)` what there is to receive, and the reply empty. */
  open(datagram: Block, from: number, to: number): void {
    this.#datagram = datagram;
    this.#at = from;
    this.#to = to;
    this.clearReply();
  }

  /** Payload bytes that were not received. */
  get unread(): number {
    return this.#to - this.#at;
  }

  /** Forgets the reply, and gives back what an uncommonly large one took. */
  clearReply(): void {
    this.length = 0;
    this.isTooLarge = false;
    if (this.#reply.bytes.length > REPLY_BYTES_KEPT) {
      this.#reply = new Block(new ArrayBuffer(REPLY_BYTES_KEPT));
    }
  }

  /** Makes the reply `line` instead. */
  replaceReply(line: Block): void {
    this.clearReply();
    this.#append(line, 0, line.bytes.length);
  }

  /** Copies bytes `[from, to)` of the reply to `target` at `at`. */
  copyReply(from: number, to: number, target: Block, at: number): void {
    assert(from < to && to <= this.length, "Copied what is not in the reply");
    copyBytes(this.#reply, from, target, at, to - from);
  }

  recv(_fd: number, bytes: Uint8Array<ArrayBuffer>, from: number): number {
    const count = Math.min(bytes.length - from, this.unread);
    bytes.set(this.#datagram.bytes.subarray(this.#at, this.#at + count), from);
    this.#at += count;
    return count;
  }

  recvValue(_fd: number, segment: number, from: number, to: number): number {
    const count = Math.min(to - from, this.unread);
    copyBytes(this.#datagram, this.#at, this.#segments[segment]!, from, count);
    this.#at += count;
    return count;
  }

  /** Takes all that waits in `replies`; {@linkcode Io.GONE} when that is too much. */
  send(_fd: number, replies: ReplyBuffer): number {
    const before = this.length;
    let at = replies.sent;
    for (let ref = replies.refNext; ref < replies.refCount; ref++) {
      this.#append(replies.block, at, replies.refAt[ref]!);
      at = replies.refAt[ref]!;
      const segment = this.#segments[replies.refSegment[ref]!]!;
      this.#append(segment, replies.refFrom[ref]!, replies.refTo[ref]!);
    }
    this.#append(replies.block, at, replies.used);
    if (!this.isTooLarge) return this.length - before;
    this.length = before;
    return Io.GONE;
  }

  #append(source: Block, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > REPLY_BYTES_MAX) this.isTooLarge = true;
    if (this.isTooLarge) return;
    if (length > this.#reply.bytes.length) this.#grow(length);
    copyBytes(source, from, this.#reply, this.length, to - from);
    this.length = length;
  }

  #grow(wanted: number): void {
    const bytes = Math.min(Math.max(wanted, 2 * this.#reply.bytes.length), REPLY_BYTES_MAX);
    const larger = new Block(new ArrayBuffer(bytes));
    copyBytes(this.#reply, 0, larger, 0, this.length);
    this.#reply = larger;
  }

  probe(_fd: number): void {}

  // There is never anything to wait for, and the socket outlives the datagram.
  waitReadable(): void {}
  waitWritable(): void {}
  close(): void {}
}
