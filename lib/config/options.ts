// Every option of memcached 1.6.45: one row per flag, one row per sub-option of `-o`.
//
// Parsing, checks, `-h` and docs/options.md all read these rows. An option is made available by
// changing its state to "ready"; a value of an otherwise ready option, by removing it from
// HELD_BACK. No option of memcached is missing here, and none is ignored in silence.
// Source: memcached memcached.c, main(), and its `-h`; the help texts are ours.

const INT_MAX = 2 ** 31 - 1;
const U32_MAX = 2 ** 32 - 1;
const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/**
 * How an option's text is read.
 *
 * - `flag`: takes no value; `count`: every use adds one, `=n` sets the number
 * - `action`: answers at once and ends the process
 * - `int`, `port`: a whole number; `octal` likewise, to base 8; `decimal`: as `atof`
 * - `size`: an `int` of bytes, or with k, m or g behind it, as an `int` whose unit is MB or KB
 * - `level`: an `int` that may be left out and then is 1
 * - `word`: one of a few; `char`: one character
 * - `text`: anything; `list`: anything, and every use adds to it
 * - `on`: a switch; `off`: turns off the option named behind its `no_`
 * - `preset`: stands for other sub-options
 */
export type Kind =
  | "flag"
  | "count"
  | "action"
  | "int"
  | "port"
  | "octal"
  | "size"
  | "decimal"
  | "level"
  | "word"
  | "char"
  | "text"
  | "list"
  | "on"
  | "off"
  | "preset";

/**
 * What giving the option does.
 *
 * - `ready`: what memcached does
 * - `echo`: accepted if valid, shown where memcached shows it, without effect
 * - `later`: refused until the feature is here, unless it asks for what the server does anyway
 * - `never`: refused; the feature is not planned
 */
export type State = "ready" | "echo" | "later" | "never";

/** One row, in the order of the tables below. */
type Row = readonly [
  letter: string,
  name: string,
  kind: Kind,
  fallback: string,
  allowed: readonly (number | string)[],
  value: string,
  state: State,
  help: string,
];

