// Settings: everything the command line and the environment decide, frozen and checked.
//
// Plain data, so that it can be posted to workers. Field names follow memcached's `struct settings`
// and units its `stats settings`: bytes, seconds, counts.
// A check that needs more than one option belongs in checkSettings(); all others are made by row.

import { type Environment, ITEM_SIZE_MAX, ITEM_SIZE_MIN } from "./options.ts";
import { isLoopback } from "./admin_address.ts";
import { type AdminSettings, adminSettings, adminWarnings } from "./admin_settings.ts";
import { type BindingProtocol, type ListenAddress, parseListen } from "./listen_address.ts";
import { type ExtSettings, extSettings } from "./ext_settings.ts";
import { checkTls, type TlsSettings, tlsSettings } from "./tls_settings.ts";
import type { RawValues } from "./parse.ts";
import { type ProcessSettings, processSettings } from "./process_settings.ts";
import { checkLogins, type LoginSettings } from "./login_settings.ts";
import { readWhole } from "./numbers.ts";
import { ExitCode, SettingsError } from "./settings_error.ts";
import { Values } from "./values.ts";

/** Bytes of a slab page. Source: memcached settings.slab_page_size; no option changes it. */
export const SLAB_PAGE_SIZE = 2 ** 20;

/** What `temporary_ttl` shows while it is off. Source: memcached settings_init(). */
const TEMPORARY_TTL_SHOWN = 61;

/** Threads above which memcached warns. Source: memcached main(), case 't'. */
export const THREADS_SENSIBLE_MAX = 64;

/**
 * Memory that a worker thread takes, in bytes. Measured at rest, `RssAnon` of /proc/PID/status,
 * Deno 2.9.6 on x86-64: 53.6, 69.5, 101, 1,038 and 4,708 MiB with 1, 2, 4, 64 and 300 workers.
 */
export const WORKER_BYTES = 16 * 2 ** 20;

/** Lowest `ssl_min_version` that the runtime can speak: TLS 1.2. */
const SSL_VERSION_MIN = 2;

const KIB = 1024;
const MIB = 1024 * KIB;

/** Everything that is decided before the server starts. */
export interface Settings
  extends AdminSettings, TlsSettings, ExtSettings, LoginSettings, ProcessSettings {
  /** How connections reach the workers; `auto` takes `native` where it works. */
  readonly transport: Transport;
  /** TCP port of addresses that name none; 0 for no TCP, -1 for any free port. */
  readonly port: number;
  /** UDP port of addresses that name none; 0 for no UDP, -1 for any free port. */
  readonly udpPort: number;
  /** Where to listen for TCP; empty when {@linkcode port} is 0, or there is only a Unix socket. */
  readonly listen: readonly ListenAddress[];
  /** Where to listen for UDP; empty when {@linkcode udpPort} is 0. */
  readonly udpListen: readonly ListenAddress[];
  /** The values of `-l`, joined by commas, without spaces. */
  readonly inter: string | null;
  /** Unix socket; null for none. */
  readonly socketPath: string | null;
  /** Access mode of the Unix socket. */
  readonly socketMask: number;
  /** Where to write the ports in use, one line per socket; null for nowhere. */
  readonly portFilename: string | null;
  readonly backlog: number;
  readonly maxconns: number;
  /** Over the limit: answer and close, rather than stop accepting. */
  readonly maxconnsFast: boolean;
  /** Seconds; 0 for never. */
  readonly idleTimeout: number;
  /** Bytes; 0 for no limit. */
  readonly readBufMemLimit: number;
  /** Listening sockets opened by systemd: how many, from descriptor 3 on, and for whom. */
  readonly inherited: { readonly count: number; readonly pid: number };
  readonly sockCookieId: number;
  readonly napiIds: number;

  /** Worker threads. */
  readonly threads: number;
  readonly reqsPerEvent: number;
  /** 0 silent, 1 errors and warnings, 2 commands and replies, 3 state changes. */
  readonly verbosity: number;
  /** Bytes. */
  readonly watcherLogbufSize: number;
  /** Bytes. */
  readonly workerLogbufSize: number;

  readonly bindingProtocol: BindingProtocol;
  readonly shutdownCommand: boolean;
  readonly flushEnabled: boolean;
  readonly dumpEnabled: boolean;
  readonly watchEnabled: boolean;
  readonly prefixDelimiter: string;
  /** Statistics per key prefix. */
  readonly detailEnabled: boolean;

  /** Memory for items, in bytes. */
  readonly maxbytes: number;
  readonly evictions: boolean;
  readonly cas: boolean;
  readonly factor: number;
  /** Room for key, value and flags in the smallest class, in bytes. */
  readonly chunkSize: number;
  /** Bytes. */
  readonly itemSizeMax: number;
  /** Bytes. */
  readonly slabPageSize: number;
  /** Largest chunk, in bytes. */
  readonly slabChunkMax: number;
  readonly slabReassign: boolean;
  /** 0 never, 1 by age, 2 on every eviction. */
  readonly slabAutomove: number;
  readonly slabAutomoveRatio: number;
  /** Seconds. */
  readonly slabAutomoveWindow: number;
  readonly memoryFile: string | null;
  readonly trackSizes: boolean;
  /** Chunk sizes in bytes, from the smallest on; empty for the growth factor. */
  readonly slabSizes: readonly number[];
  /** The kernel must not page memory out. */
  readonly lockMemory: boolean;
  /** memden asks the kernel for large memory pages. */
  readonly largePages: boolean;

  /** The hash table starts with 2^this buckets; 0 lets the store choose. */
  readonly hashpowerInit: number;
  readonly hashAlgorithm: string;
  /** Buckets moved at a time while the hash table grows. */
  readonly hashBulkMove: number;
  readonly lruCrawler: boolean;
  /** Microseconds. */
  readonly lruCrawlerSleep: number;
  /** Items per class; 0 for all. */
  readonly lruCrawlerTocrawl: number;
  /** Whether a thread looks after the lists. */
  readonly lruMaintainer: boolean;
  /** Whether items are kept in HOT, WARM and COLD lists. */
  readonly lruSegmented: boolean;
  /** Whether the hash table may grow. */
  readonly hashExpand: boolean;
  /** Percent. */
  readonly hotLruPct: number;
  /** Percent. */
  readonly warmLruPct: number;
  readonly hotMaxFactor: number;
  readonly warmMaxFactor: number;
  readonly tempLru: boolean;
  /** Seconds. */
  readonly temporaryTtl: number;
  /** Seconds; 0 for never. */
  readonly tailRepairTime: number;
}

