// The last ten minutes, kept in the page: one row per reading, as columns for the charts.
//
//   reading ──► difference to the one before ──► row ──► columns, oldest first
//
// An unknown value is null in its column, which a chart shows as a gap: the first reading, one
// after a pause in the stream, and one of another run of the server.

import { measuredByCommand, merged, percentile } from "./percentiles.js";
import { isRestart, ratesBetween, wasReset, workerRates } from "./rates.js";
import { numberOf } from "./stats_event.js";

/** @typedef {import("./stats_event.js").Stats} Stats */
/** @typedef {import("./stats_event.js").Latency} Latency */
/** @typedef {import("./percentiles.js").Measured} Measured */

/** How long a row is kept, in seconds. */
export const HISTORY_SECONDS = 600;

/** Between two readings that belong together, in seconds. */
const GAP_SECONDS = 5;

/** What the table of latencies looks back on, in readings. */
const LATENCY_READINGS = 10;

/** Columns that a chart or a tile can show, besides the time. */
export const COLUMNS = /** @type {const} */ ([
  "gets",
  "sets",
  "others",
  "commands",
  "hitRatio",
  "evictions",
  "expired",
  "received",
  "sent",
  "accepted",
  "cpu",
  "connections",
  "items",
  "bytes",
  "p50",
  "p99",
  "p999",
]);

/** @typedef {typeof COLUMNS[number]} Column */
/** @typedef {Record<Column, number | null>} Row */

/** @type {Row} */
const UNKNOWN = Object.freeze(
  /** @type {Row} */ (Object.fromEntries(COLUMNS.map((name) => [name, null]))),
);

/** @returns {Record<Column, (number | null)[]>} */
function emptyColumns() {
  /** @type {Record<string, (number | null)[]>} */
  const columns = {};
  for (const name of COLUMNS) columns[name] = [];
  return columns;
}

/** Readings, and what they come to. */
export class History {
  /** Times of the rows, Unix time in seconds. */
  at = /** @type {number[]} */ ([]);
  columns = emptyColumns();
  /** The newest reading. */
  stats = /** @type {Stats | undefined} */ (undefined);
  /** What workers did between the last two readings. */
  workers = /** @type {import("./rates.js").WorkerRates[]} */ ([]);
  /** Evictions per second of each slab class between the last two readings. */
  evictions = /** @type {Map<string, number>} */ (new Map());
  /** Seconds between the last two readings. */
  #seconds = 0;
  #measured = /** @type {Map<string, Measured>[]} */ ([]);
  /** The command whose latency the columns show; "" for all. */
  #command = "";
  /** What was measured for each row, so that another command can be chosen afterwards. */
  #measuredByRow = /** @type {(Map<string, Measured> | undefined)[]} */ ([]);

  /**
   * Takes a reading.
   * @param {Stats} stats
   * @param {number} at When it was made, Unix time in seconds.
   * @returns {boolean} Whether it is of another run of the server than the one before.
   */
  add(stats, at) {
    // The clock of the server's machine may be put back.
    if (at < (this.at.at(-1) ?? at)) this.#clear();
    const before = this.stats;
    const last = this.at.at(-1) ?? at;
    // A stream that was opened anew may begin with a reading that is known.
    if (before !== undefined && at === last) return false;
    this.#seconds = at - last;
    const hasRestarted = before !== undefined && isRestart(before, stats);
    const isNext = before !== undefined && !hasRestarted && this.#seconds > 0 &&
      this.#seconds <= GAP_SECONDS;
    if (!isNext) {
      this.#measured = [];
      if (this.at.length > 0 && at > last) this.#push(last + (at - last) / 2, UNKNOWN, undefined);
    }
    this.stats = stats;
    const measured = isNext ? this.#measure(before.latency, stats.latency) : undefined;
    const rates = isNext ? ratesBetween(before, stats, this.#seconds) : undefined;
    this.workers = workerRates(
      isNext ? before.workers ?? [] : [],
      stats.workers ?? [],
      this.#seconds,
    );
    const isCounted = isNext && !wasReset(before, stats);
    this.evictions = isCounted ? this.#evictionsSince(before) : new Map();
    this.#push(at, { ...UNKNOWN, ...rates, ...this.#gauges(rates) }, measured);
    this.#forgetBefore(at - HISTORY_SECONDS);
    return hasRestarted;
  }

  /** The same as it is now, to be looked at while this one goes on. @returns {History} */
  copy() {
    const copy = new History();
    copy.at = [...this.at];
    for (const name of COLUMNS) copy.columns[name] = [...this.columns[name]];
    copy.stats = this.stats;
    copy.workers = this.workers;
    copy.evictions = this.evictions;
    copy.#seconds = this.#seconds;
    copy.#measured = [...this.#measured];
    copy.#command = this.#command;
    copy.#measuredByRow = [...this.#measuredByRow];
    return copy;
  }

  /** The newest row. @returns {Row} */
  get row() {
    return /** @type {Row} */ (
      Object.fromEntries(COLUMNS.map((name) => [name, this.columns[name].at(-1) ?? null]))
    );
  }

  /** What was measured of each command in the last seconds. @returns {Map<string, Measured>} */
  get recentLatency() {
    const commands = new Set(this.#measured.flatMap((measured) => [...measured.keys()]));
    return new Map(
      [...commands].sort().map((command) => {
        const parts = this.#measured.map((measured) => measured.get(command));
        return [command, merged(parts.filter((part) => part !== undefined))];
      }),
    );
  }

  /** Commands whose latency was measured. @returns {string[]} */
  get commands() {
    const { commands = {} } = this.stats?.latency ?? {};
    return Object.keys(commands).filter((name) => (commands[name]?.count ?? 0) > 0).sort();
  }

  /**
   * Shows the latency of another command, for all rows.
   * @param {string} command "" for all.
   */
  chooseCommand(command) {
    this.#command = command;
    const bounds = this.stats?.latency?.boundsUs ?? [];
    this.#measuredByRow.forEach((measured, at) => {
      const { p50, p99, p999 } = this.#percentiles(bounds, measured);
      this.columns.p50[at] = p50;
      this.columns.p99[at] = p99;
      this.columns.p999[at] = p999;
    });
  }

