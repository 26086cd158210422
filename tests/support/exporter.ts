// What prometheus/memcached_exporter 0.16 would export of a server, computed from its answers over
// TCP. Written from the exporter's own rules, so that /metrics can be held against them.
// Source: memcached_exporter pkg/exporter/exporter.go, parseStats and parseStatsSettings.

import { seriesOf } from "./exposition.ts";

/** One series of the exporter. */
export interface Exported {
  readonly type: "counter" | "gauge";
  readonly value: number;
}

type Stats = ReadonlyMap<string, string>;

/** The answers that the exporter asks for. */
export interface ScrapedStats {
  readonly general: Stats;
  readonly settings: Stats;
  readonly items: Stats;
  readonly slabs: Stats;
}

const COUNTERS = {
  uptime: "uptime_seconds",
  bytes_read: "read_bytes_total",
  bytes_written: "written_bytes_total",
  total_connections: "connections_total",
  rejected_connections: "connections_rejected_total",
  conn_yields: "connections_yielded_total",
  listen_disabled_num: "connections_listener_disabled_total",
  total_items: "items_total",
  evictions: "items_evicted_total",
  reclaimed: "items_reclaimed_total",
  store_too_large: "item_too_large_total",
  store_no_memory: "item_no_memory_total",
  direct_reclaims: "direct_reclaims_total",
  lru_crawler_starts: "lru_crawler_starts_total",
  crawler_items_checked: "lru_crawler_items_checked_total",
  crawler_reclaimed: "lru_crawler_reclaimed_total",
  moves_to_cold: "lru_crawler_moves_to_cold_total",
  moves_to_warm: "lru_crawler_moves_to_warm_total",
  moves_within_lru: "lru_crawler_moves_within_lru_total",
} as const;

const GAUGES = {
  time: "time_seconds",
  bytes: "current_bytes",
  limit_maxbytes: "limit_bytes",
  curr_items: "current_items",
  curr_connections: "current_connections",
  total_malloced: "malloced_bytes",
  accepting_conns: "accepting_connections",
} as const;

const ITEM_COUNTERS = {
  crawler_reclaimed: "items_crawler_reclaimed_total",
  evicted: "items_evicted_total",
  evicted_nonzero: "items_evicted_nonzero_total",
  evicted_time: "items_evicted_time_seconds",
  evicted_unfetched: "items_evicted_unfetched_total",
  expired_unfetched: "items_expired_unfetched_total",
  outofmemory: "items_outofmemory_total",
  reclaimed: "items_reclaimed_total",
  tailrepairs: "items_tailrepairs_total",
  mem_requested: "mem_requested_bytes",
  moves_to_cold: "items_moves_to_cold",
  moves_to_warm: "items_moves_to_warm",
  moves_within_lru: "items_moves_within_lru",
} as const;

const ITEM_GAUGES = {
  number: "current_items",
  age: "items_age_seconds",
  number_hot: "hot_items",
  number_warm: "warm_items",
  number_cold: "cold_items",
  number_temp: "temporary_items",
  age_hot: "hot_age_seconds",
  age_warm: "warm_age_seconds",
} as const;

const SLAB_GAUGES = {
  chunk_size: "chunk_size_bytes",
  chunks_per_page: "chunks_per_page",
  total_pages: "current_pages",
  total_chunks: "current_chunks",
  used_chunks: "chunks_used",
  free_chunks: "chunks_free",
  free_chunks_end: "chunks_free_end",
  mem_requested: "mem_requested_bytes",
} as const;

const CRAWLER_GAUGES = {
  lru_crawler_sleep: "sleep",
  lru_crawler_tocrawl: "to_crawl",
  hot_lru_pct: "hot_percent",
  warm_lru_pct: "warm_percent",
  hot_max_factor: "hot_max_factor",
  warm_max_factor: "warm_max_factor",
} as const;

const LISTS = { hot: "hot", warm: "warm", cold: "cold", temp: "temporary" } as const;
const COMMANDS = ["get", "delete", "incr", "decr", "cas", "touch"] as const;

type Labels = Readonly<Record<string, string>>;

/** Collects series; a name that is not there is passed over, as the exporter does. */
class Collector {
  readonly series = new Map<string, Exported>();

  add(type: Exported["type"], name: string, value: number, labels: Labels = {}): void {
    if (!Number.isFinite(value)) throw new Error(`${name} is no number: the scrape fails`);
    const series = seriesOf(`memcached_${name}`, labels);
    if (this.series.has(series)) throw new Error(`${series} comes twice`);
    this.series.set(series, { type, value });
  }

