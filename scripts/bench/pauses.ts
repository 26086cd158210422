// The longest pauses that clients see while the hash table grows: memden beside memcached.
//
// A process of its own stores small items at a limited rate; it runs at lower priority, so that it
// takes no CPU from the server and the probe. Meanwhile one get each millisecond is timed, in turn
// on one conn per thread of the server (both hand conns to their threads in turn). The same load on
// a table that has its final size from the start shows what of the times is due to the growth.
//
// memcached 1.6.18 doubles its table above 1.5 items per bucket and says the new size at once;
// memden adds a bucket at a time and says the last power of two it has reached.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import type { TestServer } from "../../tests/support/server.ts";
import { markdownTable, requireMemcached, STARTS, thousands, wholeNumber } from "./comparison.ts";
import type { Filled } from "./paced_fill.ts";
import { RoundTrips } from "./round_trips.ts";
import { statNumber, TextClient } from "./text_client.ts";
import { KEY_FORM, RequestBuffer } from "./text_requests.ts";

const PACED_FILL = new URL("paced_fill.ts", import.meta.url).pathname;
const FILL_NICENESS = 10;
const INTERVAL_MS = 1;
/** Probes between two looks at the size of the table. */
const PROBES_PER_LOOK = 100;
/** Probes before the fill, to warm up the server and the probe. */
const WARM_PROBES = 1000;
/** The key that is asked for; the fill does not come that far. */
const PROBE_KEY = 99_999_999;
const PROBE_VALUE_BYTES = 8;
/** Log2 of the buckets to grow to. */
const FINAL_POWER = 22;
const SHARES = [0.5, 0.99, 0.999, 1];

const FLAGS = {
  memory: { type: "string", default: "1024" },
  threads: { type: "string", default: "2" },
  items: { type: "string", default: "4300000" },
  "baseline-items": { type: "string", default: "1000000" },
  rate: { type: "string", default: "100000" },
  value: { type: "string", default: "8" },
} as const;

/** The load on either server. */
interface Load {
  readonly items: number;
  readonly rate: number;
  readonly valueBytes: number;
  /** Conns of the probe. */
  readonly conns: number;
}

/** Measured on one server. */
interface Pauses {
  readonly server: string;
  readonly what: string;
  readonly trips: RoundTrips;
  /** Longest round trip in milliseconds while the table had 2^power buckets, by power. */
  readonly longest: ReadonlyMap<number, number>;
  readonly filled: Filled;
  /** Items that the server holds afterwards. */
  readonly items: number;
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** Blocks this thread: timers of the event loop come a millisecond late or more. */
function blockMs(ms: number): void {
  if (ms > 0) Atomics.wait(never, 0, 0, ms);
}

/** Sends one get after the other, each on the next conn. */
export class Probe {
  readonly #clients: readonly TextClient[];
  readonly #request: Uint8Array;
  #turn = 0;
  #dueMs = 0;

  constructor(clients: readonly TextClient[]) {
    this.#clients = clients;
    const request = new RequestBuffer(KEY_FORM, 100);
    request.get([PROBE_KEY]);
    this.#request = request.bytes;
  }

  /** Stores what the probe asks for. */
  async store(): Promise<void> {
    const request = new RequestBuffer(KEY_FORM, 100);
    request.set(PROBE_KEY, PROBE_VALUE_BYTES);
    await this.#clients[0]!.store(request.bytes);
  }

