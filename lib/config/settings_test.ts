// Goal: what a command line makes of the settings, and which ones it refuses, with which exit code.
// Method: tables of argv. Rows marked 1.6.18 were run against memcached 1.6.18: the same fields of
// its `stats settings`, or the same exit code.

import { assert, assertEquals, assertNotEquals, assertThrows, equal } from "@std/assert";
import { FLAGS, isAvailable, labelOf, needsValue, SUBOPTIONS } from "./options.ts";
import type { Option } from "./options.ts";
import { parseCommandLine } from "./parse.ts";
import type { Environment } from "./options.ts";
import { defaultSettings, settingsFrom } from "./settings.ts";
import { type Settings, warningsFor } from "./settings.ts";
import { SettingsError } from "./settings_error.ts";

function settingsOf(argv: readonly string[], env: Environment = {}): Settings {
  const line = parseCommandLine(argv);
  if (line.action !== "serve") throw new TypeError(`Expected no action, got ${line.action}`);
  return settingsFrom(line.raw, env);
}

const MIB = 2 ** 20;

const ACCEPTED: readonly (readonly [argv: readonly string[], expected: Partial<Settings>])[] = [
  // 1.6.18
  [["-m", "2"], { maxbytes: 2 * MIB, itemSizeMax: MIB }],
  [["-m 128"], { maxbytes: 128 * MIB }],
  [["-m", "64", "-m", "128"], { maxbytes: 128 * MIB }],
  [["-I", "512k"], { itemSizeMax: MIB / 2 }],
  [["-I", "1M"], { itemSizeMax: MIB }],
  [["-t", "65"], { threads: 65 }],
  [["-f", "1.07"], { factor: 1.07 }],
  [["-f", "  1.5"], { factor: 1.5 }],
  [["-f", "1e1"], { factor: 10 }],
  [["-n", "72"], { chunkSize: 72 }],
  [["-R", "5"], { reqsPerEvent: 5 }],
  [["-b", "10"], { backlog: 10 }],
  [["-b", "0"], { backlog: 0 }],
  [["-B", "ascii"], { bindingProtocol: "ascii" }],
  [["-B", "auto"], { bindingProtocol: "auto" }],
  [["-N", "4"], { napiIds: 4 }],
  [["-vv", "-v"], { verbosity: 3 }],
  [["-a", "0700"], { socketMask: 0o700 }],
  [["-D", "/"], { prefixDelimiter: "/", detailEnabled: true }],
  [["-CMFXWA"], { cas: false, evictions: false, flushEnabled: false, dumpEnabled: false }],
  [["-CMFXWA"], { watchEnabled: false, shutdownCommand: true }],
  [["-o", "hash_algorithm=jenkins"], { hashAlgorithm: "jenkins" }],
  [["-o", "no_modern,hash_algorithm=xxh3"], { hashAlgorithm: "xxh3", lruMaintainer: false }],
  [["-o", "no_modern"], { slabReassign: false, slabAutomove: 0, lruCrawler: false }],
  [["-o", "no_modern,lru_crawler"], { slabReassign: false, lruCrawler: true }],
  [["-o", "slab_automove"], { slabAutomove: 1 }],
  [["-o", "slab_automove=2"], { slabAutomove: 2 }],
  [["-o", "slab_automove=2,no_slab_automove"], { slabAutomove: 0 }],
  [["-o", "no_slab_reassign"], { slabReassign: false, slabAutomove: 1 }],
  [["-o", "slab_automove_ratio=0.5"], { slabAutomoveRatio: 0.5 }],
  [["-o", "slab_automove_window=3"], { slabAutomoveWindow: 3 }],
  [["-o", "tail_repair_time=10"], { tailRepairTime: 10 }],
  [["-o", "lru_crawler_sleep=1000000"], { lruCrawlerSleep: 1_000_000 }],
  [["-o", "lru_crawler_tocrawl=5"], { lruCrawlerTocrawl: 5 }],
  [["-o", "hot_lru_pct=40,warm_lru_pct=40"], { hotLruPct: 40, warmLruPct: 40 }],
  [["-o", "hot_max_factor=0.5"], { hotMaxFactor: 0.5 }],
  [["-o", "watcher_logbuf_size=64"], { watcherLogbufSize: 65536 }],
  [["-o", "idle_timeout=0"], { idleTimeout: 0 }],
  [["-o", "read_buf_mem_limit=0"], { readBufMemLimit: 0 }],
  [["-o", "no_chunked_items"], { slabChunkMax: MIB }],
  [["-o", "modern"], {}],
  [["-o", "no_drop_privileges,inline_ascii_resp"], {}],
  // Ours: another default, a later rule, or a value that 1.6.18 ignores or misreads.
  [["-m", "128m"], { maxbytes: 128 * MIB }],
  [["-m", "1g"], { maxbytes: 1024 * MIB }],
  [["-m", "1G"], { maxbytes: 1024 * MIB }],
  [["-m", "65536k"], { maxbytes: 64 * MIB }],
  [["-m", " 128 "], { maxbytes: 128 * MIB }],
  [["-m 128m"], { maxbytes: 128 * MIB }],
  [["-I", "1g", "-m", "2g"], { itemSizeMax: 1024 * MIB, maxbytes: 2048 * MIB }],
  [["-n", "1k"], { chunkSize: 1024 }],
  [["-o", "slab_chunk_max=256k"], { slabChunkMax: MIB / 4 }],
  [["-o", "watcher_logbuf_size=1m"], { watcherLogbufSize: MIB }],
  [["-o", "read_buf_mem_limit=1g"], { readBufMemLimit: 1024 * MIB }],
  [["-p", "+11311"], { port: 11311 }],
  [["-p", "011311"], { port: 11311 }],
  [["-f", ".5e1"], { factor: 5 }],
  [["-o", "relaxed_privileges"], {}],
  [["-o", "hashpower=12"], { hashpowerInit: 12 }],
  [["--verbose=2"], { verbosity: 2 }],
  [["-vvv", "--verbose=1", "-v"], { verbosity: 2 }],
  [["-N", "0"], { napiIds: 0 }],
  [["-I", "256k"], { itemSizeMax: MIB / 4, slabChunkMax: MIB / 2 }],
  [["-o", "slab_chunk_max=256"], { slabChunkMax: MIB / 4 }],
  [["-I", "5m"], { itemSizeMax: 5 * MIB, slabChunkMax: MIB / 2 }],
  [["-I", "1024m", "-m", "2048"], { itemSizeMax: 1024 * MIB }],
  [["-o", "slab_sizes=100-200-300"], { slabSizes: [100, 200, 300] }],
  [["-o", "temporary_ttl=61,track_sizes"], { tempLru: true, temporaryTtl: 61, trackSizes: true }],
  [["-o", "no_hashexpand"], { hashExpand: false }],
  [["-kL"], { lockMemory: true, largePages: true }],
  [["-I", "1k", "-o", "slab_chunk_max=1"], { itemSizeMax: 1024, slabChunkMax: 1024 }],
  [["-o", "no_modern"], { maxconnsFast: false }],
  [["-o", "lru_crawler_tocrawl=4000000000"], { lruCrawlerTocrawl: 4_000_000_000 }],
  [["-u", "11211", "-P", "/run/m.pid"], { user: "11211", pidfile: "/run/m.pid" }],
];