// deno-fmt-ignore
const FLAG_ROWS = [
  // letter, long name, kind, default, allowed, value, state, help
  ["p", "port", "port", "11211", [-1, 65535], "num", "ready",
    "TCP port to listen on; 0 for none, -1 for any free one"],
  ["U", "udp-port", "port", "0", [-1, 65535], "num", "ready",
    "UDP port to listen on; 0 for none, -1 for any free one. Without -p, TCP uses the same number"],
  ["s", "unix-socket", "text", "", [], "file", "ready",
    "Unix socket to listen on, instead of TCP; with -l or -p beside it, as well as TCP"],
  ["a", "unix-mask", "octal", "700", [0, 0o777], "mask", "ready",
    "access mode of the Unix socket, in octal"],
  ["A", "enable-shutdown", "flag", "0", [], "", "ready",
    "let clients stop the server with the shutdown command"],
  ["l", "listen", "list", "", [], "addr", "ready",
    "address to listen on: host, host:port, [v6]:port or *; repeat it or separate by commas. " +
    "Without it, every address of the machine. In front of one: notls:, btls: or mtls: for plain " +
    "text, TLS, or TLS with client certificates; proto[ascii]: or " +
    "proto[binary]: for its protocol; tag[name]:"],
  ["d", "daemon", "flag", "0", [], "", "ready",
    "run in the background, detached from the terminal, once the server has started"],
  ["r", "enable-coredumps", "flag", "0", [], "", "ready",
    "raise the core file limit as far as allowed"],
  ["u", "user", "text", "", [], "user", "ready",
    "when started as root, continue as this user; a name or a numeric uid"],
  ["m", "memory-limit", "int", "64", [0, 32_000], "MB", "ready",
    "memory for items, in megabytes, or with a k, m or g behind the number; hash table and " +
    "connections come on top"],
  ["M", "disable-evictions", "flag", "0", [], "", "ready",
    "when memory is full, answer with an error instead of evicting"],
  ["c", "conn-limit", "int", "1024", [1, INT_MAX], "num", "ready",
    "most client connections at a time"],
  ["k", "lock-memory", "flag", "0", [], "", "ready",
    "keep item memory and hash table from being paged out"],
  ["v", "verbose", "count", "0", [0, INT_MAX], "", "ready",
    "write errors and warnings to stderr; -vv adds commands and replies, -vvv state changes"],
  ["h", "help", "action", "", [], "", "ready",
    "print this list and exit"],
  ["i", "license", "action", "", [], "", "ready",
    "print the license and exit"],
  ["V", "version", "action", "", [], "", "ready",
    "print the version and exit"],
  ["P", "pidfile", "text", "", [], "file", "ready",
    "write the process id to this file; with -d it is removed at the end"],
  ["f", "slab-growth-factor", "decimal", "1.25", [1, 1_000_000], "num", "ready",
    "how much larger each slab class is than the one before"],
  ["n", "slab-min-size", "int", "48", [1, 512 * KIB], "bytes", "ready",
    "room for key, value and flags in the smallest slab class"],
  ["L", "enable-largepages", "flag", "0", [], "", "ready",
    "ask the kernel for large memory pages"],
  ["D", "D", "char", ":", [], "char", "ready",
    "character that ends a key's prefix; also turns on statistics per prefix"],
  ["t", "threads", "int", "4", [1, INT_MAX], "num", "ready",
    "worker threads"],
  ["R", "max-reqs-per-event", "int", "20", [1, INT_MAX], "num", "ready",
    "requests served from one connection before others get their turn"],
  ["C", "disable-cas", "flag", "0", [], "", "ready",
    "store no CAS number with an item"],
  ["b", "listen-backlog", "int", "1024", [0, INT_MAX], "num", "ready",
    "connections the kernel queues before they are accepted"],
  ["B", "protocol", "word", "auto", ["auto", "ascii", "binary"], "name", "ready",
    "protocol to speak; auto tells by a connection's first byte"],
  ["I", "max-item-size", "size", "1m", [0, INT_MAX], "num", "ready",
    "largest item, in bytes, or with a k, m or g behind the number; 1k to 1024m"],
  ["S", "enable-sasl", "flag", "0", [], "", "ready",
    "ask for a SASL login (PLAIN); binary protocol only. Logins are in MEMCACHED_SASL_PWDB"],
  ["F", "disable-flush-all", "flag", "0", [], "", "ready",
    "refuse the flush_all command"],
  ["X", "disable-dumping", "flag", "0", [], "", "ready",
    "refuse the commands that list keys"],
  ["W", "disable-watch", "flag", "0", [], "", "ready",
    "refuse the watch command"],
  ["Y", "auth-file", "text", "", [], "file", "ready",
    "ask for a login over the text protocol; lines of user:password in this file"],
  ["e", "memory-file", "text", "", [], "file", "ready",
    "keep item memory in this file: after SIGUSR1 or shutdown graceful, the next server takes " +
    "it over"],
  ["Z", "enable-ssl", "flag", "0", [], "", "ready",
    "speak TLS"],
  ["N", "napi_ids", "int", "0", [0, INT_MAX], "num", "echo",
    "receive queues of the network card that workers are bound to; at most as many as threads"],
  ["", "transport", "word", "auto", ["auto", "native", "relay"], "name", "ready",
    "how connections reach the workers: native by system calls, relay by messages; auto takes " +
    "native where it works. Not in memcached"],
  ["", "admin", "text", "", [], "addr:port", "ready",
    "HTTP server with /metrics, /healthz, /readyz and /api/stats; without an address, for this " +
    "machine only. It shows statistics, settings and warnings, no keys. Not in memcached"],
  ["", "admin-keys", "flag", "0", [], "", "ready",
    "record the keys asked for most and show them at --admin; no effect with -X. " +
    "Not in memcached"],
  ["", "config", "text", "", [], "file", "ready",
    "read options from this file first, one per line as in memcached.conf. Not in memcached"],
  ["", "logfile", "text", "", [], "file", "ready",
    "with -d, append to this file what would go to stderr. Not in memcached"],
  ["o", "extended", "list", "", [], "list", "ready",
    "further options, comma separated; see below"],
] as const satisfies readonly Row[];

