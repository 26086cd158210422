// Numbers as people read them. Every function takes null for "not known" and shows a dash.

const NOTHING = "–";

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const THREE_DIGITS = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * A count: `12,345`.
 * @param {number | null} count
 * @returns {string}
 */
export function whole(count) {
  return count === null ? NOTHING : WHOLE.format(count);
}

/**
 * A number in little room: `12.3K`.
 * @param {number | null} count
 * @returns {string}
 */
export function compact(count) {
  return count === null ? NOTHING : COMPACT.format(count);
}

/**
 * Something per second: `0.4`, `12,345`.
 * @param {number | null} perSecond
 * @returns {string}
 */
export function rate(perSecond) {
  if (perSecond === null) return NOTHING;
  return perSecond !== 0 && perSecond < 10 ? THREE_DIGITS.format(perSecond) : whole(perSecond);
}

/**
 * A share of 1, in percent: `99.4 %`. It says 100 % and 0 % only where that is exact.
 * @param {number | null} share
 * @returns {string}
 */
export function percent(share) {
  if (share === null) return NOTHING;
  if (share > 0.999 && share < 1) return "> 99.9 %";
  if (share > 0 && share < 0.001) return "< 0.1 %";
  const digits = share === 0 || share === 1 ? 0 : 1;
  return `${(share * 100).toFixed(digits)} %`;
}

/**
 * Bytes: `1.5 MiB`.
 * @param {number | null} count
 * @returns {string}
 */
export function bytes(count) {
  if (count === null) return NOTHING;
  let unit = 0;
  let value = count;
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${THREE_DIGITS.format(value)} ${BYTE_UNITS[unit]}`;
}

/**
 * Microseconds, in the unit that suits: `84 µs`, `1.2 ms`; Infinity is more than was measured.
 * @param {number | null} us
 * @returns {string}
 */
export function micros(us) {
  if (us === null) return NOTHING;
  if (us === Infinity) return "off the scale";
  if (us < 1000) return `${THREE_DIGITS.format(us)} µs`;
  if (us < 1_000_000) return `${THREE_DIGITS.format(us / 1000)} ms`;
  return `${THREE_DIGITS.format(us / 1_000_000)} s`;
}

/**
 * A time in seconds, in the two largest units: `3 d 4 h`, `12 s`.
 * @param {number | null} seconds
 * @returns {string}
 */
export function span(seconds) {
  if (seconds === null) return NOTHING;
  const whole = Math.max(0, Math.floor(seconds));
  const parts = /** @type {const} */ ([
    ["d", Math.floor(whole / 86_400)],
    ["h", Math.floor(whole / 3600) % 24],
    ["min", Math.floor(whole / 60) % 60],
    ["s", whole % 60],
  ]);
  const first = parts.findIndex(([, count]) => count > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([, count]) => count > 0)
    .map(([unit, count]) => `${count} ${unit}`).join(" ");
}

/**
 * The time of day in the reader's own zone.
 * @param {number} seconds Unix time.
 * @param {boolean} withSeconds
 * @returns {string}
 */
export function clock(seconds, withSeconds) {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" } : {}),
  });
}