/** How connections reach the workers. */
export type Transport = "auto" | "native" | "relay";

/** What the server does when it is started without options. */
export function defaultSettings(): Settings {
  return settingsFrom({ flags: new Map(), suboptions: [] }, {});
}

/**
 * Completes and checks what the command line says.
 *
 * @param env Read here only, once.
 * @throws {SettingsError} For an option that cannot be used, or options that do not go together.
 */
export function settingsFrom(raw: RawValues, env: Environment): Settings {
  const values = new Values(raw);
  const settings: Settings = Object.freeze({
    ...networkSettings(values, env),
    ...adminSettings(values),
    ...tlsSettings(values),
    ...extSettings(values),
    ...threadSettings(values),
    ...processSettings(values, env),
    ...commandSettings(values, env),
    ...memorySettings(values),
    ...lookupSettings(values, env),
  });
  checkSettings(settings, values);
  return settings;
}

/** Warnings about settings that work but are seldom intended. */
export function warningsFor(settings: Settings): readonly string[] {
  const warnings: string[] = [];
  if (settings.threads > THREADS_SENSIBLE_MAX) {
    const mib = Math.ceil(settings.threads * WORKER_BYTES / MIB);
    warnings.push(
      `Warning: ${settings.threads} worker threads take ${mib} MiB of memory, and minutes to ` +
        "start; more than cores rarely helps",
    );
  }
  if (!settings.udpListen.every(({ host }) => host !== null && isLoopback(host))) {
    warnings.push(
      "Warning: UDP is open beyond this machine: anyone can make the server send large replies " +
        "to a forged address; use -l 127.0.0.1, or a firewall",
    );
  }
  warnings.push(...adminWarnings(settings));
  if (settings.tls && settings.sslMinVersion < SSL_VERSION_MIN) {
    warnings.push("Warning: ssl_min_version: TLS below 1.2 is not spoken");
  }
  return warnings;
}