// deno-fmt-ignore
const SUBOPTION_ROWS = [
  // (no letter), name, kind, default, allowed, value, state, help
  ["", "maxconns_fast", "on", "1", [], "", "ready",
    "over the connection limit, answer with an error and close"],
  ["", "no_maxconns_fast", "off", "", [], "", "ready",
    "over the connection limit, stop accepting instead"],
  ["", "hashpower", "int", "0", [12, 30], "power", "ready",
    "start with a hash table of 2^power buckets; when not given, the server chooses"],
  ["", "no_hashexpand", "on", "0", [], "", "ready",
    "never grow the hash table"],
  ["", "hash_algorithm", "word", "murmur3", ["murmur3", "jenkins", "xxh3"], "name", "echo",
    "name of the key hash"],
  ["", "slab_reassign", "on", "1", [], "", "ready",
    "let pages move between slab classes"],
  ["", "no_slab_reassign", "off", "", [], "", "ready",
    "keep pages in their slab class"],
  ["", "slab_automove", "level", "1", [0, 2], "level", "ready",
    "move pages automatically: 0 never, 1 by age, 2 on every eviction"],
  ["", "no_slab_automove", "off", "", [], "", "ready",
    "same as slab_automove=0"],
  ["", "slab_automove_ratio", "decimal", "0.8", [0, 1], "ratio", "ready",
    "age between two classes below which a page moves"],
  ["", "slab_automove_window", "int", "10", [3, 1800], "s", "ready",
    "seconds that decide over a move"],
  ["", "slab_automove_freeratio", "decimal", "0.01", [0, 1], "ratio", "echo",
    "share of memory to hold free for external storage"],
  ["", "slab_sizes", "text", "", [], "a-b-c", "ready",
    "chunk size of every slab class, instead of a growth factor"],
  ["", "slab_chunk_max", "int", "512", [1, 1024], "KB", "ready",
    "largest chunk, in kilobytes; must divide 1024 and -I. A larger item is in several"],
  ["", "no_chunked_items", "preset", "", ["slab_chunk_max=1024"], "", "ready",
    "store an item of up to 1 MiB in one chunk"],
  ["", "tail_repair_time", "int", "0", [10, INT_MAX], "s", "ready",
    "seconds after which an item at the LRU tail that is still held is taken by force"],
  ["", "lru_crawler", "on", "1", [], "", "ready",
    "look for expired items in the background"],
  ["", "no_lru_crawler", "off", "", [], "", "ready",
    "leave expired items until a client asks for them"],
  ["", "lru_crawler_sleep", "int", "100", [0, 1_000_000], "us", "ready",
    "microseconds that the crawler sleeps between items"],
  ["", "lru_crawler_tocrawl", "int", "0", [0, U32_MAX], "num", "ready",
    "items per slab class and crawl; 0 for all"],
  ["", "lru_maintainer", "on", "1", [], "", "ready",
    "keep hot, warm and cold items apart"],
  ["", "no_lru_maintainer", "off", "", [], "", "ready",
    "one LRU list per slab class"],
  ["", "hot_lru_pct", "int", "20", [1, 79], "percent", "ready",
    "share of a slab class for hot items"],
  ["", "warm_lru_pct", "int", "40", [1, 79], "percent", "ready",
    "share of a slab class for warm items"],
  ["", "hot_max_factor", "decimal", "0.2", [0, 1_000_000], "num", "ready",
    "hot items idle for longer than this times the cold age leave the hot list"],
  ["", "warm_max_factor", "decimal", "2", [0, 1_000_000], "num", "ready",
    "warm items idle for longer than this times the cold age leave the warm list"],
  ["", "temporary_ttl", "int", "", [0, U32_MAX], "s", "ready",
    "items that live no longer than this are never evicted"],
  ["", "idle_timeout", "int", "0", [0, INT_MAX], "s", "ready",
    "close connections that were idle for this long; 0 for never"],
  ["", "watcher_logbuf_size", "int", "256", [1, 1_048_576], "KB", "ready",
    "log buffer of each watcher"],
  ["", "worker_logbuf_size", "int", "64", [1, 1_048_576], "KB", "ready",
    "log buffer of each worker thread"],
  ["", "read_buf_mem_limit", "int", "0", [0, 1_048_576], "MB", "ready",
    "most memory for the buffers of all connections; 0 for no limit"],
  ["", "resp_obj_mem_limit", "int", "0", [0, 1_048_576], "MB", "ready",
    "older name of read_buf_mem_limit"],
  ["", "track_sizes", "on", "0", [], "", "ready",
    "count items by size for stats sizes"],
  ["", "inline_ascii_resp", "on", "0", [], "", "echo",
    "a former way to buffer replies"],
  ["", "no_inline_ascii_resp", "off", "", [], "", "echo",
    "opposite of inline_ascii_resp"],
  ["", "modern", "preset", "", [], "", "ready",
    "the defaults of the next release; today none differ"],
  ["", "no_modern", "preset", "",
    ["no_maxconns_fast", "no_slab_reassign", "no_slab_automove", "no_lru_crawler",
      "no_lru_maintainer", "hash_algorithm=jenkins", "slab_chunk_max=1024"], "", "ready",
    "the defaults of memcached 1.4, as far as they are available"],
  ["", "drop_privileges", "on", "0", [], "", "echo",
    "filter system calls once started"],
  ["", "no_drop_privileges", "off", "", [], "", "echo",
    "opposite of drop_privileges"],
  ["", "relaxed_privileges", "on", "0", [], "", "echo",
    "a wider filter, for tests"],
  ["", "sock_cookie_id", "int", "0", [0, U32_MAX], "num", "echo",
    "mark on client sockets for packet filters; FreeBSD only"],
  ["", "ssl_chain_cert", "text", "", [], "file", "ready", "certificate chain, PEM"],
  ["", "ssl_key", "text", "", [], "file", "ready", "private key, PEM"],
  ["", "ssl_verify_mode", "int", "0", [0, 3], "num", "ready",
    "client certificates: 0 none, 1 request, 2 require, 3 once"],
  ["", "ssl_keyformat", "int", "1", [1, 2], "num", "ready", "private key: 1 PEM, 2 DER"],
  ["", "ssl_ciphers", "text", "", [], "list", "never", "ciphers to offer"],
  ["", "ssl_ca_cert", "text", "", [], "file", "ready", "authorities of client certificates, PEM"],
  ["", "ssl_wbuf_size", "int", "16", [1, 1_048_576], "KB", "echo", "TLS write buffer"],
  ["", "ssl_session_cache", "on", "0", [], "", "ready", "resume TLS sessions"],
  ["", "ssl_kernel_tls", "on", "0", [], "", "never", "let the kernel encrypt"],
  ["", "ssl_min_version", "int", "2", [0, 3], "num", "ready",
    "lowest TLS version: 0 for 1.0 up to 3 for 1.3"],
  ["", "proxy_config", "text", "", [], "file", "never", "routes of the proxy"],
  ["", "proxy_arg", "text", "", [], "text", "never", "argument for the routes"],
  ["", "proxy_uring", "on", "0", [], "", "never", "io_uring for the proxy's back ends"],
  ["", "proxy_memprofile", "on", "0", [], "", "never", "memory profile of the proxy"],
  ["", "ext_path", "text", "", [], "file:size", "never", "file for values on flash"],
  ["", "ext_page_size", "text", "", [], "MB", "never", "size of a storage page"],
  ["", "ext_wbuf_size", "int", "4", [1, 1_048_576], "MB", "never",
    "write buffer of a storage page"],
  ["", "ext_threads", "text", "", [], "num", "never", "threads that read and write flash"],
  ["", "ext_io_depth", "text", "", [], "num", "never", "requests per flash thread at a time"],
  ["", "ext_item_size", "int", "512", [0, U32_MAX], "bytes", "never",
    "smallest value that goes to flash"],
  ["", "ext_item_age", "int", "4294967295", [0, U32_MAX], "s", "never",
    "idle time before a value goes to flash"],
  ["", "ext_low_ttl", "int", "0", [0, U32_MAX], "s", "never",
    "TTL below which values share pages"],
  ["", "ext_recache_rate", "int", "2000", [0, U32_MAX], "num", "never",
    "reads after which a value returns"],
  ["", "ext_compact_under", "int", "0", [0, U32_MAX], "pages", "never",
    "free pages that start compaction"],
  ["", "ext_drop_under", "int", "0", [0, U32_MAX], "pages", "never",
    "free pages that start dropping values"],
  ["", "ext_max_sleep", "int", "1000000", [0, U32_MAX], "us", "never",
    "longest rest of the storage threads"],
  ["", "ext_max_frag", "decimal", "0.8", [0, 1], "ratio", "never",
    "fragmentation that starts compaction"],
  ["", "ext_drop_unread", "on", "0", [], "", "never", "drop unread values at compaction"],
] as const satisfies readonly Row[];

