// Statistics of a busy server that does not exist, second by second: for looking at the page.
// All of it follows from a seed.

import { Prng } from "../../lib/base/prng.ts";
import { LATENCY_BOUNDS_US } from "../../lib/stats/latency.ts";

const SEED = 20;
const MIB = 2 ** 20;
const LIMIT = 1024 * MIB;
const THREADS = 4;

/** Slab classes: size of a chunk, share of the pages, how full. */
const CLASSES: readonly (readonly [chunk: number, share: number, full: number])[] = [
  [96, 0.04, 0.97],
  [120, 0.07, 0.99],
  [152, 0.11, 0.99],
  [192, 0.15, 1],
  [240, 0.13, 0.98],
  [304, 0.09, 1],
  [384, 0.07, 0.93],
  [600, 0.06, 0.88],
  [944, 0.05, 0.99],
  [1848, 0.05, 0.71],
  [4544, 0.04, 0.95],
  [18_536, 0.03, 0.64],
  [524_288, 0.04, 0.9],
];

/** Commands that are measured: their part of the load, and their usual time in microseconds. */
const COMMANDS = [["get", 0.9, 9], ["set", 0.09, 16], ["delete", 0.01, 7]] as const;

const HOT = ["session:8fd1c2", "cfg:flags", "user:42:profile", "feed:home:p1", "rate:10.0.4.17"];
const PREFIXES = ["session", "user", "feed", "cfg", "rate", "img"];

