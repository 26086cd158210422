// Bytes of one connection that wait, oldest first, in blocks of a store that all share.

import { assert } from "../base/assert.ts";
import { type BlockStore, STORE_BLOCK_BYTES, type StoredBlock } from "./block_store.ts";

const NO_BYTES = new Uint8Array(0);

/** A queue of bytes. An empty one has no memory. */
export class ByteQueue {
  readonly #store: BlockStore;
  readonly #blocks: StoredBlock[] = [];
  /** Bytes of the first block that have gone, and of the last one that are in use. */
  #at = 0;
  #used = 0;

  constructor(store: BlockStore) {
    this.#store = store;
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Adds bytes, copied. */
  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length;) {
      if (this.#blocks.length === 0 || this.#used === STORE_BLOCK_BYTES) {
        this.#blocks.push(this.#store.take());
        this.#used = 0;
      }
      const to = Math.min(bytes.length, from + STORE_BLOCK_BYTES - this.#used);
      this.#blocks[this.#blocks.length - 1]!.bytes.set(bytes.subarray(from, to), this.#used);
      this.#used += to - from;
      from = to;
    }
  }

  /** The oldest bytes, as many as are in one piece; they stay there until they are skipped. */
  peek(): Uint8Array<ArrayBuffer> {
    const first = this.#blocks[0];
    return first === undefined ? NO_BYTES : first.bytes.subarray(this.#at, this.#firstEnd);
  }

  get #firstEnd(): number {
    return this.#blocks.length === 1 ? this.#used : STORE_BLOCK_BYTES;
  }

  /** Forgets the oldest `count` bytes, of those that peek() has shown. */
  skip(count: number): void {
    assert(count <= this.#firstEnd - this.#at, "Skipped more than peek() has shown");
    this.#at += count;
    if (this.#at < this.#firstEnd) return;
    this.#store.give(this.#blocks[0]!);
    this.#blocks.shift();
    this.#at = 0;
  }

  /** Moves bytes to `target[from, to)`, as many as there are; returns how many. */
  take(target: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#blocks.length > 0) {
      const count = Math.min(to - at, this.#firstEnd - this.#at);
      const { bytes } = this.#blocks[0]!;
      target.set(bytes.subarray(this.#at, this.#at + count), at);
      at += count;
      this.skip(count);
    }
    return at - from;
  }

  /** Forgets everything. */
  clear(): void {
    for (const block of this.#blocks.splice(0)) this.#store.give(block);
    this.#at = 0;
  }
}