/** The long name of a flag, the name of a sub-option, or the letter of `-D`, which has no name. */
export type OptionName = typeof FLAG_ROWS[number][1] | typeof SUBOPTION_ROWS[number][1];

/** Every row as it stands in the tables, for types that are made of them. */
export type OptionRow = typeof FLAG_ROWS[number] | typeof SUBOPTION_ROWS[number];

/** One option, as its row says. */
export interface Option {
  /** The short flag; empty for a sub-option of `-o`, and for a flag that only has a long name. */
  readonly letter: string;
  readonly name: OptionName;
  readonly kind: Kind;
  /** The default, as one would type it; empty when there is none. Switches: 1 or 0. */
  readonly fallback: string;
  /**
   * Numbers: smallest and largest, except that a `decimal` must be above the smallest. Words: all
   * of them. Presets: the sub-options they stand for. Otherwise empty.
   */
  readonly allowed: readonly (number | string)[];
  /** What the value is, or its unit; empty when there is none. */
  readonly value: string;
  readonly state: State;
  readonly help: string;
}

/** Every flag, in the order `-h` lists them. */
export const FLAGS: readonly Option[] = FLAG_ROWS.map(fromRow);

/** Every sub-option of `-o`, in the order `-h` lists them. */
export const SUBOPTIONS: readonly Option[] = SUBOPTION_ROWS.map(fromRow);

