// Buffers for connections that are in the middle of something. An idle connection has none.
//
// All come out of one block of mapped memory that is kept for the thread's life: the kernel writes
// to them, so none may move or be freed. What was given back last is taken first, while it is still
// in the processor's cache.

import { assert } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { ReplyBuffer } from "../protocol/reply.ts";
import type { Counters } from "../stats/counters.ts";
import { Counter } from "../stats/names.ts";
import { ReadBuffer } from "./read_buffer.ts";

/** Bytes of a read buffer. Source: memcached memcached.h, READ_BUFFER_SIZE. */
export const READ_BYTES = 16 * 1024;
/** Bytes of a reply buffer: room for the longest line of `stats` and for a few copied values. */
export const REPLY_BYTES = 32 * 1024;

/** One thread's buffers. */
export class BufferPool {
  readonly #memory: ArrayBuffer;
  readonly #counters: Counters;
  readonly #readers: ReadBuffer[] = [];
  readonly #repliers: ReplyBuffer[] = [];
  #carved = 0;
  /** Spare bytes that the gauge knows of. */
  #counted = 0;

  /** @param memory What the buffers are cut from: their total size can never exceed it. */
  constructor(memory: ArrayBuffer, counters: Counters) {
    this.#memory = memory;
    this.#counters = counters;
  }

  /** An empty read buffer; undefined when memory is used up. */
  takeRead(): ReadBuffer | undefined {
    const spare = this.#readers.pop();
    if (spare !== undefined) return spare;
    const block = this.#carve(READ_BYTES);
    return block === undefined ? undefined : new ReadBuffer(block);
  }

  /** Gives a read buffer back, whatever is in it. */
  giveRead(buffer: ReadBuffer): void {
    buffer.clear();
    this.#readers.push(buffer);
  }

  /** An empty reply buffer; undefined when memory is used up. */
  takeReplies(): ReplyBuffer | undefined {
    const spare = this.#repliers.pop();
    if (spare !== undefined) return spare;
    const block = this.#carve(REPLY_BYTES);
    return block === undefined ? undefined : new ReplyBuffer(block);
  }

  /** Gives an empty reply buffer back. */
  giveReplies(replies: ReplyBuffer): void {
    replies.reset();
    this.#repliers.push(replies);
  }

  /**
   * Brings the gauge of spare memory up to date: once per turn of the loop, not at each take and
   * give.
   */
  countSpare(): void {
    const spare = this.#readers.length * READ_BYTES + this.#repliers.length * REPLY_BYTES;
    if (spare === this.#counted) return;
    assert(spare <= this.#carved, "More buffers are spare than there are");
    this.#counters.add(Counter.READ_BUF_BYTES_FREE, spare - this.#counted);
    this.#counted = spare;
  }

  #carve(bytes: number): Block | undefined {
    if (this.#carved + bytes > this.#memory.byteLength) {
      this.#counters.add(Counter.READ_BUF_OOM, 1);
      return undefined;
    }
    const block = new Block(this.#memory, this.#carved, bytes);
    this.#carved += bytes;
    this.#counters.add(Counter.READ_BUF_COUNT, 1);
    this.#counters.add(Counter.READ_BUF_BYTES, bytes);
    return block;
  }
}
