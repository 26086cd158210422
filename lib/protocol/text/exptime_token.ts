// Expiry times as a line of text gives them.
//
// memcached keeps them in 32 bits with a sign. Numbers of 32 bits mean here what they mean there;
// larger ones, which memcached cuts or refuses, are dates.

import { PLUS } from "../../base/ascii.ts";
import { NOT_A_NUMBER, parseInt64 } from "../../base/decimal.ts";

const INT32_END = 2 ** 31;
const UINT32_END = 2 ** 32;

/**
 * Reads the expiry of a storage command, or the delay of flush_all, from `bytes[from, to)`.
 *
 * 2^31..2^32-1 are negative: clients that cut -1 to 32 bits send 4294967295.
 * Source: memcached proto_text.c, process_update_command and process_flush_all_command.
 *
 * @returns Seconds: a delay, a Unix date, or negative for "already expired"; NaN for no number.
 * @hot
 */
export function parseExptime(bytes: Uint8Array, from: number, to: number): number {
  const seconds = parseInt64(bytes, from, to);
  return isCutNegative(seconds) ? seconds - UINT32_END : seconds;
}

/**
 * Reads the expiry of touch, gat or a meta flag from `bytes[from, to)`. Neither a plus sign nor a
 * number of 2^31..2^32-1 is one. Source: memcached vendor/mcmc/mcmc.c, mcmc_tokto32.
 *
 * @returns As {@linkcode parseExptime}.
 * @hot
 */
export function parseStrictExptime(bytes: Uint8Array, from: number, to: number): number {
  if (bytes[from] === PLUS) return NOT_A_NUMBER;
  const seconds = parseInt64(bytes, from, to);
  return isCutNegative(seconds) ? NOT_A_NUMBER : seconds;
}

function isCutNegative(seconds: number): boolean {
  return seconds >= INT32_END && seconds < UINT32_END;
}
