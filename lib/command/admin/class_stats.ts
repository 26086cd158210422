// `stats items`, `stats slabs` and `stats sizes`: one group of lines for each slab class.
//
// A server without the LRU maintainer leaves out the lines that need it, as memcached does.
// Source of names and order: memcached items.c, item_stats; slabs.c, do_slabs_stats.

import { Snapshot } from "../../stats/counters.ts";
import type { ClassCounterName } from "../../stats/names.ts";
import type { StatRow } from "../../stats/stats_view.ts";
import { lruIdOf, LruSegment } from "../../store/lru/lists.ts";
import { PAGE_BYTES, type SlabClass } from "../../store/slab/classes.ts";
import { SlabWord } from "../../store/slab/record.ts";
import type { Executor } from "../executor.ts";
import { MAINTAINER_ROWS, statLines, type StatsSource } from "./stats.ts";
import { tailAge } from "../../store/whole_store.ts";

/** The data of a row. */
interface ClassView {
  readonly executor: StatsSource;
  readonly totals: Snapshot;
  readonly clsid: SlabClass;
}

/** One line of a class: its name, and its value. */
type ClassRow = readonly [name: string, value: (view: ClassView) => number];

const counter = (name: string, from: ClassCounterName): ClassRow => [
  name,
  ({ totals, clsid }) => totals.ofClass(clsid, from),
];

const onList = (segment: LruSegment) => ({ executor: { store: { lru } }, clsid }: ClassView) =>
  lru.count(lruIdOf(clsid, segment));
const ageOf = (segment: LruSegment) => ({ executor: { store }, clsid }: ClassView) =>
  tailAge(store, lruIdOf(clsid, segment));

/** Items on each list of a class, and the age of the tails. Not without the maintainer. */
const SEGMENT_ROWS: readonly ClassRow[] = [
  ["number_hot", onList(LruSegment.HOT)],
  ["number_warm", onList(LruSegment.WARM)],
  ["number_cold", onList(LruSegment.COLD)],
  ["number_temp", onList(LruSegment.TEMP)],
  ["age_hot", ageOf(LruSegment.HOT)],
  ["age_warm", ageOf(LruSegment.WARM)],
];

/** The lines of `stats items` for one class, in order. */
const ITEM_ROWS: readonly ClassRow[] = [
  counter("number", "number"),
  ...SEGMENT_ROWS,
  ["age", ageOf(LruSegment.COLD)],
  counter("mem_requested", "mem_requested"),
  counter("evicted", "evictions"),
  counter("evicted_nonzero", "evicted_nonzero"),
  [
    "evicted_time",
    ({ executor, clsid }) => executor.store.lru.evictedAge(lruIdOf(clsid, LruSegment.COLD)),
  ],
  counter("outofmemory", "outofmemory"),
  counter("tailrepairs", "tailrepairs"),
  counter("reclaimed", "reclaimed"),
  counter("expired_unfetched", "expired_unfetched"),
  counter("evicted_unfetched", "evicted_unfetched"),
  counter("evicted_active", "evicted_active"),
  counter("crawler_reclaimed", "crawler_reclaimed"),
  counter("crawler_items_checked", "crawler_items_checked"),
  counter("lrutail_reflocked", "lrutail_reflocked"),
  counter("moves_to_cold", "moves_to_cold"),
  counter("moves_to_warm", "moves_to_warm"),
  counter("moves_within_lru", "moves_within_lru"),
  counter("direct_reclaims", "direct_reclaims"),
  counter("hits_to_hot", "hits_to_hot"),
  counter("hits_to_warm", "hits_to_warm"),
  counter("hits_to_cold", "hits_to_cold"),
  counter("hits_to_temp", "hits_to_temp"),
];

/** Whether the settings in force call for a row of `stats items`. */
function hasRow({ settings, store: { tunables } }: StatsSource, name: string): boolean {
  if (name === "number_temp") return tunables.temporaryTtl >= 0;
  if (settings.lruMaintainer) return true;
  return !MAINTAINER_ROWS.test(name) && !SEGMENT_ROWS.some(([segment]) => segment === name);
}

