// What `stats settings` shows, and in which order.

import { extRows } from "./ext_settings.ts";
import type { Settings } from "./settings.ts";
import { tlsRows } from "./tls_settings.ts";

/**
 * The lines of `stats settings`, in memcached's order. Exporters refuse a line without a value, so
 * none is ever empty.
 *
 * Source: memcached memcached.c, process_stat_settings().
 */
const ROWS: readonly (readonly [
  name: string,
  value: (s: Settings, oldest: number) => string | number | boolean,
])[] = [
  ["maxbytes", (s) => s.maxbytes],
  ["maxconns", (s) => s.maxconns],
  ["tcpport", (s) => s.port],
  ["udpport", (s) => s.udpPort],
  ["inter", (s) => s.inter ?? "NULL"],
  ["verbosity", (s) => s.verbosity],
  ["oldest", (_, oldest) => oldest],
  ["evictions", (s) => s.evictions ? "on" : "off"],
  ["domain_socket", (s) => s.socketPath ?? "NULL"],
  ["umask", (s) => s.socketMask.toString(8)],
  ["shutdown_command", (s) => s.shutdownCommand],
  ["growth_factor", (s) => s.factor.toFixed(2)],
  ["chunk_size", (s) => s.chunkSize],
  ["num_threads", (s) => s.threads],
  ["num_threads_per_udp", (s) => s.threads],
  ["stat_key_prefix", (s) => s.prefixDelimiter],
  ["detail_enabled", (s) => s.detailEnabled],
  ["reqs_per_event", (s) => s.reqsPerEvent],
  ["cas_enabled", (s) => s.cas],
  ["tcp_backlog", (s) => s.backlog],
  ["binding_protocol", (s) => s.bindingProtocol === "auto" ? "auto-negotiate" : s.bindingProtocol],
  ["auth_enabled_sasl", (s) => s.sasl],
  ["auth_enabled_ascii", (s) => s.authFile ?? "no"],
  ["item_size_max", (s) => s.itemSizeMax],
  ["maxconns_fast", (s) => s.maxconnsFast],
  ["hashpower_init", (s) => s.hashpowerInit],
  ["slab_reassign", (s) => s.slabReassign],
  ["slab_automove", (s) => s.slabAutomove],
  ["slab_automove_ratio", (s) => s.slabAutomoveRatio.toFixed(2)],
  ["slab_automove_window", (s) => s.slabAutomoveWindow],
  ["slab_chunk_max", (s) => s.slabChunkMax],
  ["lru_crawler", (s) => s.lruCrawler],
  ["lru_crawler_sleep", (s) => s.lruCrawlerSleep],
  ["lru_crawler_tocrawl", (s) => s.lruCrawlerTocrawl],
  ["tail_repair_time", (s) => s.tailRepairTime],
  ["flush_enabled", (s) => s.flushEnabled],
  ["dump_enabled", (s) => s.dumpEnabled],
  ["hash_algorithm", (s) => s.hashAlgorithm],
  ["lru_maintainer_thread", (s) => s.lruMaintainer],
  ["lru_segmented", (s) => s.lruSegmented],
  ["hot_lru_pct", (s) => s.hotLruPct],
  ["warm_lru_pct", (s) => s.warmLruPct],
  ["hot_max_factor", (s) => s.hotMaxFactor.toFixed(2)],
  ["warm_max_factor", (s) => s.warmMaxFactor.toFixed(2)],
  ["temp_lru", (s) => s.tempLru],
  ["temporary_ttl", (s) => s.temporaryTtl],
  ["idle_timeout", (s) => s.idleTimeout],
  ["watcher_logbuf_size", (s) => s.watcherLogbufSize],
  ["worker_logbuf_size", (s) => s.workerLogbufSize],
  ["read_buf_mem_limit", (s) => s.readBufMemLimit],
  ["track_sizes", (s) => s.trackSizes],
  ["inline_ascii_response", () => false],
  ...extRows,
  ...tlsRows,
  ["num_napi_ids", (s) => s.napiIds],
  ["memory_file", (s) => s.memoryFile ?? "(null)"],
  ["client_flags_size", () => 4],
];

/**
 * What `stats settings` answers.
 *
 * @param oldest Moment of the last flush, in seconds since start; 0 when there was none.
 */
export function settingsRows(
  settings: Settings,
  oldest: number,
): readonly (readonly [name: string, value: string])[] {
  return ROWS.map(([name, value]) => [name, shown(value(settings, oldest))]);
}

function shown(value: string | number | boolean): string {
  return typeof value === "boolean" ? (value ? "yes" : "no") : String(value);
}
