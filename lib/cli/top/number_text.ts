// Numbers as short texts: at most a handful of columns each, whatever a server claims.

/** What stands for a number that is not known. */
export const UNKNOWN = "-";

const THOUSANDS = ["", "k", "M", "G", "T", "P", "E"];

/** Whole numbers up to this are written out, as many digits as the columns hold. */
const WRITTEN_OUT_MAX = 99_999;

/** `number` in units of `base` to some power, with at most three digits: 9, 0.3, 1.2k, 345M. */
function short(number: number, base: number): string {
  let power = 0;
  let rest = number;
  // 999.5 would be written with four digits.
  while (rest >= 999.5 && power < THOUSANDS.length - 1) {
    rest /= base;
    power++;
  }
  if (rest >= 999.5) return ">999E";
  const digits = rest >= 99.95 || (power === 0 && Number.isInteger(rest)) ? 0 : 1;
  return `${rest.toFixed(digits)}${THOUSANDS[power]}`;
}

/** A count or a rate in at most five columns: `0`, `0.3`, `12`, `12345`, `345k`. */
export function countText(count: number | undefined): string {
  if (count === undefined) return UNKNOWN;
  if (count >= 100 && Math.round(count) <= WRITTEN_OUT_MAX) return String(Math.round(count));
  return short(count, 1000);
}

/** Bytes in at most five columns, `k` being 1024: `512`, `1.5k`, `64.0M`. */
export function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : short(bytes, 1024);
}

/** A share in per cent: `0.0%`, `97.1%`, `100%`. */
export function shareText(share: number | undefined): string {
  if (share === undefined) return UNKNOWN;
  const percent = share * 100;
  // 99.96 % must not show as 100 %: only a complete share does.
  if (percent < 100) return `${Math.min(99.9, percent).toFixed(1)}%`;
  return `${countText(Math.round(percent))}%`;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds in at most four columns: `59s`, `12m`, `5h`, `120d`. */
export function ageText(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  if (seconds < MINUTE) return `${Math.floor(seconds)}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)}h`;
  const days = Math.floor(seconds / DAY);
  return days > 9999 ? ">27y" : `${days}d`;
}

/** How long a server runs: `4:05`, `3:04:05`, `12d 3:04:05`. */
export function uptimeText(seconds: number | undefined): string {
  if (seconds === undefined) return UNKNOWN;
  const two = (number: number) => String(Math.floor(number)).padStart(2, "0");
  const days = Math.floor(seconds / DAY);
  const hours = Math.floor((seconds % DAY) / HOUR);
  const rest = `${two((seconds % HOUR) / MINUTE)}:${two(seconds % MINUTE)}`;
  if (days > 0) return `${countText(days)}d ${hours}:${rest}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** The characters that drawings are made of. */
export interface Glyphs {
  /** The filled and the empty part of a bar. */
  readonly full: string;
  readonly empty: string;
  /** Levels of a history line, lowest first. */
  readonly levels: string;
}

/** For terminals that show UTF-8. */
export const BLOCKS: Glyphs = { full: "█", empty: "░", levels: "▁▂▃▄▅▆▇█" };

/** For all others. */
export const ASCII: Glyphs = { full: "#", empty: ".", levels: "_.-~=+*#" };

/** A bar of `columns`, filled to `share`. */
export function bar(share: number, columns: number, { full, empty }: Glyphs): string {
  const width = Math.max(0, columns);
  const filled = Math.round(Math.min(1, Math.max(0, share)) * width);
  return full.repeat(filled) + empty.repeat(width - filled);
}

/**
 * A history line: one character for each of the last `columns` values.
 *
 * @param max The value of the highest level; a gap in the values stays empty.
 */
export function historyLine(
  values: readonly (number | undefined)[],
  max: number,
  columns: number,
  { levels }: Glyphs,
): string {
  if (columns <= 0) return "";
  const top = levels.length - 1;
  return values.slice(-columns).map((value) => {
    if (value === undefined) return " ";
    const level = max > 0 ? Math.round(value / max * top) : 0;
    return levels[Math.min(top, Math.max(0, level))];
  }).join("").padStart(columns);
}
