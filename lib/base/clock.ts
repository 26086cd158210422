// The server's clock, in whole seconds. The main thread ticks it; every thread reads it once per
// turn of its loop.

/**
 * What the clock shows when the server starts. Not 0, so that a time of 0 can mean "never" and
 * second 1 is always past.
 * Source: memcached memcached.c, process_started (ITEM_UPDATE_INTERVAL + 2 seconds before start).
 */
export const CLOCK_START = 2;

/** One thread's reading of the clock, taken once per turn of its loop. */
export interface Clock {
  /** Unix time at which second 0 of the server's clock began, in seconds. */
  readonly startUnix: number;
  /** Seconds since then. */
  now: number;
}