/** Chunks in the pages of a class. */
function totalChunks({ executor: { store }, clsid }: ClassView): number {
  return store.slabs.word(clsid, SlabWord.PAGES) * store.classes.perPage[clsid]!;
}

/** Free chunks of a class, with those that were never used and those that threads keep. */
function freeChunks({ executor: { store: { slabs } }, clsid }: ClassView): number {
  return slabs.freeChunks(clsid) + slabs.spareChunks(clsid);
}

/** The lines of `stats slabs` for one class, in order. */
const SLAB_ROWS: readonly ClassRow[] = [
  ["chunk_size", ({ executor, clsid }) => executor.store.classes.chunkBytes[clsid]!],
  ["chunks_per_page", ({ executor, clsid }) => executor.store.classes.perPage[clsid]!],
  ["total_pages", ({ executor, clsid }) => executor.store.slabs.word(clsid, SlabWord.PAGES)],
  ["total_chunks", totalChunks],
  ["used_chunks", (view) => totalChunks(view) - freeChunks(view)],
  ["free_chunks", freeChunks],
  ["free_chunks_end", () => 0],
  ["get_hits", ({ totals, clsid }) => totals.getHits(clsid)],
  counter("cmd_set", "cmd_set"),
  counter("delete_hits", "delete_hits"),
  counter("incr_hits", "incr_hits"),
  counter("decr_hits", "decr_hits"),
  counter("cas_hits", "cas_hits"),
  counter("cas_badval", "cas_badval"),
  counter("touch_hits", "touch_hits"),
];

/** The lines of `stats items`: classes that hold an item. */
export function itemsRows(executor: StatsSource): readonly StatRow[] {
  const totals = new Snapshot(executor.store.control);
  return classRows(
    executor,
    totals,
    "items:",
    ITEM_ROWS.filter(([name]) => hasRow(executor, name)),
    (clsid) => totals.ofClass(clsid, "number") > 0,
  );
}

/** The answer to `stats items`. */
export function itemsStats(executor: Executor): string {
  return statLines(itemsRows(executor));
}

/** The lines of `stats slabs`: classes that own a page, then the totals. */
export function slabsRows(executor: StatsSource): readonly StatRow[] {
  const { slabs } = executor.store;
  const totals = new Snapshot(executor.store.control);
  const shown = (clsid: SlabClass) => slabs.word(clsid, SlabWord.PAGES) > 0;
  const rows = classRows(executor, totals, "", SLAB_ROWS, shown);
  return [
    ...rows,
    ["active_slabs", String(rows.length / SLAB_ROWS.length)],
    ["total_malloced", String(slabs.pages.inUse * PAGE_BYTES)],
  ];
}

/** The answer to `stats slabs`. */
export function slabsStats(executor: Executor): string {
  return statLines(slabsRows(executor));
}

/** The answer to `stats sizes`. */
export function sizesStats({ store: { sizes } }: Executor): string {
  if (!sizes.areTracked) return statLines([["sizes_status", "disabled"]]);
  return statLines(
    [...sizes.entries()].map(([bytes, count]) => [String(bytes), String(count)]),
  );
}

/** The rows of each class that `shown` accepts, with `prefix` before their names. */
function classRows(
  executor: StatsSource,
  totals: Snapshot,
  prefix: string,
  rows: readonly ClassRow[],
  shown: (clsid: SlabClass) => boolean,
): StatRow[] {
  const lines: StatRow[] = [];
  for (let id = 1; id <= executor.store.classes.last; id++) {
    const clsid = id as SlabClass;
    if (!shown(clsid)) continue;
    const view = { executor, totals, clsid };
    for (const [name, value] of rows) {
      lines.push([`${prefix}${id}:${name}`, String(value(view))]);
    }
  }
  return lines;
}
