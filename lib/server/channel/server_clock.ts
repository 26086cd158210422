// The clock that every thread reads: made and ticked by the main thread.

import { type Clock, CLOCK_START } from "../../base/clock.ts";
import { storeWord } from "../../memory/atomic.ts";
import { type Control, Global } from "../../memory/regions.ts";

const SECOND_MS = 1000;

/** A moment of the clock, beside the time of the system. */
export interface ClockState {
  /** Unix time at which second 0 of the clock began, by the system's time of now, in seconds. */
  readonly startUnix: number;
  /** Seconds since then. */
  readonly now: number;
}

/**
 * Seconds that a clock which began at `startUnix` shows now, by the system's time.
 *
 * @param startUnix Unix time, in seconds.
 */
export function secondsSince(startUnix: number): number {
  return Math.floor(Date.now() / SECOND_MS) - startUnix;
}

/**
 * The clock of a server, ticked once a second on the second.
 *
 * It follows the monotonic clock from its start on, so that no item expires early or late when the
 * system's time is corrected. Source: memcached.c, clock_handler.
 */
export class ServerClock {
  readonly clock: Clock;
  readonly #unixMsAtStart = Date.now();
  readonly #monotonicAtStart = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param startUnix Its beginning, where it continues the clock of an earlier run; default: now.
   */
  constructor(startUnix?: number) {
    const nowUnix = Math.floor(this.#unixMsAtStart / SECOND_MS);
    const began = startUnix ?? nowUnix - CLOCK_START;
    this.clock = { startUnix: began, now: nowUnix - began };
  }

  /** Begins to tick. */
  start(control: Control): void {
    const unixMs = this.#unixMs;
    this.clock.now = Math.floor(unixMs / SECOND_MS) - this.clock.startUnix;
    storeWord(control.u32, Global.NOW, this.clock.now);
    this.#timer = setTimeout(() => this.start(control), SECOND_MS - unixMs % SECOND_MS + 1);
  }

  /** Ends the ticking. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /**
   * What another process needs to continue this clock. That process has only the system's time, so
   * `startUnix` includes the corrections of the system's time during this run.
   */
  get state(): ClockState {
    const unixMs = this.#unixMs;
    const { startUnix } = this.clock;
    return {
      startUnix: startUnix + Math.round((Date.now() - unixMs) / SECOND_MS),
      now: Math.floor(unixMs / SECOND_MS) - startUnix,
    };
  }

  /** Unix time by the monotonic clock, in milliseconds. */
  get #unixMs(): number {
    return this.#unixMsAtStart + performance.now() - this.#monotonicAtStart;
  }
}
