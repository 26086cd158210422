// What is counted: one row per counter or gauge. `stats`, docs/stats.md and the slots in shared
// memory are all made from these rows.

/** A counter only grows and `stats reset` zeroes it; a gauge goes both ways and stays. */
export type Kind = "counter" | "gauge";

/** One row: `[name as memcached spells it, kind, unit, what it counts]`. */
export type CounterRow = readonly [name: string, kind: Kind, unit: string, help: string];

/** Counted once per thread. */
// deno-fmt-ignore
export const THREAD_ROWS = [
  ["cmd_get",              "counter", "keys",        "Keys asked for by get and gets"],
  ["cmd_flush",            "counter", "commands",    "flush_all commands"],
  ["cmd_touch",            "counter", "keys",        "Keys asked for by touch, gat and gats"],
  ["cmd_meta",             "counter", "commands",    "me commands"],
  ["get_misses",           "counter", "keys",        "Keys asked for and not found"],
  ["get_expired",          "counter", "keys",        "Items that a command found expired"],
  ["get_flushed",          "counter", "keys",        "Items that a command found flushed"],
  ["delete_misses",        "counter", "commands",    "delete of a key that is not there"],
  ["incr_misses",          "counter", "commands",    "incr of a key that is not there"],
  ["decr_misses",          "counter", "commands",    "decr of a key that is not there"],
  ["cas_misses",           "counter", "commands",    "cas of a key that is not there"],
  ["touch_misses",         "counter", "keys",        "Keys touched that are not there"],
  ["store_too_large",      "counter", "commands",    "Values refused for their size"],
  ["store_no_memory",      "counter", "commands",    "Values refused for lack of memory"],
  ["auth_cmds",            "counter", "commands",    "Authentication attempts"],
  ["auth_errors",          "counter", "commands",    "Authentication failures"],
  ["bytes_read",           "counter", "bytes",       "Received from clients"],
  ["bytes_written",        "counter", "bytes",       "Sent to clients"],
  ["conn_yields",          "counter", "times",       "A connection used up its turn (-R)"],
  ["total_connections",    "counter", "connections", "Accepted since start"],
  ["rejected_connections", "counter", "connections", "Refused because of -c"],
  ["listen_disabled_num",  "counter", "times",       "Accepting stopped for lack of descriptors"],
  ["time_in_listen_disabled_us","counter","us",       "Time without accepting"],
  ["idle_kicks",           "counter", "connections", "Closed after idle_timeout"],
  ["ssl_new_sessions",     "counter", "sessions",    "TLS handshakes without an earlier session"],
  ["ssl_handshake_errors", "counter", "connections", "TLS handshakes that failed"],
  ["ssl_proto_errors",     "counter", "connections", "Closed for an error after the handshake"],
  ["udp_dropped",          "counter", "datagrams",   "Dropped: bad frame, a reply, or from here"],
  ["read_buf_oom",         "counter", "times",       "A connection found no buffer"],
  ["malloc_fails",         "counter", "times",       "Memory could not be allocated"],
  ["log_worker_dropped",   "counter", "records",     "Log records that found the ring full"],
  ["log_worker_written",   "counter", "records",     "Log records written"],
  ["log_watcher_skipped",  "counter", "lines",       "Log lines gone before they were read"],
  ["log_watcher_sent",     "counter", "lines",       "Log lines sent to watchers"],
  ["total_items",          "counter", "items",       "Items ever linked"],
  ["lru_bumps_dropped",    "counter", "items",       "Hits that found the bump buffer full"],
  ["lru_maintainer_juggles","counter","times",       "Rounds of the LRU maintainer"],
  ["lru_crawler_starts",   "counter", "times",       "Crawls begun"],
  ["slabs_moved",          "counter", "pages",       "Pages taken from their slab class"],
  ["slab_reassign_rescues","counter", "items",       "Items copied out of a page that moved"],
  ["slab_reassign_chunk_rescues","counter","chunks", "The same for chunks of large items"],
  ["slab_reassign_inline_reclaim","counter","items", "A rescue evicted another item to find room"],
  ["slab_reassign_busy_items","counter","times",     "A move met an item that a client held"],
  ["slab_reassign_busy_deletes","counter","items",   "Held items unlinked so that a move can end"],
  ["slab_reassign_busy_nomem","counter","items",     "A rescue found no room: an eviction"],
  ["direct_evictions",     "counter", "items",       "Evicted by a command, off the tails"],
  ["direct_page_moves",    "counter", "pages",       "Pages a command took from a class"],
  ["connection_structures","gauge",   "connections", "Connection records, used or spare"],
  ["read_buf_count",       "gauge",   "buffers",     "Buffers, used or spare"],
  ["read_buf_bytes",       "gauge",   "bytes",       "Memory of all buffers"],
  ["read_buf_bytes_free",  "gauge",   "bytes",       "Memory of the spare ones"],
] as const satisfies readonly CounterRow[];