for (const [argv, expected] of ACCEPTED) {
  Deno.test(`settingsFrom() accepts ${argv.join(" ")} as ${JSON.stringify(expected)}`, () => {
    const settings = settingsOf(argv);
    assertEquals({ ...settings, ...expected }, { ...settings });
  });
}

const HALF = "Cannot set item size limit higher than 1/2 of memory max.";
const SMALL = "Item max size cannot be less than 1024 bytes.";

const REFUSED: readonly (readonly [argv: string, exitCode: number, message: string])[] = [
  // 1.6.18; the message too when it is a whole sentence
  ["-m 1", 64, HALF],
  ["-I 1000", 64, SMALL],
  ["-o hot_lru_pct=41", 64, "hot_lru_pct + warm_lru_pct cannot be more than 80% combined"],
  ["-o slab_chunk_max=3", 64, "slab_chunk_max: does not divide -I"],
  ["-o slab_sizes=100-105", 64, "slab size 105 must be at least 8 bytes larger"],
  ["-o slab_sizes=47-105", 64, "slab size 47 is out of valid range"],
  ["-o slab_sizes=100-600000", 64, "slab size 600000 is out of valid range"],
  ["-t 0", 1, "Cannot use -t 0: must be at least 1"],
  ["-t abc", 1, "-t abc"],
  ["-c 0", 1, "-c 0"],
  ["-c -4", 1, "-c -4"],
  ["-f 1", 1, "Cannot use -f 1: must be above 1"],
  ["-f abc", 1, "-f abc"],
  ["-n 0", 1, "-n 0"],
  ["-R 0", 1, "-R 0"],
  ["-B foo", 64, "Cannot use -B foo: must be one of auto, ascii, binary"],
  ["-B Ascii", 64, "-B Ascii"],
  ["-N -1", 1, "-N -1"],
  ["-N 5", 64, "-N"],
  ["-p 70000", 64, "-p 70000"],
  ["-o hashpower=11", 1, "Cannot use -o hashpower=11: must be at least 12 and at most 30"],
  ["-o hashpower=31", 1, "hashpower"],
  ["-o slab_automove=3", 1, "slab_automove"],
  ["-o slab_automove_ratio=0", 1, "above 0"],
  ["-o slab_automove_ratio=1.1", 1, "at most 1"],
  ["-o slab_automove_window=2", 1, "at least 3"],
  ["-o tail_repair_time=9", 1, "at least 10"],
  ["-o tail_repair_time=0", 1, "at least 10"],
  ["-o lru_crawler_sleep=1000001", 1, "lru_crawler_sleep"],
  ["-o lru_crawler_tocrawl=-1", 1, "lru_crawler_tocrawl"],
  ["-o hot_lru_pct=80", 1, "hot_lru_pct"],
  ["-o hot_max_factor=0", 1, "above 0"],
  ["-o watcher_logbuf_size=abc", 1, "watcher_logbuf_size"],
  // Ours
  ["-o hash_algorithm=md5", 64, "must be one of murmur3, jenkins, xxh3"],
  ["-R -1", 1, "-R -1"], // 1.6.18 takes it for four billion.
  ["-o slab_chunk_max=768 -I 768k", 64, "slab_chunk_max: does not divide 1024"],
  ["-o slab_chunk_max=1024 -I 512k", 64, "slab_chunk_max: larger than -I"],
  ["-m 32001", 64, "at most 32000"],
  ["-f Infinity", 1, "-f Infinity"],
  ["-t 4294967297", 1, "-t 4294967297"],
  ["-o slab_chunk_max=0", 1, "slab_chunk_max"], // 1.6.18 divides by it.
];