/** Refuses options that do not go together. The sentences about sizes are memcached's. */
function checkSettings(settings: Settings, values: Values): void {
  const { itemSizeMax } = settings;
  if (itemSizeMax < ITEM_SIZE_MIN) refuse("Item max size cannot be less than 1024 bytes.");
  if (itemSizeMax > settings.maxbytes / 2) {
    refuse("Cannot set item size limit higher than 1/2 of memory max.");
  }
  if (itemSizeMax > ITEM_SIZE_MAX) refuse("Cannot set item size limit higher than a gigabyte.");

  if (values.isGiven("slab_chunk_max")) {
    const chunk = values.number("slab_chunk_max") * KIB;
    if (chunk > itemSizeMax) refuse("Cannot use slab_chunk_max: larger than -I");
    if (itemSizeMax % chunk !== 0) refuse("Cannot use slab_chunk_max: does not divide -I");
    if (SLAB_PAGE_SIZE % chunk !== 0) refuse("Cannot use slab_chunk_max: does not divide 1024");
  }
  checkSlabSizes(settings);
  if (settings.hotLruPct + settings.warmLruPct > 80) {
    refuse("hot_lru_pct + warm_lru_pct cannot be more than 80% combined");
  }
  if (settings.tempLru && !settings.lruMaintainer) {
    refuse("temporary_ttl requires lru_maintainer to be enabled");
  }
  if (settings.napiIds > settings.threads) refuse("Cannot use -N: more than -t");
  checkLogins(settings, values.isGiven("protocol") ? values.text("protocol") : null);
  if (settings.udpPort !== 0 && settings.transport === "relay") {
    const message = "Cannot use -U with --transport=relay: UDP needs the C library";
    throw new SettingsError(message, ExitCode.OS_ERROR);
  }
  if (settings.memoryFile !== null && settings.transport === "relay") {
    const message = "Cannot use -e with --transport=relay: a mapped file needs the C library";
    throw new SettingsError(message, ExitCode.OS_ERROR);
  }
  checkTls(settings);
}

/** Most sizes that `slab_sizes` can name: one class is for the largest chunk. */
const SLAB_SIZES_MAX = 61;
/** Bytes that each size must have more than the one before: memcached's CHUNK_ALIGN_BYTES. */
const SLAB_SIZE_STEP = 8;

/** Reads `a-b-c`. */
function parseSlabSizes(text: string | null): number[] {
  if (text === null) return [];
  if (!/^\d+(?:-\d+)*$/.test(text)) {
    refuse(`Cannot use -o slab_sizes=${text}: must be whole numbers, with a - between two`);
  }
  return text.split("-").map(Number);
}

/** Source: memcached memcached.c, _parse_slab_sizes. */
function checkSlabSizes({ slabSizes, chunkSize, slabChunkMax }: Settings): void {
  if (slabSizes.length > SLAB_SIZES_MAX) refuse("too many slab classes specified");
  slabSizes.forEach((size, index) => {
    if (size < chunkSize || size > slabChunkMax) refuse(`slab size ${size} is out of valid range`);
    const before = slabSizes[index - 1];
    if (before !== undefined && size <= before + SLAB_SIZE_STEP) {
      refuse(`slab size ${size} must be at least 8 bytes larger than previous class`);
    }
  });
}

function refuse(message: string): never {
  throw new SettingsError(message, ExitCode.USAGE);
}

function networkSettings(values: Values, env: Environment) {
  const udpPort = values.number("udp-port");
  const port = udpPort !== 0 && !values.isGiven("port") ? udpPort : values.number("port");
  const given = values.list("listen");
  const socketPath = values.name("unix-socket");
  // memcached has a Unix socket instead of TCP; here both can be had by asking for TCP, too.
  const onlySocket = socketPath !== null && given.length === 0 && !values.isGiven("port");
  const options = {
    tls: values.isOn("enable-ssl") ? "server" as const : "none" as const,
    protocol: protocolOf(values),
    tag: "",
  };
  const listen = port === 0 || onlySocket ? [] : parseListen(given, Math.max(port, 0), options);
  return {
    transport: values.text("transport") as Transport, // One of its row's words.
    port,
    udpPort,
    listen: Object.freeze(listen),
    udpListen: Object.freeze(
      udpPort === 0 ? [] : parseListen(given, Math.max(udpPort, 0), options),
    ),
    inter: given.length > 0 ? given.join(",").replaceAll(/\s/g, "") : null,
    socketPath,
    socketMask: values.number("unix-mask"),
    portFilename: env.MEMCACHED_PORT_FILENAME || null,
    backlog: values.number("listen-backlog"),
    maxconns: values.number("conn-limit"),
    maxconnsFast: values.isOn("maxconns_fast"),
    idleTimeout: values.number("idle_timeout"),
    readBufMemLimit: MIB *
      Math.max(values.number("read_buf_mem_limit"), values.number("resp_obj_mem_limit")),
    inherited: { count: variable(env.LISTEN_FDS), pid: variable(env.LISTEN_PID) },
    sockCookieId: values.number("sock_cookie_id"),
    napiIds: values.number("napi_ids"),
  };
}

