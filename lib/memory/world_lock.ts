// The world lock: one lock over the whole store, which each thread holds for a turn of its loop
// while the locks are in global mode. Taking it then stops the world between two turns.
//
//   switches   how often the mode was switched, by the main thread; odd: global, even: granular
//   reports    how many switches the threads have made, all together
//
// A thread switches at the end of a turn, when it holds no lock, and goes on taking the granular
// ones in either mode: threads in different modes still exclude each other item by item. Once
// `reports` is `switches` times the number of threads, every turn is made under the world lock.
// Granular mode costs a turn two branches.
// Source: memcached 1.4 thread.c, switch_item_lock_type: the same two modes, item by item.

import { assert } from "../base/assert.ts";
import { addAndWake, addWord, changeOfWord, loadWord } from "./atomic.ts";
import { type LockIndex, LockRank, type Locks } from "./lock.ts";
import { type Control, Global } from "./regions.ts";

const WORLD_LOCK = Global.WORLD_LOCK as LockIndex;

/** Longest that {@linkcode awaitReports} sleeps before it asks `isOver`, in milliseconds. */
const REPORT_MS_MAX = 100;

/** One thread's part in it. */
export class World {
  readonly #control: Control;
  readonly #locks: Locks;
  /** Switches that this thread has made. */
  #made = 0;
  #mustSwitch = false;

  constructor(control: Control, locks: Locks) {
    this.#control = control;
    this.#locks = locks;
  }

  /** Whether this thread makes its turns under the world lock. */
  get isGlobal(): boolean {
    return (this.#made & 1) === 1;
  }

  /**
   * Begins a turn, in which this thread may use the store. Takes: world, in global mode.
   * @hot
   */
  enter(): void {
    if (this.isGlobal) this.#locks.lock(WORLD_LOCK, LockRank.WORLD);
  }

  /**
   * Ends the turn; then switches, if {@linkcode switchAtTurnEnd} was called in it.
   * @hot
   */
  leave(): void {
    if (this.isGlobal) this.#locks.unlock(WORLD_LOCK, LockRank.WORLD);
    if (this.#mustSwitch) this.#follow();
  }

  /** Switches at the end of this turn, if the main thread has asked for the other mode. */
  switchAtTurnEnd(): void {
    this.#mustSwitch = true;
  }

  /** Makes the switches that were asked for, and reports them. */
  #follow(): void {
    this.#mustSwitch = false;
    const asked = loadWord(this.#control.i32, Global.WORLD_SWITCHES);
    const made = (asked - this.#made) | 0;
    if (made === 0) return;
    assert(this.#locks.idle, "Locks switched with one held");
    this.#made = asked;
    addAndWake(this.#control.i32, Global.WORLD_REPORTS, made);
  }
}

/** Asks every thread for the other mode; they are to be woken. For the main thread. */
export function askSwitch({ i32 }: Control): void {
  addWord(i32, Global.WORLD_SWITCHES, 1);
}

/**
 * Waits until `threads` threads have made every switch that was asked for. For the main thread,
 * which goes on with other things meanwhile.
 *
 * @returns false when `isOver` says so first.
 */
export async function awaitReports(
  { i32 }: Control,
  threads: number,
  isOver: () => boolean,
): Promise<boolean> {
  const asked = Math.imul(loadWord(i32, Global.WORLD_SWITCHES), threads);
  for (;;) {
    const reports = loadWord(i32, Global.WORLD_REPORTS);
    if (reports === asked) return true;
    if (isOver()) return false;
    await changeOfWord(i32, Global.WORLD_REPORTS, reports, REPORT_MS_MAX);
  }
}

/**
 * Stops the world, waiting for up to `ms` milliseconds. When every thread has reported global mode,
 * no other thread uses the store until {@linkcode startWorld}. Takes: world.
 *
 * @returns false, and the world goes on, when the lock was not had in time.
 */
export function stopWorld(locks: Locks, ms: number): boolean {
  return locks.lockWithin(WORLD_LOCK, LockRank.WORLD, ms);
}

/** Lets the world go on. */
export function startWorld(locks: Locks): void {
  locks.unlock(WORLD_LOCK, LockRank.WORLD);
}