for (const [argv, exitCode, message] of REFUSED) {
  Deno.test(`settingsFrom() refuses ${argv} with ${exitCode}`, () => {
    const error = assertThrows(() => settingsOf(argv.split(" ")), SettingsError, message);
    assertEquals(error.exitCode, exitCode);
  });
}

const NOT_HERE: readonly (readonly [argv: string, message: string])[] = [
  ["-l proto[proxy]:host", "memden: -l (listen) proto[proxy]: is not available in this version"],
  ["-o ssl_ciphers=HIGH", "memden: -o ssl_ciphers is not supported"],
  ["-o ssl_kernel_tls", "memden: -o ssl_kernel_tls is not supported"],
  ["-o ext_path=/f:1G", "memden: -o ext_path is not supported"],
  ["-o proxy_config=/f", "memden: -o proxy_config is not supported"],
];

for (const [argv, message] of NOT_HERE) {
  Deno.test(`settingsFrom() says that ${argv} is not here`, () => {
    const error = assertThrows(() => settingsOf(argv.split(" ")), SettingsError);
    assertEquals([error.message, error.exitCode], [message, 1]);
  });
}

/** How one types `option` with a value that its row allows and that is not its default. */
function typedWithOther(option: Option): string {
  const { kind, allowed, fallback } = option;
  const [min, max] = allowed;
  let other = "127.0.0.1";
  if (kind === "word") other = String(max);
  else if (kind === "decimal") other = String((Number(min) + Number(fallback)) / 2);
  else if (kind === "size") other = "2048";
  else if (typeof min === "number") other = String(Math.max(min, Number(fallback)) + 1);
  if (option.name === "admin") other = "127.0.0.1:9150";
  if (kind === "char") other = "/";
  if (option.name === "slab_sizes") other = "96-128";
  if (option.letter === "" && FLAGS.includes(option)) {
    return `--${option.name}${needsValue(option) ? `=${other}` : ""}`;
  }
  if (option.letter !== "") return `-${option.letter}${needsValue(option) ? other : ""}`;
  return option.value !== "" ? `${option.name}=${other}` : option.name;
}

/** What `-Z` needs beside it. */
const CERTIFICATE = ["-o", "ssl_chain_cert=/c.pem,ssl_key=/k.pem"];