  /** Sends a get when it is due; returns its round trip in milliseconds. */
  async next(): Promise<number> {
    blockMs(this.#dueMs - performance.now());
    const client = this.#clients[this.#turn++ % this.#clients.length]!;
    let hits = 0;
    const startMs = performance.now();
    await client.get(this.#request, () => hits++);
    const ms = performance.now() - startMs;
    if (hits !== 1) throw new Error("The key of the probe is gone: more -m?");
    // Catches up with a late timer, but not with a pause: RoundTrips counts what that held up.
    this.#dueMs = Math.max(this.#dueMs, startMs - INTERVAL_MS) + INTERVAL_MS;
    return ms;
  }
}

async function fill(port: number, load: Load): Promise<Filled> {
  const { success, stdout, stderr } = await new Deno.Command("nice", {
    args: [
      ["-n", String(FILL_NICENESS), Deno.execPath(), "run", "--allow-all", PACED_FILL],
      ["--port", String(port), "--items", String(load.items)],
      ["--rate", String(load.rate), "--value", String(load.valueBytes)],
    ].flat(),
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`paced_fill.ts failed: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}

/** Sends probes from the first item of the fill until `isFilling` says no and no growth is left. */
async function watch(
  probe: Probe,
  watcher: TextClient,
  isFilling: () => boolean,
): Promise<{ trips: RoundTrips; longest: Map<number, number> }> {
  const trips = new RoundTrips(INTERVAL_MS);
  const longest = new Map<number, number>();
  let isStarted = false;
  let isGrowing = false;
  while (isFilling() || isGrowing) {
    let longestMs = 0;
    for (let sent = 0; sent < PROBES_PER_LOOK; sent++) {
      const ms = await probe.next();
      if (isStarted) trips.add(ms);
      longestMs = Math.max(longestMs, ms);
    }
    const stats = await watcher.stats();
    const power = statNumber(stats, "hash_power_level");
    if (isStarted) longest.set(power, Math.max(longest.get(power) ?? 0, longestMs));
    isStarted = statNumber(stats, "total_items") > 1;
    isGrowing = statNumber(stats, "hash_is_expanding") === 1;
  }
  return { trips, longest };
}

async function measure(server: TestServer, what: string, load: Load): Promise<Pauses> {
  using stack = new DisposableStack();
  const clients: TextClient[] = [];
  while (clients.length < load.conns) {
    clients.push(stack.use(await TextClient.connect(server.port)));
  }
  const watcher = stack.use(await TextClient.connect(server.port));
  const probe = new Probe(clients);
  await probe.store();
  for (let sent = 0; sent < WARM_PROBES; sent++) await probe.next();

  let isFilling = true;
  const [seen, filled] = await Promise.all([
    watch(probe, watcher, () => isFilling),
    fill(server.port, load).finally(() => isFilling = false),
  ]);
  const items = statNumber(await watcher.stats(), "curr_items");
  return { server: server.name, what, ...seen, filled, items };
}

function row({ server, what, trips, filled, items }: Pauses): string[] {
  return [
    `${server}, ${what}`,
    ...trips.percentiles(SHARES).map((ms) => ms.toFixed(2)),
    thousands(trips.sent),
    thousands(items),
    thousands(filled.items / filled.seconds),
  ];
}

function longestTable(measured: readonly Pauses[]): string {
  const powers = new Set(measured.flatMap(({ longest }) => [...longest.keys()]));
  const head = ["buckets", ...measured.map(({ server }) => `${server}, longest ms`)];
  const rows = [...powers].sort((a, b) => a - b).map((power) => [
    `2^${power}`,
    ...measured.map(({ longest }) => longest.get(power)?.toFixed(2) ?? "–"),
  ]);
  return markdownTable(head, rows);
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const load: Load = {
    items: wholeNumber("items", options.items),
    rate: wholeNumber("rate", options.rate, 0),
    valueBytes: wholeNumber("value", options.value),
    conns: wholeNumber("threads", options.threads),
  };
  const baselineItems = wholeNumber("baseline-items", options["baseline-items"], 0);
  await requireMemcached();
  const args = ["-t", options.threads, "-m", options.memory];
  const growing: Pauses[] = [];
  const steady: Pauses[] = [];
  for (const start of STARTS) {
    await using server = await start(args);
    growing.push(await measure(server, "growing", load));
    console.error(`${server.name}: grown`);
  }
  for (const start of baselineItems === 0 ? [] : STARTS) {
    await using server = await start([...args, "-o", `hashpower=${FINAL_POWER}`]);
    steady.push(await measure(server, "not growing", { ...load, items: baselineItems }));
  }
  console.log(
    `Probe: a get each ${INTERVAL_MS} ms on ${load.conns} conns in turn. Fill: sets of ` +
      `${load.valueBytes} bytes, at most ${thousands(load.rate)} a second. ${args.join(" ")}, ` +
      `${navigator.hardwareConcurrency} cores. Round trips in ms:\n`,
  );
  const head = ["server", "p50", "p99", "p99.9", "max", "probes", "items", "sets/s"];
  console.log(markdownTable(head, [...growing, ...steady].map(row)));
  console.log(longestTable(growing));
  for (const { server, longest, filled, items } of growing) {
    if (items < filled.items) console.log(`**${server} holds ${items} of ${filled.items}**`);
    const reached = Math.max(...longest.keys());
    if (reached < FINAL_POWER) console.log(`**${server} grew to 2^${reached} only**`);
  }
}

if (import.meta.main) await main();
