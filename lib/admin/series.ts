// The series of /metrics: what each is called, and which line of `stats` it shows.
//
// Names, labels and types are those of prometheus/memcached_exporter 0.16, so that dashboards and
// alerts made for it go on working; so are the rules by which a line is left out. Values come from
// the rows of `stats` alone.
// Source: memcached_exporter pkg/exporter/exporter.go, parseStats, parseStatsSettings.

import type { StatRow, StatsView } from "../stats/stats_view.ts";
import type { Family, Sample, SeriesKind } from "./family.ts";
import { workFamilies } from "./work_series.ts";

/** One line of `stats` as a series. */
type Row = readonly [name: string, kind: SeriesKind, stat: string, help: string];

// deno-fmt-ignore
const GENERAL: readonly Row[] = [
  ["memcached_uptime_seconds", "counter", "uptime", "Seconds since the server started"],
  ["memcached_time_seconds", "gauge", "time", "Unix time by the server's clock"],
  ["memcached_process_user_cpu_seconds_total", "counter", "rusage_user", "CPU time of the process"],
  ["memcached_process_system_cpu_seconds_total", "counter", "rusage_system",
    "CPU time of the kernel for the process"],
  ["memcached_read_bytes_total", "counter", "bytes_read", "Bytes received from clients"],
  ["memcached_written_bytes_total", "counter", "bytes_written", "Bytes sent to clients"],
  ["memcached_current_connections", "gauge", "curr_connections", "Client connections open now"],
  ["memcached_connections_total", "counter", "total_connections", "Connections accepted"],
  ["memcached_connections_rejected_total", "counter", "rejected_connections",
    "Connections refused over the limit -c"],
  ["memcached_connections_yielded_total", "counter", "conn_yields",
    "Times a connection gave way to others after -R requests"],
  ["memcached_connections_listener_disabled_total", "counter", "listen_disabled_num",
    "Times the server stopped accepting"],
  ["memcached_accepting_connections", "gauge", "accepting_conns", "1 while clients are taken"],
  ["memcached_current_bytes", "gauge", "bytes", "Bytes of all items"],
  ["memcached_limit_bytes", "gauge", "limit_maxbytes", "Bytes that items may take: -m"],
  ["memcached_malloced_bytes", "gauge", "total_malloced", "Bytes of the pages in use"],
  ["memcached_current_items", "gauge", "curr_items", "Items that can be found"],
  ["memcached_items_total", "counter", "total_items", "Items stored"],
  ["memcached_items_evicted_total", "counter", "evictions", "Items removed alive, for space"],
  ["memcached_items_reclaimed_total", "counter", "reclaimed",
    "Items stored in the memory of an expired one"],
  ["memcached_item_too_large_total", "counter", "store_too_large",
    "Values refused for being larger than -I"],
  ["memcached_item_no_memory_total", "counter", "store_no_memory",
    "Values refused because there was no memory"],
  ["memcached_direct_reclaims_total", "counter", "direct_reclaims",
    "Times a worker had to make room by itself"],
  ["memcached_lru_crawler_starts_total", "counter", "lru_crawler_starts", "Crawls started"],
  ["memcached_lru_crawler_reclaimed_total", "counter", "crawler_reclaimed",
    "Expired items that the crawler freed"],
  ["memcached_lru_crawler_items_checked_total", "counter", "crawler_items_checked",
    "Items that the crawler looked at"],
  ["memcached_lru_crawler_moves_to_cold_total", "counter", "moves_to_cold",
    "Items moved from HOT or WARM to COLD"],
  ["memcached_lru_crawler_moves_to_warm_total", "counter", "moves_to_warm",
    "Items moved from COLD to WARM"],
  ["memcached_lru_crawler_moves_within_lru_total", "counter", "moves_within_lru",
    "Active items moved back to the head of their list"],
];

const LIMIT: Row = ["memcached_max_connections", "gauge", "maxconns", "Client connections allowed"];

/** Shown while the crawler is on. */
// deno-fmt-ignore
const CRAWLER: readonly Row[] = [
  ["memcached_lru_crawler_enabled", "gauge", "lru_crawler", "1 while the crawler is on"],
  ["memcached_lru_crawler_sleep", "gauge", "lru_crawler_sleep",
    "Microseconds that the crawler rests between items"],
  ["memcached_lru_crawler_to_crawl", "gauge", "lru_crawler_tocrawl",
    "Items per slab class and crawl; 0 for all"],
  ["memcached_lru_crawler_maintainer_thread", "gauge", "lru_maintainer_thread",
    "1 where items are kept in HOT, WARM and COLD"],
  ["memcached_lru_crawler_hot_percent", "gauge", "hot_lru_pct", "Share of memory for HOT"],
  ["memcached_lru_crawler_warm_percent", "gauge", "warm_lru_pct", "Share of memory for WARM"],
  ["memcached_lru_crawler_hot_max_factor", "gauge", "hot_max_factor",
    "Age of HOT items, by that of COLD"],
  ["memcached_lru_crawler_warm_max_factor", "gauge", "warm_max_factor",
    "Age of WARM items, by that of COLD"],
];

