// Where item memory is: by slab class, and by what is in its chunks.

import { bytes as inBytes, percent } from "./format.js";
import { numberOf } from "./stats_event.js";

/** @typedef {import("./stats_event.js").Stats} Stats */

/** The LRU lists, as `stats items` names them. */
export const SEGMENTS = /** @type {const} */ (["hot", "warm", "cold", "temp"]);

/**
 * @typedef {object} Parts Bytes; together they are all pages of a class.
 * @property {number} hot
 * @property {number} warm
 * @property {number} cold
 * @property {number} temp
 * @property {number} wasted In chunks in use, beyond what their items need.
 * @property {number} free
 */

/**
 * @typedef {object} ClassMemory
 * @property {string} slab
 * @property {number} chunkBytes
 * @property {number} pages
 * @property {number} items
 * @property {number} bytes Of its pages.
 * @property {Parts} parts
 * @property {number} evicted
 * @property {number} evictedUnfetched Those that were never read.
 * @property {number} evictedAge Seconds since the last access of the item evicted last.
 * @property {number} oldest Age in seconds of the oldest item in COLD.
 */

/**
 * Every class that has pages, in order of size.
 * @param {Stats} stats
 * @returns {ClassMemory[]}
 */
export function classMemory(stats) {
  const slabs = Object.entries(stats.slabs).filter(([, slab]) => numberOf(slab, "total_pages") > 0);
  const pages = slabs.reduce((sum, [, slab]) => sum + numberOf(slab, "total_pages"), 0);
  const pageBytes = pages === 0 ? 0 : numberOf(stats.general, "total_malloced") / pages;
  return slabs.map(([slab, values]) => {
    const items = stats.items[slab] ?? {};
    const bytes = numberOf(values, "total_pages") * pageBytes;
    const chunkBytes = numberOf(values, "chunk_size");
    const used = Math.min(bytes, numberOf(values, "used_chunks") * chunkBytes);
    return {
      slab,
      chunkBytes,
      pages: numberOf(values, "total_pages"),
      items: numberOf(items, "number"),
      bytes,
      parts: partsOf(items, bytes, used),
      evicted: numberOf(items, "evicted"),
      evictedUnfetched: numberOf(items, "evicted_unfetched"),
      evictedAge: numberOf(items, "evicted_time"),
      oldest: numberOf(items, "age"),
    };
  }).sort((a, b) => Number(a.slab) - Number(b.slab));
}

/**
 * Items of a class are of about one size, so a list has as much of the bytes as of the items.
 *
 * @param {import("./stats_event.js").Values} items
 * @param {number} bytes
 * @param {number} used Bytes of chunks in use.
 * @returns {Parts}
 */
function partsOf(items, bytes, used) {
  const count = numberOf(items, "number");
  // A large item asks for bytes here and has chunks in another class, too.
  const requested = Math.min(used, numberOf(items, "mem_requested"));
  /** @param {typeof SEGMENTS[number]} segment */
  const share = (segment) =>
    count === 0 ? 0 : requested * numberOf(items, `number_${segment}`) / count;
  const [hot, warm, cold, temp] = [share("hot"), share("warm"), share("cold"), share("temp")];
  const wasted = used - hot - warm - cold - temp;
  return { hot, warm, cold, temp, wasted: Math.max(0, wasted), free: bytes - used };
}

/**
 * @typedef {object} Totals
 * @property {Parts} parts Of all classes together.
 * @property {number} taken Bytes of all pages. May be more than the limit: each class takes its
 *   first page in any case.
 * @property {number} unassigned Bytes that no class has yet.
 */

/**
 * All classes together, and what no class has yet.
 * @param {readonly ClassMemory[]} classes
 * @param {number} limit Bytes that all may take.
 * @returns {Totals}
 */
export function totalMemory(classes, limit) {
  const total = { hot: 0, warm: 0, cold: 0, temp: 0, wasted: 0, free: 0 };
  let taken = 0;
  for (const { bytes, parts } of classes) {
    taken += bytes;
    for (const name of /** @type {(keyof Parts)[]} */ (Object.keys(total))) {
      total[name] += parts[name];
    }
  }
  return { parts: total, taken, unassigned: Math.max(0, limit - taken) };
}

/**
 * The same in words.
 * @param {readonly ClassMemory[]} classes
 * @param {number} limit Bytes that all may take.
 * @returns {string}
 */
export function memoryWords(classes, limit) {
  if (classes.length === 0) return `All ${inBytes(limit)} are free: no item has been stored yet.`;
  const { parts, taken } = totalMemory(classes, limit);
  const ofLimit = taken > limit ? `, limit ${inBytes(limit)}` : ` of ${inBytes(limit)}`;
  return `${classes.length} ${classes.length === 1 ? "class has" : "classes have"} ` +
    `${inBytes(taken)}${ofLimit}. Of those, ${percent(parts.free / taken)} are free chunks ` +
    `and ${percent(parts.wasted / taken)} are wasted in chunks that are too large.`;
}
