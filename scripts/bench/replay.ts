// Replays a trace against memden and memcached: misses, refusals and evictions of a cache that has
// room for a share of the keys.
//
//   deno run -A scripts/bench/replay.ts TRACE [--sizes mixed|fixed] [--share 10] [--mean BYTES]
//       [--memory 32] [--threads 1] [--conns 1] [--requests N] [--args "…"] [--only memden]
//
// TRACE is a file of 32-bit little-endian numbers, plain or in gzip (trace.ts). A client looks a
// batch of keys up with mg, then stores what it missed with ms. The mean size of a value follows
// from -m, the number of keys and the share of them that is to fit, unless --mean names it.
// Evictions are on: a refusal is a fault.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { startMemcached, startMemden, type TestServer } from "../../tests/support/server.ts";
import { markdownTable, requireMemcached, thousands, wholeNumber } from "./comparison.ts";
import { cpuSeconds } from "./process_stat.ts";
import { addErrors, type Errors, MISSED, statNumber, TextClient } from "./text_client.ts";
import { KEY_FORM, RequestBuffer } from "./text_requests.ts";
import { distinctKeys, KeySizes, readTrace, type SizeModel } from "./trace.ts";

const KEYS_PER_BATCH = 32;
/** Share of -m that values fill: the rest are headers, keys and ends of chunks and pages. */
const FILLED = 0.9;
/** What a request has besides its value, at most. */
const LINE_BYTES_MAX = 64;

const FLAGS = {
  sizes: { type: "string", default: "mixed" },
  share: { type: "string", default: "10" },
  mean: { type: "string" },
  memory: { type: "string", default: "32" },
  threads: { type: "string", default: "1" },
  conns: { type: "string", default: "1" },
  requests: { type: "string", default: "0" },
  args: { type: "string", default: "" },
  only: { type: "string" },
} as const;

/** What is asked of a server. */
interface Load {
  readonly trace: Uint32Array;
  readonly sizes: KeySizes;
  readonly conns: number;
}

/** What came of it. */
interface Played {
  misses: number;
  stored: number;
  seconds: number;
  readonly errors: Errors;
}

/** One connection's part of the load: every batch whose turn it is. */
async function playPart(client: TextClient, load: Load, part: number, sum: Played): Promise<void> {
  const { trace, sizes, conns } = load;
  const gets = new RequestBuffer(KEY_FORM, KEYS_PER_BATCH * LINE_BYTES_MAX);
  const sets = new RequestBuffer(KEY_FORM, KEYS_PER_BATCH * (sizes.largest + LINE_BYTES_MAX));
  const missed = new Set<number>();
  const step = conns * KEYS_PER_BATCH;
  for (let from = part * KEYS_PER_BATCH; from < trace.length; from += step) {
    const keys = trace.subarray(from, from + KEYS_PER_BATCH);
    gets.clear();
    missed.clear();
    for (const key of keys) gets.metaGet(key);
    await client.metaGet(gets.bytes, keys.length, (index, nbytes) => {
      const key = keys[index]!;
      if (nbytes === MISSED) missed.add(key);
      else if (nbytes !== sizes.of(key)) throw new Error(`Key ${key} came with ${nbytes} bytes`);
      if (nbytes === MISSED) sum.misses++;
    });
    sets.clear();
    for (const key of missed) sets.metaSet(key, sizes.of(key));
    sum.stored += missed.size;
    addErrors(sum.errors, await client.metaSet(sets.bytes, missed.size));
  }
}

async function play({ port }: TestServer, load: Load): Promise<Played> {
  const sum: Played = { misses: 0, stored: 0, seconds: 0, errors: new Map() };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: load.conns }, async (_, part) => {
    using client = await TextClient.connect(port);
    await playPart(client, load, part, sum);
  }));
  sum.seconds = (performance.now() - startMs) / 1000;
  return sum;
}

/** The server's line of the table. */
async function measure(server: TestServer, load: Load): Promise<string[]> {
  const cpuBefore = cpuSeconds(server.pid);
  const { misses, errors, stored, seconds } = await play(server, load);
  const cpu = cpuSeconds(server.pid) - cpuBefore;
  for (const [text, times] of errors) console.error(`${server.name}, ${times} times: ${text}`);
  using client = await TextClient.connect(server.port);
  const stats = await client.stats();
  const shown = (name: string): string =>
    stats.has(name) ? thousands(statNumber(stats, name)) : "–";
  return [
    server.name,
    thousands(load.trace.length),
    thousands(misses),
    `${(100 - misses / load.trace.length * 100).toFixed(2)} %`,
    thousands([...errors.values()].reduce((sum, times) => sum + times, 0)),
    shown("evictions"),
    shown("direct_reclaims"),
    shown("direct_evictions"),
    shown("direct_page_moves"),
    shown("slabs_moved"),
    (cpu / (load.trace.length + stored) * 1e6).toFixed(1),
    seconds.toFixed(0),
  ];
}

async function main(): Promise<void> {
  const { values: options, positionals: [path] } = parseArgs({
    args: Deno.args,
    options: FLAGS,
    allowPositionals: true,
  });
  if (path === undefined) throw new Error("Name the file of a trace");
  if (options.sizes !== "fixed" && options.sizes !== "mixed") {
    throw new Error(`--sizes is fixed or mixed, not "${options.sizes}"`);
  }
  const model: SizeModel = options.sizes;
  const trace = await readTrace(path, wholeNumber("requests", options.requests, 0));
  const keys = distinctKeys(trace);
  const share = wholeNumber("share", options.share) / 100;
  const memory = wholeNumber("memory", options.memory) * 2 ** 20;
  const mean = options.mean === undefined
    ? Math.round(memory * FILLED / (keys * share))
    : wholeNumber("mean", options.mean);
  const load: Load = {
    trace,
    sizes: new KeySizes(model, mean),
    conns: wholeNumber("conns", options.conns),
  };
  const args = ["-m", options.memory, "-t", options.threads, ...options.args.split(" ")]
    .filter((word) => word !== "");
  if (options.only !== "memden") await requireMemcached();
  console.log(
    `${thousands(trace.length)} requests for ${thousands(keys)} keys, ${model} sizes, mean ` +
      `${thousands(mean)} bytes, ${args.join(" ")}, ${load.conns} connections:\n`,
  );
  const rows: string[][] = [];
  for (const [name, start] of Object.entries({ memcached: startMemcached, memden: startMemden })) {
    if (options.only !== undefined && options.only !== name) continue;
    await using server = await start(args);
    rows.push(await measure(server, load));
  }
  const head = [
    "server",
    "requests",
    "misses",
    "hit ratio",
    "refusals",
    "evictions",
    "direct reclaims",
    "direct evictions",
    "direct page moves",
    "pages moved",
    "CPU µs a request",
    "s",
  ];
  console.log(markdownTable(head, rows));
}

if (import.meta.main) await main();