/** By slab class, from `stats items`. */
// deno-fmt-ignore
const ITEMS: readonly Row[] = [
  ["memcached_slab_current_items", "gauge", "number", "Items of the slab class"],
  ["memcached_slab_items_age_seconds", "gauge", "age", "Age of the oldest item in COLD"],
  ["memcached_slab_items_crawler_reclaimed_total", "counter", "crawler_reclaimed",
    "Expired items that the crawler freed"],
  ["memcached_slab_items_evicted_total", "counter", "evicted", "Items removed alive, for space"],
  ["memcached_slab_items_evicted_nonzero_total", "counter", "evicted_nonzero",
    "Those of them that would have expired some time"],
  ["memcached_slab_items_evicted_time_seconds", "counter", "evicted_time",
    "Seconds since the last access of the item evicted last"],
  ["memcached_slab_items_evicted_unfetched_total", "counter", "evicted_unfetched",
    "Items evicted that nobody had asked for"],
  ["memcached_slab_items_expired_unfetched_total", "counter", "expired_unfetched",
    "Items expired that nobody had asked for"],
  ["memcached_slab_items_outofmemory_total", "counter", "outofmemory",
    "Values refused because there was no memory"],
  ["memcached_slab_items_reclaimed_total", "counter", "reclaimed",
    "Items stored in the memory of an expired one"],
  ["memcached_slab_items_tailrepairs_total", "counter", "tailrepairs",
    "Held items taken from the tail by force"],
  ["memcached_slab_mem_requested_bytes", "counter", "mem_requested", "Bytes of all items"],
  ["memcached_slab_items_moves_to_cold", "counter", "moves_to_cold",
    "Items moved from HOT or WARM to COLD"],
  ["memcached_slab_items_moves_to_warm", "counter", "moves_to_warm",
    "Items moved from COLD to WARM"],
  ["memcached_slab_items_moves_within_lru", "counter", "moves_within_lru",
    "Active items moved back to the head of their list"],
  ["memcached_slab_hot_items", "gauge", "number_hot", "Items in HOT"],
  ["memcached_slab_warm_items", "gauge", "number_warm", "Items in WARM"],
  ["memcached_slab_cold_items", "gauge", "number_cold", "Items in COLD"],
  ["memcached_slab_temporary_items", "gauge", "number_temp", "Items in TEMP"],
  ["memcached_slab_hot_age_seconds", "gauge", "age_hot", "Age of the oldest item in HOT"],
  ["memcached_slab_warm_age_seconds", "gauge", "age_warm", "Age of the oldest item in WARM"],
];

/** By slab class, from `stats slabs`. */
// deno-fmt-ignore
const SLABS: readonly Row[] = [
  ["memcached_slab_chunk_size_bytes", "gauge", "chunk_size", "Bytes of a chunk"],
  ["memcached_slab_chunks_per_page", "gauge", "chunks_per_page", "Chunks in a page"],
  ["memcached_slab_current_pages", "gauge", "total_pages", "Pages of the slab class"],
  ["memcached_slab_current_chunks", "gauge", "total_chunks", "Chunks in those pages"],
  ["memcached_slab_chunks_used", "gauge", "used_chunks", "Chunks that hold an item"],
  ["memcached_slab_chunks_free", "gauge", "free_chunks", "Chunks that hold none"],
  ["memcached_slab_chunks_free_end", "gauge", "free_chunks_end",
    "Chunks at the end of the newest page that were never used"],
];

/** Commands with counters for hits and misses. */
const COMMANDS = ["get", "delete", "incr", "decr", "cas", "touch"] as const;

/** The lists of a class, as `stats items` names them, and as labels do. */
const LISTS = [["hot", "hot"], ["warm", "warm"], ["cold", "cold"], ["temp", "temporary"]] as const;

type Stats = ReadonlyMap<string, string>;
type Labels = Readonly<Record<string, string>>;

