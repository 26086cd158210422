// `stats` and `stats settings`: their lines, in memcached's order.
//
// Source of names and order: memcached memcached.c, server_stats and process_stat_settings; and
// threads.c, threadlocal_stats_aggregate; and items.c, item_stats_totals.

import { MEMCACHED_VERSION } from "../../base/version.ts";
import { settingsRows } from "../../config/settings_rows.ts";
import { Snapshot } from "../../stats/counters.ts";
import {
  certsReadAt,
  currConns,
  isAccepting,
  oldestLive,
  startedAt,
  verbosity,
} from "../../stats/globals.ts";
import type { ClassCounterName, CounterName } from "../../stats/names.ts";
import type { Settings } from "../../config/settings.ts";
import type { StatRow } from "../../stats/stats_view.ts";
import { isCrawling, isMoving } from "../../store/control/requests.ts";
import type { Store } from "../../store/store.ts";
import type { Executor, ServerView } from "../executor.ts";
import { tunedSettings } from "./tuned_settings.ts";

/** The source of all lines. An {@linkcode Executor} is one. */
export interface StatsSource {
  readonly store: Store;
  readonly settings: Settings;
  readonly server: Pick<ServerView, "pid" | "cpuTimes">;
}

/** The data of a row. */
interface View {
  readonly executor: StatsSource;
  readonly totals: Snapshot;
  readonly cpu: { readonly user: string; readonly system: string };
}

/** One `STAT` line: its name, and its value when it is not the counter of that name. */
type Row = readonly [name: string, value: (view: View) => number | string];

const counter = (name: CounterName): Row => [name, ({ totals }) => totals.of(name)];
const byClass = (name: ClassCounterName): Row => [name, ({ totals }) => totals.ofClasses(name)];

/** Descriptors of the server: eventfd and epoll of each thread, and a few of the process. */
const RESERVED_FDS_PER_THREAD = 2;
const RESERVED_FDS = 8;

/**
 * The last reason why a page could not move at once: none yet, or a held item. memden has no other
 * reason. Source: memcached slabs_mover.c, move_status_text.
 */
const MoveStatus = { NONE: "none", BUSY_ACTIVE: "busy_active" } as const;

/** The lines of `stats` about pages that move. */
const SLAB_ROWS: readonly Row[] = [
  counter("slab_reassign_rescues"),
  counter("slab_reassign_chunk_rescues"),
  counter("slab_reassign_inline_reclaim"),
  counter("slab_reassign_busy_items"),
  counter("slab_reassign_busy_deletes"),
  counter("slab_reassign_busy_nomem"),
  [
    "slab_reassign_last_busy_status",
    ({ totals }) =>
      totals.of("slab_reassign_busy_items") > 0 ? MoveStatus.BUSY_ACTIVE : MoveStatus.NONE,
  ],
  ["slab_reassign_running", ({ executor }) => isMoving(executor.store.control) ? 1 : 0],
  counter("slabs_moved"),
];

/** The lines of `stats` about the crawler and the maintainer. */
const LRU_ROWS: readonly Row[] = [
  ["lru_crawler_running", ({ executor }) => isCrawling(executor.store.control) ? 1 : 0],
  counter("lru_crawler_starts"),
  counter("lru_maintainer_juggles"),
];

/** The lines of `stats` about `watch`. */
const LOG_ROWS: readonly Row[] = [
  counter("log_worker_dropped"),
  counter("log_worker_written"),
  counter("log_watcher_skipped"),
  counter("log_watcher_sent"),
  ["log_watchers", ({ executor }) => executor.store.lines.watchers],
];

/** The lines of `stats` about TLS. */
const TLS_ROWS: readonly Row[] = [
  counter("ssl_new_sessions"),
  counter("ssl_handshake_errors"),
  counter("ssl_proto_errors"),
  [
    "time_since_server_cert_refresh",
    ({ executor: { store: { clock, control } } }) => clock.now - certsReadAt(control),
  ],
];

/** The line of `stats` about UDP. Not in memcached. */
const UDP_ROWS: readonly Row[] = [counter("udp_dropped")];