/** Counted per thread and slab class. */
// deno-fmt-ignore
export const CLASS_ROWS = [
  ["hits_to_hot",       "counter", "keys",     "Keys asked for and found in HOT"],
  ["hits_to_warm",      "counter", "keys",     "Keys asked for and found in WARM"],
  ["hits_to_cold",      "counter", "keys",     "Keys asked for and found in COLD"],
  ["hits_to_temp",      "counter", "keys",     "Keys asked for and found in TEMP"],
  ["touch_hits",        "counter", "keys",     "touch, gat and gats of a key that is there"],
  ["cmd_set",           "counter", "commands", "Storage commands that got an item"],
  ["delete_hits",       "counter", "commands", "delete of a key that is there"],
  ["incr_hits",         "counter", "commands", "incr of a key that is there"],
  ["decr_hits",         "counter", "commands", "decr of a key that is there"],
  ["cas_hits",          "counter", "commands", "cas that stored"],
  ["cas_badval",        "counter", "commands", "cas with another version than the item's"],
  ["evictions",         "counter", "items",    "Items removed alive for lack of space"],
  ["evicted_nonzero",   "counter", "items",    "Evicted items that had an expiry"],
  ["evicted_unfetched", "counter", "items",    "Evicted items that were never read"],
  ["evicted_active",    "counter", "items",    "Evicted items that had been read lately"],
  ["expired_unfetched", "counter", "items",    "Expired items that were never read"],
  ["reclaimed",         "counter", "items",    "Expired or flushed items whose memory was reused"],
  ["outofmemory",       "counter", "commands", "Times that no chunk was available"],
  ["direct_reclaims",   "counter", "times",    "A command had to make room itself"],
  ["lrutail_reflocked", "counter", "items",    "Tail items found in use"],
  ["tailrepairs",       "counter", "items",    "Tail items unlinked while held"],
  ["crawler_reclaimed", "counter", "items",    "Expired or flushed items the crawler removed"],
  ["crawler_items_checked","counter","items",  "Items the crawler checked"],
  ["moves_to_cold",     "counter", "items",    "Items moved from HOT or WARM to COLD"],
  ["moves_to_warm",     "counter", "items",    "Items moved from HOT or COLD to WARM"],
  ["moves_within_lru",  "counter", "items",    "Active items moved back to the head of WARM"],
  ["number",            "gauge",   "items",    "Items that can be found"],
  ["mem_requested",     "gauge",   "bytes",    "Size of all items, headers included"],
] as const satisfies readonly CounterRow[];

type IndexOf<Rows extends readonly CounterRow[]> = {
  readonly [Name in Rows[number][0] as Uppercase<Name>]: number;
};

function indexes<const Rows extends readonly CounterRow[]>(rows: Rows): IndexOf<Rows> {
  return Object.fromEntries(
    rows.map(([name], index) => [name.toUpperCase(), index]),
  ) as unknown as IndexOf<Rows>;
}

/** Slot of each thread counter: `Counter.CMD_GET`. */
export const Counter = indexes(THREAD_ROWS);

/** Slot of each class counter: `ClassCounter.GET_HITS`. */
export const ClassCounter = indexes(CLASS_ROWS);

/** Name of a thread counter. */
export type CounterName = typeof THREAD_ROWS[number][0];
/** Name of a class counter. */
export type ClassCounterName = typeof CLASS_ROWS[number][0];

/** Slab classes that are counted; class 0 holds what belongs to none. */
export const CLASSES_MAX = 64;

/** Float64 slots of one thread's counters. */
export const COUNTERS_PER_THREAD = THREAD_ROWS.length + CLASSES_MAX * CLASS_ROWS.length;