/** All series of `view` that have a value now. */
export function familiesOf(view: StatsView): Family[] {
  const slabs = byClass(view.slabs());
  const items = byClass(view.items());
  // The totals behind the classes count as general ones.
  const general = new Map([...view.general(), ...slabs.totals]);
  const settings = new Map(view.settings());
  const crawler = settings.get("lru_crawler") === "yes" ? CRAWLER : [];
  const families = [
    one("memcached_up", "gauge", "1: the server answers", {}, 1),
    one("memcached_version", "gauge", "Version of memcached that it stands for", {
      version: general.get("version") ?? "",
    }, 1),
    ...GENERAL.map((row) => plain(row, general)),
    ...[LIMIT, ...crawler].map((row) => plain(row, settings)),
    commands("memcached_commands_total", "Commands, by outcome", commandSamples(general, {})),
    ...ITEMS.map((row) => classed(row, items.classes)),
    commands("memcached_slab_lru_hits_total", "Keys found, by list", hitsOf(items.classes)),
    ...SLABS.map((row) => classed(row, slabs.classes)),
    commands(
      "memcached_slab_commands_total",
      "Commands, by slab class and outcome",
      [...slabs.classes].flatMap(([slab, stats]) => commandSamples(stats, { slab })),
    ),
    ...processFamilies(general),
    ...workFamilies(view.samples()),
  ];
  return families.filter(({ samples }) => samples.length > 0);
}

/** Series of any process, by the names that Prometheus's client libraries use. */
function processFamilies(general: Stats): Family[] {
  const cpu = (valueOf(general, "rusage_user") ?? 0) + (valueOf(general, "rusage_system") ?? 0);
  return [
    one("process_cpu_seconds_total", "counter", "CPU time, the kernel's included", {}, cpu),
    one(
      "process_resident_memory_bytes",
      "gauge",
      "Bytes of memory in use",
      {},
      Deno.memoryUsage().rss,
    ),
    one(
      "process_start_time_seconds",
      "gauge",
      "Unix time of the start",
      {},
      performance.timeOrigin / 1000,
    ),
  ];
}

function one(name: string, kind: SeriesKind, help: string, labels: Labels, value: number): Family {
  return { name, kind, help, samples: [{ labels, value }] };
}

function plain([name, kind, stat, help]: Row, stats: Stats): Family {
  return { name, kind, help, samples: sampleOf(stats, stat, {}) };
}

function classed([name, kind, stat, help]: Row, classes: ReadonlyMap<string, Stats>): Family {
  const samples = [...classes].flatMap(([slab, stats]) => sampleOf(stats, stat, { slab }));
  return { name, kind, help, samples };
}

function commands(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, kind: "counter", help, samples };
}

/** Hits, misses and the rest of each command; `stats slabs` has no misses. */
function commandSamples(stats: Stats, labels: Labels): Sample[] {
  const samples = COMMANDS.flatMap((command) => [
    ...sampleOf(stats, `${command}_hits`, { ...labels, command, status: "hit" }),
    ...sampleOf(stats, `${command}_misses`, { ...labels, command, status: "miss" }),
  ]);
  samples.push(
    ...sampleOf(stats, "cas_badval", { ...labels, command: "cas", status: "badval" }),
    ...sampleOf(stats, "cmd_flush", { ...labels, command: "flush", status: "hit" }),
  );
  // A cas counts as a set, too.
  const cas = ["cas_hits", "cas_misses", "cas_badval"].map((name) => valueOf(stats, name) ?? 0);
  const sets = (valueOf(stats, "cmd_set") ?? 0) - cas.reduce((sum, count) => sum + count);
  // Counters of different threads are not read at one moment.
  const value = Math.max(0, sets);
  return [...samples, { labels: { ...labels, command: "set", status: "hit" }, value }];
}

function hitsOf(classes: ReadonlyMap<string, Stats>): Sample[] {
  return [...classes].flatMap(([slab, stats]) =>
    LISTS.flatMap(([name, lru]) => sampleOf(stats, `hits_to_${name}`, { slab, lru }))
  );
}

/** One sample, or none where there is no such line. */
function sampleOf(stats: Stats, stat: string, labels: Labels): Sample[] {
  const value = valueOf(stats, stat);
  return value === undefined ? [] : [{ labels, value }];
}

function valueOf(stats: Stats, name: string): number | undefined {
  const text = stats.get(name);
  if (text === undefined) return undefined;
  if (text === "yes") return 1;
  return text === "no" ? 0 : Number(text);
}

/** Lines by slab class, in order, and those that belong to none. */
export interface ClassedRows {
  readonly classes: ReadonlyMap<string, Stats>;
  readonly totals: readonly StatRow[];
}

/** Sorts the lines of `stats items` or `stats slabs`. */
export function byClass(rows: readonly StatRow[]): ClassedRows {
  const classes = new Map<string, Map<string, string>>();
  const totals: StatRow[] = [];
  for (const [name, value] of rows) {
    const [, slab, stat] = /^(?:items:)?(\d+):(.+)$/.exec(name) ?? [];
    if (slab === undefined || stat === undefined) {
      totals.push([name, value]);
      continue;
    }
    const stats = classes.get(slab) ?? new Map<string, string>();
    classes.set(slab, stats.set(stat, value));
  }
  return { classes, totals };
}