/** The lines of `stats`, in order. */
export const GENERAL_ROWS: readonly Row[] = [
  ["pid", ({ executor }) => executor.server.pid],
  ["uptime", ({ executor: { store: { clock, control } } }) => clock.now - startedAt(control)],
  ["time", ({ executor: { store: { clock } } }) => clock.startUnix + clock.now],
  ["version", () => MEMCACHED_VERSION],
  ["libevent", () => "none"],
  ["pointer_size", () => 64],
  ["rusage_user", ({ cpu }) => cpu.user],
  ["rusage_system", ({ cpu }) => cpu.system],
  ["max_connections", ({ executor }) => executor.settings.maxconns],
  ["curr_connections", ({ executor }) => currConns(executor.store.control)],
  counter("total_connections"),
  counter("rejected_connections"),
  counter("connection_structures"),
  ["response_obj_oom", () => 0], // Replies are in buffers; there are no response objects.
  ["response_obj_count", () => 0],
  ["response_obj_bytes", () => 0],
  counter("read_buf_count"),
  counter("read_buf_bytes"),
  counter("read_buf_bytes_free"),
  counter("read_buf_oom"),
  [
    "reserved_fds",
    ({ executor }) => RESERVED_FDS + RESERVED_FDS_PER_THREAD * executor.settings.threads,
  ],
  counter("cmd_get"),
  byClass("cmd_set"),
  counter("cmd_flush"),
  counter("cmd_touch"),
  counter("cmd_meta"),
  ["get_hits", ({ totals }) => totals.allGetHits],
  counter("get_misses"),
  counter("get_expired"),
  counter("get_flushed"),
  counter("delete_misses"),
  byClass("delete_hits"),
  counter("incr_misses"),
  byClass("incr_hits"),
  counter("decr_misses"),
  byClass("decr_hits"),
  counter("cas_misses"),
  byClass("cas_hits"),
  byClass("cas_badval"),
  byClass("touch_hits"),
  counter("touch_misses"),
  counter("store_too_large"),
  counter("store_no_memory"),
  counter("auth_cmds"),
  counter("auth_errors"),
  counter("idle_kicks"),
  counter("bytes_read"),
  counter("bytes_written"),
  ["limit_maxbytes", ({ executor }) => executor.store.tunables.get("maxbytes")],
  ["accepting_conns", ({ executor }) => isAccepting(executor.store.control) ? 1 : 0],
  counter("listen_disabled_num"),
  counter("time_in_listen_disabled_us"),
  ["threads", ({ executor }) => executor.settings.threads],
  counter("conn_yields"),
  ["hash_power_level", ({ executor }) => Math.floor(Math.log2(executor.store.assoc.bucketCount))],
  ["hash_bytes", ({ executor }) => executor.store.assoc.bucketCount * 4],
  ["hash_is_expanding", () => 0],
  ...SLAB_ROWS,
  ...LRU_ROWS,
  counter("malloc_fails"),
  ...LOG_ROWS,
  ...TLS_ROWS,
  ...UDP_ROWS,
  ["unexpected_napi_ids", () => 0], // -N has no effect: no connection is dealt by its NIC's queue,
  ["round_robin_fallback", () => 0], // so none falls back to round robin.
  ["bytes", ({ totals }) => totals.ofClasses("mem_requested")],
  ["curr_items", ({ totals }) => totals.ofClasses("number")],
  counter("total_items"),
  ["slab_global_page_pool", ({ executor }) => executor.store.slabs.pages.pooled],
  byClass("expired_unfetched"),
  byClass("evicted_unfetched"),
  byClass("evicted_active"),
  byClass("evictions"),
  byClass("reclaimed"),
  byClass("crawler_reclaimed"),
  byClass("crawler_items_checked"),
  byClass("lrutail_reflocked"),
  byClass("moves_to_cold"),
  byClass("moves_to_warm"),
  byClass("moves_within_lru"),
  byClass("direct_reclaims"),
  counter("lru_bumps_dropped"),
  // Not in memcached: evictions and page moves by commands that found no memory at the tails.
  counter("direct_evictions"),
  counter("direct_page_moves"),
];

/**
 * Names of the lines of `stats` and of `stats items` that need the LRU maintainer.
 * Source: memcached items.c, item_stats and item_stats_totals.
 */
export const MAINTAINER_ROWS = /^(lru_|moves_|hits_to_|evicted_active$|direct_reclaims$)/;

/** Whether the settings in force call for a line of `stats`. */
function hasRow({ settings, store }: StatsSource, row: Row): boolean {
  if (row[0] === "idle_kicks") return settings.idleTimeout > 0;
  if (row[0] === "rejected_connections") return settings.maxconnsFast;
  if (row[0] === "ssl_new_sessions") return settings.tls && settings.sslSessionCache;
  if (TLS_ROWS.includes(row)) return settings.tls;
  if (UDP_ROWS.includes(row)) return settings.udpListen.length > 0;
  if (SLAB_ROWS.includes(row)) return settings.slabReassign;
  if (row[0].startsWith("lru_crawler")) return store.tunables.get("lruCrawler") === 1;
  if (MAINTAINER_ROWS.test(row[0])) return settings.lruMaintainer;
  return true;
}

/** The lines of `stats`. */
export function generalRows(executor: StatsSource): readonly StatRow[] {
  const view: View = {
    executor,
    totals: new Snapshot(executor.store.control),
    cpu: executor.server.cpuTimes(),
  };
  const rows = GENERAL_ROWS.filter((row) => hasRow(executor, row));
  return rows.map(([name, value]) => [name, String(value(view))]);
}

/** The answer to `stats`. */
export function generalStats(executor: Executor): string {
  return statLines(generalRows(executor));
}

/** The lines of `stats settings`: the values in force now. */
export function currentSettings({ settings, store }: StatsSource): readonly StatRow[] {
  const { control, tunables, prefixes } = store;
  const now = tunedSettings(settings, tunables.all());
  const shown = { ...now, verbosity: verbosity(control), detailEnabled: prefixes.isOn };
  return settingsRows(shown, oldestLive(control));
}

/** The answer to `stats settings`. */
export function settingsStats(executor: Executor): string {
  return statLines(currentSettings(executor));
}

/** The answer to `stats conns`. */
export function connsStats({ server }: Executor): string {
  return statLines(server.conns());
}

/** `STAT` lines with their END. */
export function statLines(rows: readonly StatRow[]): string {
  return rows.map(([name, value]) => `STAT ${name} ${value}\r\n`).join("") + "END\r\n";
}
