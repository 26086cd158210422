// Client expiry times: memcached's rule for telling a delay from a date.

import type { Clock } from "../../base/clock.ts";

/**
 * Longest delay a client can ask for, in seconds. A larger number is a Unix date.
 * Source: memcached memcached.h, REALTIME_MAXDELTA, and protocol.txt, "Expiration times".
 */
export const EXPTIME_DELAY_MAX = 60 * 60 * 24 * 30;

/** Latest expiry that an item can hold: 136 years after the start. */
export const EXPTIME_MAX = 0xffffffff;

/** A second that is always past; 0 would mean "never". */
const LONG_AGO = 1;

/**
 * Turns what the client sent into seconds since start.
 *
 * memcached cuts the number to 32 bits first, so that a date after 2038 is past; here it is not.
 *
 * @param raw Seconds: a delay up to {@linkcode EXPTIME_DELAY_MAX}, a Unix date above it, negative
 * for "already expired".
 * @returns Seconds since start; 0 means the item never expires.
 */
export function toExptime(raw: number, clock: Clock): number {
  if (raw === 0) return 0;
  if (raw < 0) return LONG_AGO;
  if (raw <= EXPTIME_DELAY_MAX) return clock.now + raw;
  return Math.min(Math.max(LONG_AGO, raw - clock.startUnix), EXPTIME_MAX);
}