  /**
   * What this reading says by itself.
   * @param {import("./rates.js").Rates | undefined} rates
   */
  #gauges(rates) {
    const { general, conns } = /** @type {Stats} */ (this.stats);
    const { gets = null, sets = null, others = null } = rates ?? {};
    const isKnown = gets !== null && sets !== null && others !== null;
    return {
      commands: isKnown ? gets + sets + others : null,
      connections: conns.open,
      items: numberOf(general, "curr_items"),
      bytes: numberOf(general, "bytes"),
    };
  }

  /**
   * @param {Latency | undefined} before
   * @param {Latency | undefined} after
   */
  #measure(before, after) {
    if (before === undefined || after === undefined) return undefined;
    const measured = measuredByCommand(before, after);
    this.#measured.push(measured);
    if (this.#measured.length > LATENCY_READINGS) this.#measured.shift();
    return measured;
  }

  /**
   * @param {readonly number[]} bounds
   * @param {Map<string, Measured> | undefined} measured
   */
  #percentiles(bounds, measured) {
    if (measured === undefined) return { p50: null, p99: null, p999: null };
    const chosen = this.#command === ""
      ? merged(measured.values())
      : merged([...measured].filter(([name]) => name === this.#command).map(([, part]) => part));
    /** @param {number} q */
    const drawn = (q) => {
      const us = percentile(bounds, chosen.buckets, q);
      return us === Infinity ? bounds.at(-1) ?? null : us;
    };
    return { p50: drawn(0.5), p99: drawn(0.99), p999: drawn(0.999) };
  }

  /**
   * @param {Stats} before
   * @returns {Map<string, number>}
   */
  #evictionsSince(before) {
    /** @type {Map<string, number>} */
    const rates = new Map();
    for (const [slab, items] of Object.entries(this.stats?.items ?? {})) {
      const growth = numberOf(items, "evicted") - numberOf(before.items[slab], "evicted");
      if (growth >= 0) rates.set(slab, growth / this.#seconds);
    }
    return rates;
  }

  /**
   * @param {number} at
   * @param {Row} row
   * @param {Map<string, Measured> | undefined} measured
   */
  #push(at, row, measured) {
    const bounds = this.stats?.latency?.boundsUs ?? [];
    const whole = { ...row, ...this.#percentiles(bounds, measured) };
    this.at.push(at);
    this.#measuredByRow.push(measured);
    for (const name of COLUMNS) this.columns[name].push(whole[name]);
  }

  /** @param {number} from */
  #forgetBefore(from) {
    const kept = this.at.findIndex((at) => at >= from);
    if (kept <= 0) return;
    this.at.splice(0, kept);
    this.#measuredByRow.splice(0, kept);
    for (const name of COLUMNS) this.columns[name].splice(0, kept);
  }

  #clear() {
    this.at.length = 0;
    this.#measuredByRow.length = 0;
    for (const name of COLUMNS) this.columns[name].length = 0;
    this.stats = undefined;
  }
}
