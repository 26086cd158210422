// Hit ratio of memden beside memcached under a Zipf load with more data than memory.
//
// Both servers get the same seeded sequence at the same time: a batch of keys in one get, then a
// set of every key that was missed (once, also if the batch names it twice). The next batch goes
// out when both are done, so that the slower one has no more time for the upkeep of its LRU and
// slabs; that upkeep goes by the clock, and --pace gives it the time that it has with real clients.
// The first part of the requests warms up, the rest is counted.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { startMemcached, startMemden, type TestServer } from "../../tests/support/server.ts";
import {
  markdownTable,
  Pace,
  requireMemcached,
  sleep,
  thousands,
  wholeNumber,
} from "./comparison.ts";
import { addErrors, type Errors, outOfMemory, statNumber, TextClient } from "./text_client.ts";
import { KEY_FORM, RequestBuffer } from "./text_requests.ts";
import { VALUE_SIZES, valueBytesOf, ZipfSampler } from "./zipf_sampler.ts";

const KEYS_PER_GET = 50;
/** The longest set that a batch may hold, its command line included. */
const SET_BYTES_MAX = Math.max(...VALUE_SIZES) + 100;
/** Default amount of data, in multiples of -m. */
const DATA_PER_MEMORY = 4;

const FLAGS = {
  memory: { type: "string", default: "64" },
  keys: { type: "string" },
  requests: { type: "string", default: "4000000" },
  warm: { type: "string", default: "0.5" },
  skew: { type: "string", default: "0.99" },
  seed: { type: "string", default: "1" },
  pace: { type: "string", default: "0" },
  threads: { type: "string", default: "1" },
} as const;

/** The load on either server. */
interface Load {
  readonly keys: number;
  readonly requests: number;
  /** Requests that are not counted, from the first on. */
  readonly warm: number;
  readonly skew: number;
  readonly seed: number;
  /** Keys asked for per second; 0 asks as fast as the server answers. */
  readonly pace: number;
}

/** One server's side of the load, and how often it had what was asked for. */
class Player {
  readonly server: TestServer;
  readonly client: TextClient;
  readonly errors: Errors = new Map();
  readonly #gets = new RequestBuffer(KEY_FORM, KEYS_PER_GET * (KEY_FORM.bytes + 1) + 16);
  readonly #sets = new RequestBuffer(KEY_FORM, KEYS_PER_GET * SET_BYTES_MAX);
  readonly #missed = new Set<number>();
  hits = 0;
  asked = 0;

  constructor(server: TestServer, client: TextClient) {
    this.server = server;
    this.client = client;
  }

  /** Gets `keys` and stores those that are missed. */
  async ask(keys: readonly number[], isCounted: boolean): Promise<void> {
    const missed = this.#missed;
    missed.clear();
    for (const key of keys) missed.add(key);
    let hits = 0;
    this.#gets.clear();
    this.#gets.get(keys);
    await this.client.get(this.#gets.bytes, (key, nbytes) => {
      if (nbytes !== valueBytesOf(key)) throw new Error(`Key ${key} came with ${nbytes} bytes`);
      missed.delete(key);
      hits++;
    });
    if (isCounted) {
      this.hits += hits;
      this.asked += keys.length;
    }
    if (missed.size === 0) return;
    this.#sets.clear();
    for (const key of missed) this.#sets.set(key, valueBytesOf(key));
    addErrors(this.errors, await this.client.store(this.#sets.bytes));
  }

  /** Share of the counted requests that hit, in percent. */
  get hitPercent(): number {
    return this.hits / this.asked * 100;
  }

  /** This server's line of the table. */
  async row(): Promise<string[]> {
    const stats = await this.client.stats();
    return [
      this.server.name,
      `${this.hitPercent.toFixed(2)} %`,
      thousands(statNumber(stats, "curr_items")),
      thousands(statNumber(stats, "evictions")),
      thousands(outOfMemory(this.errors)),
      stats.get("slabs_moved") ?? "–",
    ];
  }
}

/** Puts the load on all servers, batch by batch; returns the seconds it took. */
async function play(players: readonly Player[], load: Load): Promise<number> {
  const sampler = new ZipfSampler(load.keys, load.skew, load.seed);
  const keys = new Array<number>(KEYS_PER_GET).fill(0);
  const startMs = performance.now();
  const pace = new Pace(load.pace, startMs);
  for (let done = 0; done < load.requests; done += KEYS_PER_GET) {
    await sleep(pace.take(KEYS_PER_GET, performance.now()));
    for (let at = 0; at < KEYS_PER_GET; at++) keys[at] = sampler.next();
    await Promise.all(players.map((player) => player.ask(keys, done >= load.warm)));
  }
  return (performance.now() - startMs) / 1000;
}

/** Keys whose values make up {@linkcode DATA_PER_MEMORY} times the memory. */
function keysFor(memoryMib: number): number {
  const mean = VALUE_SIZES.reduce((sum, bytes) => sum + bytes, 0) / VALUE_SIZES.length;
  return Math.round(memoryMib * 2 ** 20 * DATA_PER_MEMORY / mean);
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const memory = wholeNumber("memory", options.memory);
  const requests = wholeNumber("requests", options.requests);
  const load: Load = {
    keys: options.keys === undefined ? keysFor(memory) : wholeNumber("keys", options.keys),
    requests,
    warm: requests * Number(options.warm),
    skew: Number(options.skew),
    seed: wholeNumber("seed", options.seed, 0),
    pace: wholeNumber("pace", options.pace, 0),
  };
  await requireMemcached();
  const args = ["-t", options.threads, "-m", String(memory)];
  await using memcached = await startMemcached(args);
  await using memden = await startMemden(args);
  using ours = await TextClient.connect(memden.port);
  using theirs = await TextClient.connect(memcached.port);
  const original = new Player(memcached, theirs);
  const rebuilt = new Player(memden, ours);
  const seconds = await play([original, rebuilt], load);
  for (const { server, errors } of [original, rebuilt]) {
    for (const [text, times] of errors) console.error(`${server.name}, ${times} times: ${text}`);
  }
  console.log(
    `Zipf ${load.skew} over ${thousands(load.keys)} keys, values of ${VALUE_SIZES[0]} to ` +
      `${VALUE_SIZES.at(-1)} bytes, ${args.join(" ")}, seed ${load.seed};\n` +
      `${thousands(requests)} requests in ${seconds.toFixed(0)} s, the last ` +
      `${thousands(original.asked)} counted:\n`,
  );
  const head = ["server", "hit ratio", "items", "evictions", "out of memory", "pages moved"];
  console.log(markdownTable(head, [await original.row(), await rebuilt.row()]));
  const points = rebuilt.hitPercent - original.hitPercent;
  console.log(`memden − memcached: ${points.toFixed(2)} points`);
}

if (import.meta.main) await main();