/** Available options that change no setting, each with its reason. */
const CHANGES_NOTHING: ReadonlySet<string> = new Set([
  "modern", // No default differs.
  "inline_ascii_resp", // Without effect in memcached as well.
  "no_inline_ascii_resp",
  "drop_privileges", // There is no system call filter.
  "no_drop_privileges",
  "relaxed_privileges",
]);

for (const option of FLAGS) {
  if (option.kind === "action" || option.name === "extended") continue;
  Deno.test(`settingsFrom() never ignores ${labelOf(option)}`, () => {
    const argv = [typedWithOther(option)];
    if (option.name === "enable-ssl") argv.push(...CERTIFICATE);
    const env = option.name === "enable-sasl" ? { MEMCACHED_SASL_PWDB: "/f" } : {};
    if (isAvailable(option)) assertNotEquals(settingsOf(argv, env), defaultSettings());
    else assertThrows(() => settingsOf(argv), SettingsError);
  });
}

for (const option of SUBOPTIONS) {
  Deno.test(`settingsFrom() never ignores -o ${option.name}`, () => {
    const typed = option.name === "slab_chunk_max" ? "slab_chunk_max=256" : typedWithOther(option);
    if (!isAvailable(option)) {
      assertThrows(() => settingsOf(["-o", typed]), SettingsError);
      return;
    }
    // What is on by default shows once it was off.
    const isOn = option.kind === "on" && option.fallback === "1";
    const before = isOn ? `no_${option.name},` : "";
    const isSame = equal(settingsOf(["-o", before + typed]), settingsOf(["-o", before]));
    assertEquals(isSame, CHANGES_NOTHING.has(option.name));
  });
}

const LISTEN: readonly (readonly [argv: string, listen: string])[] = [
  ["", "null 11211"],
  ["-p 0", ""],
  ["-p -1", "null 0"],
  ["-p 0 -l 127.0.0.1", ""],
  ["-l 127.0.0.1", "127.0.0.1 11211"],
  ["-p 1 -l a,b;c -l d", "a 1, b 1, c 1, d 1"],
  ["-l * -p 1", "null 1"],
  ["-l *:2", "null 2"],
  ["-l localhost:2 -p 1", "localhost 2"],
  ["-l ::1", "::1 11211"],
  ["-l [::1]", "::1 11211"],
  ["-l [::1]:2,fe80::1%eth0", "::1 2, fe80::1%eth0 11211"],
  ["-l a:0", "a 0"],
  ["-l a -l a -l a:11211", "a 11211"],
];

for (const [argv, listen] of LISTEN) {
  Deno.test(`settingsFrom() listens for "${argv}" on "${listen}"`, () => {
    const found = settingsOf(argv.split(" ")).listen.map(({ host, port }) => `${host} ${port}`);
    assertEquals(found.join(", "), listen);
  });
}

Deno.test("settingsFrom() allows spaces between addresses", () => {
  const settings = settingsOf(["-l", "a, b"]);
  assertEquals(settings.listen.map(({ host }) => host), ["a", "b"]);
  assertEquals(settings.inter, "a,b");
});

// 1.6.18 exits with 71 as well, but takes port 99999.
for (
  const value of ["127.0.0.1:abc", "127.0.0.1:", "[::1", "[::1]:x", ":1", "", "a:99999", "[::1]x"]
) {
  Deno.test(`settingsFrom() refuses to listen on "${value}"`, () => {
    const error = assertThrows(() => settingsOf(["-l", value]), SettingsError);
    assertEquals(error.exitCode, 71);
  });
}

const PREFIXED: readonly (readonly [value: string, manner: string])[] = [
  ["a", "a 11211 server auto "],
  ["notls:a:1", "a 1 none auto "],
  ["btls:a", "a 11211 basic auto "],
  ["mtls:[::1]:2", "::1 2 mutual auto "],
  ["proto[ascii]:a", "a 11211 server ascii "],
  ["proto[negotiating]:*", "null 11211 server auto "],
  ["tag[abc]:a", "a 11211 server auto abc"],
  ["tag_abc_:a:3", "a 3 server auto abc"],
  ["notls:proto[ascii]:tag[x]:a", "a 11211 none ascii x"],
  ["tag[x]:notls:a", "a 11211 none auto x"],
];

for (const [value, expected] of PREFIXED) {
  Deno.test(`settingsFrom() reads the prefixes of ${value}`, () => {
    const { listen } = settingsOf(["-Z", ...CERTIFICATE, "-l", value]);
    const found = listen.map((it) => `${it.host} ${it.port} ${it.tls} ${it.protocol} ${it.tag}`);
    assertEquals(found, [expected]);
  });
}