  all(
    type: Exported["type"],
    names: Readonly<Record<string, string>>,
    stats: Stats,
    prefix = "",
    labels: Labels = {},
  ): void {
    for (const [stat, name] of Object.entries(names)) {
      const text = stats.get(stat);
      if (text !== undefined) this.add(type, `${prefix}${name}`, Number(text), labels);
    }
  }

  /** Commands by outcome; sets without cas, all of whose counters must be there. */
  commands(name: string, stats: Stats, casNames: readonly string[], labels: Labels = {}): void {
    const add = (stat: string, command: string, status: string): void => {
      const text = stats.get(stat);
      if (text !== undefined) {
        this.add("counter", name, Number(text), { ...labels, command, status });
      }
    };
    for (const command of COMMANDS) {
      add(`${command}_hits`, command, "hit");
      add(`${command}_misses`, command, "miss");
    }
    add("cas_badval", "cas", "badval");
    add("cmd_flush", "flush", "hit");
    const cas = casNames.reduce((sum, stat) => sum + needed(stats, stat), 0);
    const set = { ...labels, command: "set", status: "hit" };
    this.add("counter", name, needed(stats, "cmd_set") - cas, set);
  }
}

/** Everything that the exporter would export, by series. */
export function exportedBy(scraped: ScrapedStats): Map<string, Exported> {
  const { settings } = scraped;
  const into = new Collector();
  // The totals of `stats slabs` are among the general ones.
  const general = new Map([...scraped.general, ...scraped.slabs]);
  into.add("gauge", "up", 1);
  into.add("gauge", "version", 1, { version: general.get("version") ?? "" });
  into.commands("commands_total", general, ["cas_hits", "cas_misses", "cas_badval"]);
  into.all("counter", COUNTERS, general);
  into.all("gauge", GAUGES, general);
  for (const kind of ["user", "system"]) {
    const seconds = timeval(needed(general, `rusage_${kind}`), general.get(`rusage_${kind}`));
    into.add("counter", `process_${kind}_cpu_seconds_total`, seconds);
  }
  for (const [slab, stats] of classesOf(scraped.items, /^items:(\d+):(.+)$/)) {
    const labels = { slab };
    into.all("counter", ITEM_COUNTERS, stats, "slab_", labels);
    into.all("gauge", ITEM_GAUGES, stats, "slab_", labels);
    for (const [name, lru] of Object.entries(LISTS)) {
      into.all("counter", { [`hits_to_${name}`]: "lru_hits_total" }, stats, "slab_", {
        ...labels,
        lru,
      });
    }
  }
  for (const [slab, stats] of classesOf(scraped.slabs, /^(\d+):(.+)$/)) {
    into.commands("slab_commands_total", stats, ["cas_hits", "cas_badval"], { slab });
    into.all("gauge", SLAB_GAUGES, stats, "slab_", { slab });
  }
  into.all("gauge", { maxconns: "max_connections" }, settings);
  if (settings.get("lru_crawler") === "yes") {
    into.add("gauge", "lru_crawler_enabled", 1);
    into.add("gauge", "lru_crawler_maintainer_thread", yesNo(settings, "lru_maintainer_thread"));
    into.all("gauge", CRAWLER_GAUGES, settings, "lru_crawler_");
  }
  return into.series;
}

function needed(stats: Stats, name: string): number {
  const text = stats.get(name);
  if (text === undefined) throw new Error(`${name} is missing: the scrape fails`);
  return Number(text);
}

/** `<seconds>.<microseconds>`, exactly one dot. */
function timeval(value: number, text = ""): number {
  if (!/^\d+\.\d+$/.test(text)) throw new Error(`${value} is no time: the scrape fails`);
  const [seconds, micros] = text.split(".").map(Number) as [number, number];
  return seconds + micros / 1e6;
}

function yesNo(stats: Stats, name: string): number {
  const text = stats.get(name);
  if (text !== "yes" && text !== "no") throw new Error(`${name} is neither yes nor no`);
  return text === "yes" ? 1 : 0;
}

function classesOf(stats: Stats, form: RegExp): Map<string, Map<string, string>> {
  const classes = new Map<string, Map<string, string>>();
  for (const [name, value] of stats) {
    const [, slab, stat] = form.exec(name) ?? [];
    if (slab === undefined || stat === undefined) continue;
    const own = classes.get(slab) ?? new Map<string, string>();
    classes.set(slab, own.set(stat, value));
  }
  return classes;
}