/** The environment variables that are read at start. */
export const ENVIRONMENT = [
  ["MEMCACHED_PORT_FILENAME", "file to write the ports in use to; useful with -p -1"],
  ["MEMCACHED_HASH_BULK_MOVE", "buckets moved at a time while the hash table grows; default 1"],
  [
    "MEMCACHED_SASL_PWDB",
    "file of logins for -S: a line user:password for each; read again on SIGHUP",
  ],
  ["MEMDEN_OPTS", "options, split as a shell would; the command line overrides them"],
  ["MEMDEN_NAME", "name of the process, such as memcached; default: the name it was started by"],
  ["MEMDEN_READY_FD", "set by -d for the process that it starts"],
  ["MEMDEN_STARTED_ANEW", "set by memden for itself: its pid, once it has executed itself again"],
  ["LISTEN_FDS", "listening sockets that systemd has opened, from descriptor 3 on"],
  ["LISTEN_PID", "the process that LISTEN_FDS is meant for"],
] as const;
/** Name of an environment variable that is read. */
export type EnvironmentName = typeof ENVIRONMENT[number][0];

/** The variables that memden reads, by name. `Deno.env.toObject()` is one. */
export type Environment = Readonly<Partial<Record<EnvironmentName, string>>>;

/** Bounds of `-I`, in bytes. Source: memcached memcached.h, ITEM_SIZE_MAX_LOWER_LIMIT, _UPPER_. */
export const ITEM_SIZE_MIN = KIB;
export const ITEM_SIZE_MAX = GIB;

/** Whether giving the option starts a server: it is in state "ready" or "echo". */
export function isAvailable(option: Option): boolean {
  return option.state === "ready" || option.state === "echo";
}

/** Whether the option cannot be given without a value. */
export function needsValue(option: Option): boolean {
  return option.value !== "" && option.kind !== "level";
}

/** The option as messages name it: `-s (unix-socket)`, `--transport`, `-o idle_timeout`. */
export function labelOf(option: Option): string {
  if (option.letter === "") return `${FLAGS.includes(option) ? "--" : "-o "}${option.name}`;
  return hasLongName(option) ? `-${option.letter} (${option.name})` : `-${option.letter}`;
}

/** Whether the flag has a long form; `-D` has none. */
export function hasLongName(option: Option): boolean {
  return option.name !== option.letter;
}

function fromRow(row: Row & { readonly 1: OptionName }): Option {
  const [letter, name, kind, fallback, allowed, value, state, help] = row;
  return { letter, name: name as OptionName, kind, fallback, allowed, value, state, help };
}