/** A server that grows older by a second at a time. */
export class FakeStats {
  readonly #prng = new Prng(SEED);
  readonly #counts: Record<string, number> = {};
  readonly #measured = COMMANDS.map(([name]) => ({
    name,
    count: 0,
    sumUs: 0,
    buckets: new Array<number>(LATENCY_BOUNDS_US.length + 1).fill(0),
  }));
  readonly #workers = Array.from({ length: THREADS }, (_, at) => ({
    thread: at + 1,
    connections: 52 + at,
    cpuSeconds: 0,
    commands: 0,
    bytesRead: 0,
    bytesWritten: 0,
  }));
  readonly #hottest: string;
  #second = 0;
  #load = 0;

  /** @param hottest A key that is asked for most. */
  constructor(hottest = HOT[0]!) {
    this.#hottest = hottest;
    this.#add("total_items", 410_000_000);
  }

  /** Passes a second, and tells what `/api/stats` would. */
  next(): object {
    this.#second++;
    const wave = 1 + 0.25 * Math.sin(this.#second / 47) + 0.1 * Math.sin(this.#second / 11);
    const burst = this.#second % 240 > 200 ? 1.35 : 1;
    this.#load = 48_000 * wave * burst * this.#noise(0.06);
    this.#count();
    this.#measure();
    this.#work();
    return {
      general: this.#general(),
      settings: SETTINGS,
      items: Object.fromEntries(CLASSES.map((_, at) => [at + 4, this.#items(at)])),
      slabs: Object.fromEntries(CLASSES.map((_, at) => [at + 4, this.#slab(at)])),
      conns: { listening: 1, open: 214, states: STATES },
      latency: {
        boundsUs: LATENCY_BOUNDS_US,
        commands: Object.fromEntries(this.#measured.map(({ name, ...rest }) => [name, rest])),
      },
      hot: this.#hot(),
      workers: this.#workers,
    };
  }

  /** About 1. */
  #noise(width: number): number {
    return 1 + width * (this.#prng.below(2001) / 1000 - 1);
  }

  #add(name: string, count: number): void {
    this.#counts[name] = Math.round((this.#counts[name] ?? 0) + count);
  }

  #count(): void {
    const gets = this.#load * 0.9;
    const ratio = 0.93 + 0.04 * Math.sin(this.#second / 90) * this.#noise(0.2);
    this.#add("cmd_get", gets);
    this.#add("get_hits", gets * ratio);
    this.#add("get_misses", gets * (1 - ratio));
    this.#add("cmd_set", this.#load * 0.09);
    this.#add("total_items", this.#load * 0.09);
    this.#add("delete_hits", this.#load * 0.006);
    this.#add("cmd_touch", this.#load * 0.004);
    this.#add("bytes_read", this.#load * 74);
    this.#add("bytes_written", this.#load * 310);
    this.#add(
      "evictions",
      this.#second % 240 > 200 ? 900 * this.#noise(0.4) : 60 * this.#noise(0.9),
    );
    this.#add("reclaimed", 240 * this.#noise(0.3));
    this.#add("total_connections", this.#second % 60 < 8 ? 20 + this.#prng.below(6) : 2);
  }

  #measure(): void {
    for (const [command, [, part, usual]] of COMMANDS.entries()) {
      const measured = this.#measured[command]!;
      const count = Math.round(this.#load * part / 16);
      const slow = this.#second % 240 > 200 ? 2 : 1;
      for (let sample = 0; sample < Math.min(count, 400); sample++) {
        const u = (1 + this.#prng.below(100_000)) / 100_001;
        const us = usual * slow * (0.6 + 0.35 * -Math.log(u) + (u < 0.003 ? 0.02 / u : 0));
        const at = LATENCY_BOUNDS_US.findIndex((bound) => us <= bound);
        measured.buckets[at < 0 ? LATENCY_BOUNDS_US.length : at]! += 1;
        measured.count++;
        measured.sumUs += Math.round(us);
      }
    }
  }

  #work(): void {
    for (const worker of this.#workers) {
      const part = this.#load / THREADS * (0.82 + 0.12 * worker.thread) * this.#noise(0.04);
      worker.commands += Math.round(part);
      worker.cpuSeconds += part * 12e-6;
      worker.bytesRead += Math.round(part * 74);
      worker.bytesWritten += Math.round(part * 310);
    }
  }

  #general(): object {
    const cpu = this.#workers.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
    return Object.fromEntries([
      ["pid", 4711],
      ["uptime", 93_600 + this.#second],
      ["version", "1.6.45"],
      ["rusage_user", cpu * 0.6],
      ["rusage_system", cpu * 0.45],
      ["max_connections", 1024],
      ["curr_connections", 214],
      ["rejected_connections", 0],
      ["limit_maxbytes", LIMIT],
      ["threads", THREADS],
      ["bytes", Math.round(LIMIT * 0.8 + 3 * MIB * Math.sin(this.#second / 60))],
      ["curr_items", Math.round(3_200_000 + 20_000 * Math.sin(this.#second / 60))],
      ["total_malloced", CLASSES.reduce((sum, [, share]) => sum + pagesOf(share), 0) * MIB],
      ...Object.entries(this.#counts),
    ]);
  }

  #slab(at: number): object {
    const [chunk, share, full] = CLASSES[at]!;
    const pages = pagesOf(share);
    const chunks = pages * Math.floor(MIB / chunk);
    return Object.fromEntries([
      ["chunk_size", chunk],
      ["chunks_per_page", Math.floor(MIB / chunk)],
      ["total_pages", pages],
      ["total_chunks", chunks],
      ["used_chunks", Math.round(chunks * full)],
      ["free_chunks", chunks - Math.round(chunks * full)],
    ]);
  }

  #items(at: number): object {
    const [chunk, share, full] = CLASSES[at]!;
    const number = Math.round(pagesOf(share) * Math.floor(MIB / chunk) * full);
    const evictions = this.#counts.evictions ?? 0;
    const evicted = full > 0.98 ? Math.round(evictions * share * 2) : 0;
    return Object.fromEntries([
      ["number", number],
      ["number_hot", Math.round(number * 0.14)],
      ["number_warm", Math.round(number * (0.2 + 0.02 * at))],
      ["number_cold", Math.round(number * (0.64 - 0.02 * at))],
      ["number_temp", Math.round(number * 0.02)],
      ["age", 5400 - 300 * at],
      ["mem_requested", Math.round(number * chunk * 0.93)],
      ["evicted", evicted],
      ["evicted_unfetched", Math.round(evicted * 0.31)],
      ["evicted_time", 5200 - 290 * at],
    ]);
  }

  #hot(): object {
    const rateOf = (at: number) => this.#load * 0.05 / (1 + 0.6 * at) * this.#noise(0.05);
    const keys = Array.from({ length: 20 }, (_, at) => ({
      name: at === 0 ? this.#hottest : HOT[at] ?? `user:${1000 + at * 37}:profile`,
      perSecond: rateOf(at),
    }));
    const prefixes = PREFIXES.map((name, at) => ({ name, perSecond: rateOf(at) * 5 }));
    const byRate = (a: { perSecond: number }, b: { perSecond: number }) =>
      b.perSecond - a.perSecond;
    return { keys: keys.sort(byRate), prefixes: prefixes.sort(byRate) };
  }
}

function pagesOf(share: number): number {
  return Math.round(share * 0.96 * LIMIT / MIB);
}

/** Connections by state. */
const STATES = Object.fromEntries([
  ["conn_read", 197],
  ["conn_parse_cmd", 9],
  ["conn_nread", 5],
  ["conn_mwrite", 2],
  ["conn_watch", 1],
]);

const SETTINGS = Object.fromEntries([
  ["maxbytes", String(LIMIT)],
  ["maxconns", "1024"],
  ["tcpport", "11211"],
  ["udpport", "0"],
  ["inter", "127.0.0.1"],
  ["verbosity", "0"],
  ["evictions", "on"],
  ["growth_factor", "1.25"],
  ["chunk_size", "48"],
  ["num_threads", String(THREADS)],
  ["reqs_per_event", "20"],
  ["cas_enabled", "yes"],
  ["tcp_backlog", "1024"],
  ["binding_protocol", "auto-negotiate"],
  ["item_size_max", "1048576"],
  ["slab_reassign", "yes"],
  ["slab_automove", "1"],
  ["lru_crawler", "yes"],
  ["lru_segmented", "yes"],
  ["hot_lru_pct", "20"],
  ["warm_lru_pct", "40"],
  ["idle_timeout", "0"],
]);
