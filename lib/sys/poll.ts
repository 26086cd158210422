// Waiting for a few descriptors without blocking the thread: for the acceptor, which lives beside
// timers and signal handlers on the main thread.
//
// struct pollfd: fd 4, events 2, revents 2. Source: sys/poll.h.

import { libc } from "./libc.ts";

const POLLIN = 1;
const WORDS_PER_FD = 2;
/** Over 64 bytes, so that V8 keeps the words where they are while the kernel writes to them. */
const WORDS_MIN = 32;

/** Waits until one of a fixed set of descriptors can be read. */
export class PollSet {
  readonly #fds: readonly number[];
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(fds: readonly number[]) {
    this.#fds = fds;
    this.#words = new Int32Array(Math.max(WORDS_MIN, fds.length * WORDS_PER_FD));
    fds.forEach((fd, index) => {
      this.#words[index * WORDS_PER_FD] = fd;
      this.#words[index * WORDS_PER_FD + 1] = POLLIN;
    });
  }

  /** The descriptors that can be read, or have failed. Waits on a thread of Deno's pool. */
  async wait(): Promise<number[]> {
    const count = await libc.poll(this.#words, this.#fds.length, -1);
    // errno belongs to the pool's thread and cannot be read here; a signal is all that can happen.
    if (count < 0) return [];
    return this.#fds.filter((_, index) => (this.#words[index * WORDS_PER_FD + 1]! >>> 16) !== 0);
  }
}
