// What an event `stats` holds, for the page's modules: types, and reading them with care. Members
// may be missing, since another version of the server may be at the other end.

/**
 * Lines of `stats`, by name.
 * @typedef {Record<string, number | string>} Values
 */

/**
 * What was measured of one command since the server started; only a part of all is.
 * @typedef {object} CommandLatency
 * @property {number} count
 * @property {number} sumUs
 * @property {number[]} buckets One more than there are bounds; the last is what is above them.
 */

/**
 * @typedef {object} Latency
 * @property {number[]} boundsUs Upper bounds of the buckets in microseconds, ascending.
 * @property {Record<string, CommandLatency>} commands
 */

/**
 * A frequently requested key or prefix.
 * @typedef {object} Hot
 * @property {string} name
 * @property {number} perSecond
 */

/**
 * Counters of one worker since the server started.
 * @typedef {object} WorkerCounts
 * @property {number} thread
 * @property {number} connections
 * @property {number | null} cpuSeconds
 * @property {number} commands
 * @property {number} bytesRead
 * @property {number} bytesWritten
 */

/**
 * @typedef {object} Stats
 * @property {Values} general
 * @property {Record<string, string>} settings
 * @property {Record<string, Values>} items By slab class.
 * @property {Record<string, Values>} slabs By slab class.
 * @property {{ listening: number, open: number, states: Record<string, number> }} conns
 * @property {Latency} [latency]
 * @property {{ keys: Hot[], prefixes: Hot[] }} [hot] Missing where keys are not to be shown.
 * @property {WorkerCounts[]} [workers]
 */

/**
 * The number with that name; 0 where there is none.
 * @param {Values | undefined} values
 * @param {string} name
 * @returns {number}
 */
export function numberOf(values, name) {
  const value = values?.[name];
  return typeof value === "number" ? value : 0;
}

/**
 * The sum of several of them.
 * @param {Values} values
 * @param {readonly string[]} names
 * @returns {number}
 */
export function sumOf(values, names) {
  return names.reduce((sum, name) => sum + numberOf(values, name), 0);
}
