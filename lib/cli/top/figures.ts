// From samples to what is shown: rates between two of them, totals since a third.
//
// Counters go back to zero when the server starts anew and at `stats reset`. Then the
// time in between is unknown: rates are undefined, and totals count from zero.

import { numberOf, type Sample, type SlabClassSample, sumOf } from "./sample.ts";

/** A kind of command: the lines that count it, and those of them that are hits. */
type KindRow = readonly [name: string, counted: readonly string[], hits: string];

// deno-fmt-ignore
const KIND_ROWS: readonly KindRow[] = [
  ["get", ["cmd_get"], "get_hits"],
  ["set", ["cmd_set"], ""],
  ["touch", ["cmd_touch"], "touch_hits"],
  ["delete", ["delete_hits", "delete_misses"], "delete_hits"],
  ["incr", ["incr_hits", "incr_misses"], "incr_hits"],
  ["decr", ["decr_hits", "decr_misses"], "decr_hits"],
  ["cas", ["cas_hits", "cas_misses", "cas_badval"], "cas_hits"],
  ["flush", ["cmd_flush"], ""],
];

/** Lines that only grow until they are reset; each that has shrunk is a sign of that. */
const COUNTERS: readonly string[] = [
  ...new Set(KIND_ROWS.flatMap(([, counted]) => counted)),
  ..."get_hits get_misses bytes_read bytes_written evictions reclaimed total_items".split(" "),
  "total_connections",
];

/** Commands of one kind. */
export interface KindFigures {
  readonly name: string;
  readonly perSecond: number | undefined;
  readonly total: number | undefined;
  /** Share of hits between the samples, 0 to 1; undefined without requests. */
  readonly hitShare: number | undefined;
}

/** A slab class, with what has changed between the samples. */
export interface SlabClassFigures extends SlabClassSample {
  readonly evictedPerSecond: number | undefined;
  /** Bytes of its pages. */
  readonly bytes: number;
  readonly usedShare: number | undefined;
}

/** Everything that is computed; undefined for what cannot be known. */
export interface Figures {
  readonly kinds: readonly KindFigures[];
  /** Share of gets that hit: between the samples, and since the baseline. */
  readonly hitShare: number | undefined;
  readonly hitShareOfAll: number | undefined;
  /** Without what this program causes. */
  readonly inPerSecond: number | undefined;
  readonly outPerSecond: number | undefined;
  /** Processor time per time, 1 for one core. */
  readonly cpuShare: number | undefined;
  readonly connectionsPerSecond: number | undefined;
  readonly evictedPerSecond: number | undefined;
  readonly reclaimedPerSecond: number | undefined;
  readonly evictedTotal: number | undefined;
  /** Seconds since the last access of the item evicted last. */
  readonly evictedAge: number | undefined;
  readonly classes: readonly SlabClassFigures[];
}

/** Whether `next` comes from a server that was started anew, or whose counters were reset. */
export function wasReset(sample: Sample, next: Sample): boolean {
  const shrunk = (name: string): boolean => {
    const [before, after] = [numberOf(sample.general, name), numberOf(next.general, name)];
    return before !== undefined && after !== undefined && after < before;
  };
  return isOtherProcess(sample, next) || COUNTERS.some(shrunk);
}

/** Whether the server has another process id, or is younger than it was. */
function isOtherProcess(sample: Sample, next: Sample): boolean {
  if (sample.general.get("pid") !== next.general.get("pid")) return true;
  return (numberOf(next.general, "uptime") ?? 0) < (numberOf(sample.general, "uptime") ?? 0);
}

/**
 * Computes the figures of `sample`.
 *
 * @param before The sample before it; undefined for the first.
 * @param baseline What totals count from; undefined for zero.
 */
