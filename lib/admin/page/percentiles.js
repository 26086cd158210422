// Percentiles out of histograms: how long commands took, between two readings.

/** @typedef {import("./stats_event.js").CommandLatency} CommandLatency */
/** @typedef {import("./stats_event.js").Latency} Latency */

/**
 * What was measured of one command in between, or of all.
 * @typedef {object} Measured
 * @property {number} count
 * @property {number} sumUs
 * @property {number[]} buckets
 */

/**
 * How much a histogram grew; null when it went backwards or has another shape.
 * @param {CommandLatency | undefined} before Missing where the command had not been seen yet.
 * @param {CommandLatency} after
 * @returns {Measured | null}
 */
export function measuredBetween(before, after) {
  if (before === undefined) return after;
  if (before.buckets.length !== after.buckets.length) return null;
  const buckets = after.buckets.map((count, at) => count - (before.buckets[at] ?? 0));
  const sumUs = after.sumUs - before.sumUs;
  const count = buckets.reduce((sum, growth) => sum + growth, 0);
  return sumUs < 0 || buckets.some((growth) => growth < 0) ? null : { count, sumUs, buckets };
}

/**
 * What was measured in between, by command; without those that went backwards.
 * @param {Latency} before
 * @param {Latency} after
 * @returns {Map<string, Measured>}
 */
export function measuredByCommand(before, after) {
  /** @type {Map<string, Measured>} */
  const measured = new Map();
  if (String(before.boundsUs) !== String(after.boundsUs)) return measured;
  for (const [command, now] of Object.entries(after.commands)) {
    const growth = measuredBetween(before.commands[command], now);
    if (growth !== null) measured.set(command, growth);
  }
  return measured;
}

/**
 * Several histograms of one shape as one.
 * @param {Iterable<Measured>} parts
 * @returns {Measured}
 */
export function merged(parts) {
  /** @type {Measured} */
  const all = { count: 0, sumUs: 0, buckets: [] };
  for (const { count, sumUs, buckets } of parts) {
    all.count += count;
    all.sumUs += sumUs;
    buckets.forEach((growth, at) => all.buckets[at] = (all.buckets[at] ?? 0) + growth);
  }
  return all;
}

/**
 * The time that a share `q` of the commands did not exceed.
 *
 * Inside a bucket they are taken to be spread evenly.
 *
 * @param {readonly number[]} boundsUs
 * @param {readonly number[]} buckets
 * @param {number} q 0 to 1.
 * @returns {number | null} Microseconds; null when nothing was measured, Infinity when it is above
 * the last bound.
 */
export function percentile(boundsUs, buckets, q) {
  const count = buckets.reduce((sum, growth) => sum + growth, 0);
  if (count === 0) return null;
  const wanted = q * count;
  let below = 0;
  for (const [at, growth] of buckets.entries()) {
    if (growth > 0 && below + growth >= wanted) {
      const to = boundsUs[at];
      if (to === undefined) return Infinity;
      const from = boundsUs[at - 1] ?? 0;
      return from + (to - from) * Math.max(0, wanted - below) / growth;
    }
    below += growth;
  }
  return Infinity;
}
