// Locks in shared memory. Each is one 32-bit word: free, held, or held while another thread waits.
//
// A waiter spins briefly, then sleeps in Atomics.wait until the holder wakes it. An uncontended
// lock and unlock is two atomic operations, 20 to 30 ns.
// Source: the three-state mutex of Drepper, "Futexes Are Tricky".

import { assert, fail } from "../base/assert.ts";

/**
 * Kinds of lock, in the only order in which a thread may take them: taking a lower one while
 * holding a higher one can deadlock. `tryLock` may go against the order.
 */
export const LockRank = {
  /** The whole store, for a turn: taken in global mode only (world_lock.ts). */
  WORLD: 0,
  /** A shard of the hash table, with the items that hash to it. */
  BUCKET: 1,
  /** One LRU list of one slab class. */
  LRU: 2,
  /** The free chunks of one slab class. */
  SLAB: 3,
  /** The pages not yet given to a class. */
  PAGE: 4,
  /** The baseline of `stats reset`, the pending flush, the table of logins. */
  SETTINGS: 5,
  /** The table of `stats detail`. */
  PREFIXES: 6,
  /** The lines that watchers read. */
  LOG: 7,
} as const;
export type LockRank = typeof LockRank[keyof typeof LockRank];

declare const brand: unique symbol;
/** Index of a lock word in the control memory, in 32-bit words. */
export type LockIndex = number & { readonly [brand]: "LockIndex" };

const FREE = 0;
const HELD = 1;
const CONTENDED = 2;

/** Tries made before the thread sleeps; a critical section here is well under a microsecond. */
const SPINS_MAX = 100;

/** Bits of the count of held locks that each rank has in `#held`. */
const RANK_BITS = 4;
const COUNT_MASK = 2 ** RANK_BITS - 1;

/** One thread's view of the lock words, and the ranks that thread holds now. */
export class Locks {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #waitMsMax: number;
  /** How many locks of each rank this thread holds, RANK_BITS for each. */
  #held = 0;
  /** No other thread is at work: see {@linkcode exclusively}. */
  #isExclusive = false;

  /**
   * @param waitMsMax Longest wait for one lock, in milliseconds. A thread that must go on when the
   * holder has died has a limit, and throws when it is over.
   */
  constructor(words: Int32Array<SharedArrayBuffer>, waitMsMax = Infinity) {
    this.#words = words;
    this.#waitMsMax = waitMsMax;
  }

  /**
   * Takes the lock, waiting for as long as it takes, or this thread may.
   * @hot
   */
  lock(at: LockIndex, rank: LockRank): void {
    assert(this.#held >> (rank * RANK_BITS) === 0, "Lock taken out of order");
    if (Atomics.compareExchange(this.#words, at, FREE, HELD) !== FREE) this.#wait(at);
    this.#held += 1 << (rank * RANK_BITS);
  }

  #wait(at: LockIndex): void {
    for (let spins = 0; spins < SPINS_MAX; spins++) {
      if (Atomics.load(this.#words, at) !== FREE) continue;
      if (Atomics.compareExchange(this.#words, at, FREE, HELD) === FREE) return;
    }
    while (Atomics.exchange(this.#words, at, CONTENDED) !== FREE) {
      const outcome = Atomics.wait(this.#words, at, CONTENDED, this.#waitMsMax);
      if (outcome === "timed-out") fail(`Lock ${at} not had within ${this.#waitMsMax} ms`);
    }
  }

  /**
   * Takes the lock, waiting for up to `ms` milliseconds: the holder may have died.
   *
   * @returns Whether it was had.
   */
  lockWithin(at: LockIndex, rank: LockRank, ms: number): boolean {
    assert(this.#held >> (rank * RANK_BITS) === 0, "Lock taken out of order");
    const deadline = performance.now() + ms;
    while (Atomics.exchange(this.#words, at, CONTENDED) !== FREE) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      Atomics.wait(this.#words, at, CONTENDED, leftMs);
    }
    this.#held += 1 << (rank * RANK_BITS);
    return true;
  }

  /**
   * Takes the lock if it is free now. Any order is allowed: a try cannot deadlock.
   * @hot
   */
  tryLock(at: LockIndex, rank: LockRank): boolean {
    if (Atomics.compareExchange(this.#words, at, FREE, HELD) !== FREE) return false;
    this.#held += 1 << (rank * RANK_BITS);
    return true;
  }

  /**
   * Gives the lock back.
   * @hot
   */
  unlock(at: LockIndex, rank: LockRank): void {
    const was = Atomics.exchange(this.#words, at, FREE);
    if (was === FREE) fail(`Lock ${at} released but not held`);
    if (was === CONTENDED) Atomics.notify(this.#words, at, 1);
    this.#held -= 1 << (rank * RANK_BITS);
  }

  /** How many locks of `rank` this thread holds. */
  heldCount(rank: LockRank): number {
    return (this.#held >> (rank * RANK_BITS)) & COUNT_MASK;
  }

  /**
   * Whether the lock at `at` is taken, and this thread holds one of its rank: true for the holder,
   * nearly always false for another thread. For asserts: it costs two plain loads.
   * @hot
   */
  holds(at: LockIndex, rank: LockRank): boolean {
    if (this.#isExclusive) return true;
    return ((this.#held >> (rank * RANK_BITS)) & COUNT_MASK) !== 0 && this.#words[at] !== FREE;
  }

  /**
   * Whether this thread holds any lock of `rank`.
   * @hot
   */
  holdsRank(rank: LockRank): boolean {
    return this.#isExclusive || ((this.#held >> (rank * RANK_BITS)) & COUNT_MASK) !== 0;
  }

  /**
   * Runs `work` while no other thread uses the memory: before the threads start, or while all of
   * them are between turns. {@linkcode holds} is true of every lock meanwhile.
   */
  exclusively<T>(work: () => T): T {
    this.#isExclusive = true;
    const result = work();
    this.#isExclusive = false;
    return result;
  }

  /** Whether this thread holds no lock at all: true between turns. */
  get idle(): boolean {
    return this.#held === 0;
  }
}