export function figuresOf(
  sample: Sample,
  before: Sample | undefined,
  baseline: Sample | undefined,
): Figures {
  const isGap = before === undefined || wasReset(before, sample);
  const from = isGap ? undefined : before;
  const change = (...names: string[]) => changeOf(sample, from, names);
  const perSecond = (...names: string[]) => rateOf(sample, from, change(...names));
  const since = (...names: string[]) =>
    baseline === undefined ? sumOf(sample.general, names) : changeOf(sample, baseline, names);
  const cpu = before === undefined || isOtherProcess(before, sample)
    ? undefined
    : rateOf(sample, before, changeOf(sample, before, ["rusage_user", "rusage_system"]));
  const classes = sample.classes.map((it) => classFigures(it, sample, from));
  return {
    kinds: KIND_ROWS.map(([name, counted, hits]) => ({
      name,
      perSecond: perSecond(...counted),
      total: since(...counted),
      hitShare: hits === "" ? undefined : shareOf(change(hits), change(...counted)),
    })),
    hitShare: shareOf(change("get_hits"), change("get_hits", "get_misses")),
    hitShareOfAll: shareOf(since("get_hits"), since("get_hits", "get_misses")),
    inPerSecond: withoutOwn(perSecond("bytes_read"), sample, from, "sent"),
    outPerSecond: withoutOwn(perSecond("bytes_written"), sample, from, "received"),
    cpuShare: cpu,
    connectionsPerSecond: perSecond("total_connections"),
    evictedPerSecond: perSecond("evictions"),
    reclaimedPerSecond: perSecond("reclaimed"),
    evictedTotal: since("evictions"),
    evictedAge: evictedAge(classes),
    classes,
  };
}

/** Growth of the sum of some lines; undefined where one is missing or the sum has shrunk. */
function changeOf(
  sample: Sample,
  from: Sample | undefined,
  names: readonly string[],
): number | undefined {
  if (from === undefined) return undefined;
  const [before, after] = [sumOf(from.general, names), sumOf(sample.general, names)];
  if (before === undefined || after === undefined || after < before) return undefined;
  return after - before;
}

function rateOf(
  sample: Sample,
  from: Sample | undefined,
  change: number | undefined,
): number | undefined {
  if (from === undefined || change === undefined || sample.atMs <= from.atMs) return undefined;
  return change * 1000 / (sample.atMs - from.atMs);
}

function shareOf(part: number | undefined, whole: number | undefined): number | undefined {
  if (part === undefined || whole === undefined || whole === 0) return undefined;
  return Math.min(1, part / whole);
}

/** Takes off what this program has sent or received itself. */
function withoutOwn(
  rate: number | undefined,
  sample: Sample,
  from: Sample | undefined,
  way: "sent" | "received",
): number | undefined {
  if (rate === undefined || from === undefined) return undefined;
  const own = rateOf(sample, from, sample.own[way] - from.own[way]) ?? 0;
  return Math.max(0, rate - own);
}

function classFigures(
  it: SlabClassSample,
  sample: Sample,
  from: Sample | undefined,
): SlabClassFigures {
  const before = from?.classes.find(({ clsid }) => clsid === it.clsid);
  const isKnown = it.evicted !== undefined && before?.evicted !== undefined;
  const change = isKnown ? it.evicted - before.evicted : NaN;
  return {
    ...it,
    evictedPerSecond: change >= 0 ? rateOf(sample, from, change) : undefined,
    bytes: (it.chunkBytes ?? 0) * (it.totalChunks ?? 0),
    usedShare: shareOf(it.usedChunks, it.totalChunks),
  };
}

/** Of the class that evicts most; of those that have evicted, when none does, the least. */
function evictedAge(classes: readonly SlabClassFigures[]): number | undefined {
  const rate = ({ evictedPerSecond = 0 }: SlabClassFigures) => evictedPerSecond;
  const [busiest] = classes.filter((it) => rate(it) > 0).sort((a, b) => rate(b) - rate(a));
  if (busiest !== undefined) return busiest.evictedAge;
  const ages = classes.filter((it) => (it.evicted ?? 0) > 0).map((it) => it.evictedAge)
    .filter((age) => age !== undefined);
  return ages.length === 0 ? undefined : Math.min(...ages);
}
