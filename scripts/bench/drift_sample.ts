// What the statistics of a server say about its slab classes while value sizes change.

import { statNumber, type Stats, type TextClient } from "./text_client.ts";

/** One slab class. */
export interface ClassCount {
  readonly items: number;
  readonly pages: number;
  /** Storage commands so far. */
  readonly sets: number;
}

/** One look at a server. */
export interface Sample {
  /** Since the drift began. */
  readonly second: number;
  readonly sent: number;
  readonly refused: number;
  readonly evictions: number;
  readonly small: ClassCount | undefined;
  readonly large: ClassCount | undefined;
  /** Undefined when the server does not count moves. */
  readonly slabsMoved: number | undefined;
}

/** Puts `stats items` and `stats slabs` together, by class. */
export function parseClassCounts(items: Stats, slabs: Stats): Map<number, ClassCount> {
  const counts = new Map<number, ClassCount>();
  for (const name of slabs.keys()) {
    const clsid = Number(/^(\d+):total_pages$/.exec(name)?.[1]);
    if (Number.isNaN(clsid)) continue;
    counts.set(clsid, {
      items: statNumber(items, `items:${clsid}:number`),
      pages: statNumber(slabs, name),
      sets: statNumber(slabs, `${clsid}:cmd_set`),
    });
  }
  return counts;
}

/** Reads the slab classes of a server. */
export async function classCounts(client: TextClient): Promise<Map<number, ClassCount>> {
  return parseClassCounts(await client.stats("items"), await client.stats("slabs"));
}

/** The class that got most sets between two looks; 0 when there were none. */
export function busiestClass(
  before: ReadonlyMap<number, ClassCount>,
  after: ReadonlyMap<number, ClassCount>,
): number {
  let busiest = 0;
  let most = 0;
  for (const [clsid, { sets }] of after) {
    const more = sets - (before.get(clsid)?.sets ?? 0);
    if (more <= most) continue;
    busiest = clsid;
    most = more;
  }
  return busiest;
}

/** What happened in the last `seconds`, or a little more: from one look to the last one. */
export function tailOf(
  samples: readonly Sample[],
  seconds: number,
): { readonly seconds: number; readonly evictionsPerSet: number } {
  const last = samples[samples.length - 1]!;
  // Looks come a few milliseconds late, one more than the other.
  const from = samples.findLast(({ second }) => second <= last.second - seconds + 0.5) ??
    samples[0]!;
  const sets = last.sent - from.sent;
  return {
    seconds: last.second - from.second,
    evictionsPerSet: sets === 0 ? 0 : (last.evictions - from.evictions) / sets,
  };
}