/** The number in a variable of the environment; 0 for one that is not set, or has none. */
function variable(text: string | undefined): number {
  return readWhole(text ?? "") || 0;
}

/** A login over one protocol leaves no other. Source: memcached main(), sasl and auth_file. */
function protocolOf(values: Values): BindingProtocol {
  if (values.isOn("enable-sasl")) return "binary";
  if (values.isGiven("auth-file")) return "ascii";
  return values.text("protocol") as BindingProtocol; // One of its row's words.
}

function threadSettings(values: Values) {
  return {
    threads: values.number("threads"),
    reqsPerEvent: values.number("max-reqs-per-event"),
    verbosity: values.number("verbose"),
    watcherLogbufSize: values.number("watcher_logbuf_size") * KIB,
    workerLogbufSize: values.number("worker_logbuf_size") * KIB,
  };
}

function commandSettings(values: Values, env: Environment) {
  return {
    bindingProtocol: protocolOf(values),
    shutdownCommand: values.isOn("enable-shutdown"),
    flushEnabled: !values.isOn("disable-flush-all"),
    dumpEnabled: !values.isOn("disable-dumping"),
    watchEnabled: !values.isOn("disable-watch"),
    sasl: values.isOn("enable-sasl"),
    saslFile: env.MEMCACHED_SASL_PWDB || null,
    // An empty name is one that cannot be read: it must not leave the server open.
    authFile: values.isGiven("auth-file") ? values.text("auth-file") ?? "" : null,
    prefixDelimiter: values.text("D") ?? ":",
    detailEnabled: values.isGiven("D"),
  };
}

function memorySettings(values: Values) {
  const itemSizeMax = values.number("max-item-size");
  const slabChunkMax = values.number("slab_chunk_max") * KIB;
  return {
    maxbytes: values.number("memory-limit") * MIB,
    evictions: !values.isOn("disable-evictions"),
    cas: !values.isOn("disable-cas"),
    factor: values.number("slab-growth-factor"),
    chunkSize: values.number("slab-min-size"),
    itemSizeMax,
    slabPageSize: SLAB_PAGE_SIZE,
    slabChunkMax,
    slabSizes: Object.freeze(parseSlabSizes(values.text("slab_sizes"))),
    slabReassign: values.isOn("slab_reassign"),
    slabAutomove: values.number("slab_automove"),
    slabAutomoveRatio: values.number("slab_automove_ratio"),
    slabAutomoveWindow: values.number("slab_automove_window"),
    memoryFile: values.name("memory-file"),
    trackSizes: values.isOn("track_sizes"),
    lockMemory: values.isOn("lock-memory"),
    largePages: values.isOn("enable-largepages"),
  };
}

function lookupSettings(values: Values, env: Environment) {
  const isTemp = values.isGiven("temporary_ttl");
  return {
    hashpowerInit: values.number("hashpower"),
    hashAlgorithm: values.text("hash_algorithm") ?? "murmur3",
    hashBulkMove: Math.max(1, variable(env.MEMCACHED_HASH_BULK_MOVE)),
    lruCrawler: values.isOn("lru_crawler"),
    lruCrawlerSleep: values.number("lru_crawler_sleep"),
    lruCrawlerTocrawl: values.number("lru_crawler_tocrawl"),
    lruMaintainer: values.isOn("lru_maintainer"),
    lruSegmented: values.isOn("lru_maintainer"),
    hashExpand: !values.isOn("no_hashexpand"),
    hotLruPct: values.number("hot_lru_pct"),
    warmLruPct: values.number("warm_lru_pct"),
    hotMaxFactor: values.number("hot_max_factor"),
    warmMaxFactor: values.number("warm_max_factor"),
    tempLru: isTemp,
    temporaryTtl: isTemp ? values.number("temporary_ttl") : TEMPORARY_TTL_SHOWN,
    tailRepairTime: values.number("tail_repair_time"),
  };
}