for (const value of ["btls:a", "mtls:a", "proto[x]:a", "tag[]:a", "tag[123456789]:a"]) {
  Deno.test(`settingsFrom() refuses the prefix of ${value}`, () => {
    const error = assertThrows(() => settingsOf(["-l", value]), SettingsError);
    assertEquals(error.exitCode, 71);
  });
}

const SOCKETS: readonly (readonly [argv: string, listen: string])[] = [
  ["-s /s", "/s"],
  ["-s /s -p 1", "/s null:1"],
  ["-s /s -l a", "/s a:11211"],
  ["-s /s -p 0 -l a", "/s"],
];

for (const [argv, expected] of SOCKETS) {
  Deno.test(`settingsFrom() listens for "${argv}" on "${expected}"`, () => {
    const { socketPath, listen } = settingsOf(argv.split(" "));
    const addresses = listen.map(({ host, port }) => `${host}:${port}`);
    assertEquals([socketPath, ...addresses].join(" "), expected);
  });
}

for (
  const argv of ["-Z", "-Z -o ssl_key=/k", "-Z -p 0 -o ssl_chain_cert=/c,ssl_key=/k", "-Y /f -U 1"]
) {
  Deno.test(`settingsFrom() refuses ${argv}`, () => {
    const error = assertThrows(() => settingsOf(argv.split(" ")), SettingsError);
    assertEquals(error.exitCode, 64);
  });
}

Deno.test("settingsFrom() reads the environment", () => {
  const settings = settingsOf([], {
    MEMCACHED_PORT_FILENAME: "/tmp/ports",
    MEMCACHED_HASH_BULK_MOVE: "10",
  });
  assertEquals([settings.portFilename, settings.hashBulkMove], ["/tmp/ports", 10]);
  const garbage = settingsOf([], { MEMCACHED_HASH_BULK_MOVE: "x" });
  assertEquals([garbage.portFilename, garbage.hashBulkMove], [null, 1]);
});

Deno.test("settingsFrom() gives plain frozen data", () => {
  const settings = settingsOf(["-l", "a,b"]);
  assertEquals(structuredClone(settings), settings);
  assert(Object.isFrozen(settings) && Object.isFrozen(settings.listen));
});

Deno.test("settingsFrom() gives UDP the addresses of -l, whatever becomes of TCP", () => {
  const udp = (argv: string) =>
    settingsOf(argv.split(" ")).udpListen.map(({ host, port }) => `${host} ${port}`);
  assertEquals(udp("-p 1"), []);
  assertEquals(udp("-U -1"), ["null 0"]);
  assertEquals(udp("-p 0 -U 2 -l 127.0.0.1,[::1]:3"), ["127.0.0.1 2", "::1 3"]);
  assertEquals(udp("-s /s -U 2"), ["null 2"]);
  assertThrows(() => settingsOf(["-U", "2", "--transport=relay"]), SettingsError, "relay");
});

Deno.test("settingsFrom() refuses a memory file over the relay transport", () => {
  assertThrows(() => settingsOf(["-e", "f", "--transport=relay"]), SettingsError, "C library");
});

Deno.test("warningsFor() warns of UDP beyond this machine, and of TLS that is not spoken", () => {
  const warnings = (argv: string) => warningsFor(settingsOf(argv.split(" "))).length;
  assertEquals(warnings("-U 1 -l 127.0.0.1,[::1]"), 0);
  assertEquals(warnings("-U 1"), 1);
  assertEquals(warnings("-p 0 -U 1 -l 127.0.0.1"), 0);
  assertEquals(warnings("-U 1 -l localhost,10.0.0.1"), 1);
  assertEquals(warnings("-Z -o ssl_chain_cert=/c,ssl_key=/k,ssl_min_version=1"), 1);
  assertEquals(warnings("-Z -o ssl_chain_cert=/c,ssl_key=/k,ssl_min_version=3"), 0);
});

Deno.test("warningsFor() warns of more than 64 threads, and of their memory", () => {
  assertEquals(warningsFor(settingsOf(["-t", "64"])), []);
  const [warning, ...more] = warningsFor(settingsOf(["-t", "1000"]));
  assert(warning?.startsWith("Warning: 1000 worker threads take 16000 MiB of memory, "), warning);
  assertEquals([more.length, warningsFor(settingsOf(["-t", "65"])).length], [0, 1]);
});
