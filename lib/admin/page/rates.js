// From counters to rates: what happened between two readings of the statistics.
//
// A counter that went backwards was reset (`stats reset`) or belongs to a server that was started
// anew: the time in between is unknown, so the answer is null and never a guess. A
// reset takes all counters but CPU time, and those that have grown past their old value hide it:
// one that went backwards speaks for all.

import { numberOf, sumOf } from "./stats_event.js";

/** @typedef {import("./stats_event.js").Stats} Stats */
/** @typedef {import("./stats_event.js").Values} Values */
/** @typedef {import("./stats_event.js").WorkerCounts} WorkerCounts */

/** What is neither a get nor a set. */
const OTHERS = [
  "cmd_touch",
  "cmd_flush",
  "delete_hits",
  "delete_misses",
  "incr_hits",
  "incr_misses",
  "decr_hits",
  "decr_misses",
];

/** What only grows until it is reset. */
const COUNTERS = [
  ...OTHERS,
  "cmd_get",
  "cmd_set",
  "get_hits",
  "get_misses",
  "touch_hits",
  "cas_hits",
  "cas_misses",
  "cas_badval",
  "evictions",
  "reclaimed",
  "total_items",
  "bytes_read",
  "bytes_written",
  "total_connections",
];

/**
 * By how much a counter grew; null when it went backwards.
 * @param {number} before
 * @param {number} after
 * @returns {number | null}
 */
export function grown(before, after) {
  return after >= before ? after - before : null;
}

/**
 * Growth per second; null when it is not known.
 * @param {number} before
 * @param {number} after
 * @param {number} seconds
 * @returns {number | null}
 */
export function perSecond(before, after, seconds) {
  const growth = grown(before, after);
  return growth === null || seconds <= 0 ? null : growth / seconds;
}

/**
 * Whether `after` was read from another run of the server than `before`.
 * @param {Stats} before
 * @param {Stats} after
 * @returns {boolean}
 */
export function isRestart(before, after) {
  return before.general.pid !== after.general.pid ||
    numberOf(after.general, "uptime") < numberOf(before.general, "uptime");
}

/**
 * Whether counters were set back between the two.
 * @param {Stats} before
 * @param {Stats} after
 * @returns {boolean}
 */
export function wasReset({ general: from }, { general: to }) {
  return COUNTERS.some((name) => name in to && numberOf(to, name) < numberOf(from, name));
}

/**
 * @typedef {object} Rates What happened per second; null where it is not known.
 * @property {number | null} gets
 * @property {number | null} sets
 * @property {number | null} others
 * @property {number | null} hitRatio Of the gets, 0 to 1; null without any.
 * @property {number | null} evictions
 * @property {number | null} expired Items whose time had passed, found and freed.
 * @property {number | null} received Bytes.
 * @property {number | null} sent Bytes.
 * @property {number | null} accepted Connections.
 * @property {number | null} cpu Seconds of CPU time per second.
 */

/**
 * What happened in the `seconds` between two readings of one run.
 * @param {Stats} before
 * @param {Stats} after
 * @param {number} seconds
 * @returns {Rates}
 */
export function ratesBetween(before, after, seconds) {
  const [from, to] = [before.general, after.general];
  const isReset = wasReset(before, after);
  /** @param {readonly string[]} names */
  const growthOf = (...names) => perSecond(sumOf(from, names), sumOf(to, names), seconds);
  /** @param {readonly string[]} names */
  const rateOf = (...names) => isReset ? null : growthOf(...names);
  return {
    gets: rateOf("cmd_get"),
    sets: rateOf("cmd_set"),
    others: rateOf(...OTHERS),
    hitRatio: isReset ? null : hitRatio(from, to),
    evictions: rateOf("evictions"),
    expired: rateOf("reclaimed", "crawler_reclaimed"),
    received: rateOf("bytes_read"),
    sent: rateOf("bytes_written"),
    accepted: rateOf("total_connections"),
    cpu: growthOf("rusage_user", "rusage_system"),
  };
}

/**
 * @param {Values} from
 * @param {Values} to
 * @returns {number | null}
 */
function hitRatio(from, to) {
  const hits = grown(numberOf(from, "get_hits"), numberOf(to, "get_hits"));
  const misses = grown(numberOf(from, "get_misses"), numberOf(to, "get_misses"));
  if (hits === null || misses === null || hits + misses === 0) return null;
  return hits / (hits + misses);
}

/**
 * @typedef {object} WorkerRates
 * @property {number} thread
 * @property {number} connections
 * @property {number | null} commands Per second.
 * @property {number | null} cpu Seconds of CPU time per second.
 * @property {number | null} received Bytes per second.
 * @property {number | null} sent Bytes per second.
 */

/**
 * What each worker did in between; null for one that was not there before.
 * @param {readonly WorkerCounts[]} before
 * @param {readonly WorkerCounts[]} after
 * @param {number} seconds
 * @returns {WorkerRates[]}
 */
export function workerRates(before, after, seconds) {
  const known = new Map(before.map((worker) => [worker.thread, worker]));
  return after.map((to) => {
    const from = known.get(to.thread);
    /** @param {"commands" | "cpuSeconds" | "bytesRead" | "bytesWritten"} name */
    const rateOf = (name) => {
      const [was, is] = [from?.[name] ?? null, to[name]];
      return was === null || is === null ? null : perSecond(was, is, seconds);
    };
    return {
      thread: to.thread,
      connections: to.connections,
      commands: rateOf("commands"),
      cpu: rateOf("cpuSeconds"),
      received: rateOf("bytesRead"),
      sent: rateOf("bytesWritten"),
    };
  });
}
