// Stopping the world, as the main thread does it: every thread goes over to global locks, the main
// thread takes the one lock that they then share, and the store stands still.
//
//   main ── 'g' ─► acceptor ── 'g' ─► workers        each reports at the end of its turn
//     └──── a word, and a wake ─────► maintainer     (memory/world_lock.ts)
//   main: all have reported ─► takes the world ─► runs ─► gives it back ── 'l' ─► …
//
// The acceptor goes on. When a thread does not report, the attempt ends and the service continues:
// until the main thread has the world lock, all threads run.

import type { Locks } from "../memory/lock.ts";
import type { Control } from "../memory/regions.ts";
import { askSwitch, awaitReports, startWorld, stopWorld } from "../memory/world_lock.ts";
import { wakeMaintainer } from "../store/control/requests.ts";

/** Longest that the threads may take to report, and that the lock may take, in milliseconds. */
const REPORTS_MS_MAX = 5000;
const LOCK_MS_MAX = 5000;
/** How long the main thread waits for the lock at a time: a thread may die with it held. */
const LOCK_MS = 10;

/** What the main thread stops the world by. */
export interface WorldReach {
  readonly control: Control;
  /** The main thread's. */
  readonly locks: Locks;
  /** Threads that use the store: the workers and the maintainer. */
  readonly threads: number;
  /** Sends a notice to every worker. */
  readonly notifyWorkers: (mode: "g" | "l") => void;
  /** Whether the server is ending. */
  readonly isEnding: () => boolean;
}

/** A pause, and what was done in it. Times in milliseconds. */
export interface Pause<T> {
  readonly result: T;
  /** Until the last thread had reported. */
  readonly reportsMs: number;
  /** From then until the world stood still. */
  readonly lockMs: number;
  /** How long it stood still. */
  readonly stillMs: number;
}

/** Why there was no pause. */
export const NoPause = {
  NO_REPORT: "a thread did not report in",
  NO_LOCK: "a thread did not end its turn",
  ENDING: "the server is ending",
} as const;
export type NoPause = typeof NoPause[keyof typeof NoPause];

/**
 * Stops the world, calls `run`, and lets the world go on. One call at a time.
 *
 * @returns How long it took; or why it could not be, with the locks granular as before.
 */
export async function pauseWorld<T>(
  world: WorldReach,
  run: () => T,
): Promise<Pause<T> | NoPause> {
  const startMs = performance.now();
  switchAll(world, "g");
  const isLate = () => performance.now() - startMs > REPORTS_MS_MAX;
  const haveReported = await awaitReports(
    world.control,
    world.threads,
    () => world.isEnding() || isLate(),
  );
  const reportedMs = performance.now();
  const hasStopped = haveReported && await stop(world, reportedMs + LOCK_MS_MAX);
  if (!hasStopped) {
    switchAll(world, "l");
    if (world.isEnding()) return NoPause.ENDING;
    return haveReported ? NoPause.NO_LOCK : NoPause.NO_REPORT;
  }
  const stoppedMs = performance.now();
  const result = run();
  switchAll(world, "l"); // They switch at the end of the turn that they are about to have.
  const endMs = performance.now();
  startWorld(world.locks);
  return {
    result,
    reportsMs: reportedMs - startMs,
    lockMs: stoppedMs - reportedMs,
    stillMs: endMs - stoppedMs,
  };
}

/** Asks every thread for the other mode, which is `mode`. */
function switchAll({ control, notifyWorkers }: WorldReach, mode: "g" | "l"): void {
  askSwitch(control);
  notifyWorkers(mode);
  wakeMaintainer(control);
}

/** Takes the world lock, in short tries: between them the main thread handles its events. */
async function stop({ locks, isEnding }: WorldReach, deadlineMs: number): Promise<boolean> {
  while (!isEnding() && performance.now() < deadlineMs) {
    if (stopWorld(locks, LOCK_MS)) return true;
    await new Promise((resolve) => setTimeout(resolve));
  }
  return false;
}
