// What happens when value sizes change in a full cache: memden beside memcached.
//
// The cache is filled with small values, past the first evictions; then only large ones come, at a
// steady rate and with keys that never repeat. Memory lies in the slab class of the small values
// and must get to that of the large ones. Every few seconds the statistics are read; at the end a
// sample of all large keys is asked for, which shows how many are held without trusting `stats`.
// The classes are told apart by `cmd_set`, so it does not matter how a server cuts them.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import type { TestServer } from "../../tests/support/server.ts";
import {
  markdownTable,
  Pace,
  requireMemcached,
  sleep,
  STARTS,
  thousands,
  wholeNumber,
} from "./comparison.ts";
import { busiestClass, classCounts, type Sample, tailOf } from "./drift_sample.ts";
import { addErrors, type Errors, outOfMemory, statNumber, TextClient } from "./text_client.ts";
import { keyForm, RequestBuffer, SetBatch } from "./text_requests.ts";

const SMALL_KEYS = keyForm("sml-", 16);
const LARGE_KEYS = keyForm("lrg-", 16);
const FILL_SETS = 2000;
/** Sets in one write during the drift: the rate is held in steps of this size. */
const DRIFT_SETS = 25;
/** Small values stored after the first eviction, as a share of those before. */
const FILL_BEYOND = 0.2;
const SAMPLE_KEYS = 2000;
const KEYS_PER_GET = 50;
/** The end of the drift, of which evictions per set are told. */
const TAIL_SECONDS = 10;

const FLAGS = {
  memory: { type: "string", default: "64" },
  threads: { type: "string", default: "1" },
  small: { type: "string", default: "100" },
  large: { type: "string", default: "2048" },
  rate: { type: "string", default: "5000" },
  seconds: { type: "string", default: "40" },
  report: { type: "string", default: "5" },
} as const;

/** The load on either server. */
interface Load {
  readonly smallBytes: number;
  readonly largeBytes: number;
  /** Large sets per second. */
  readonly rate: number;
  readonly seconds: number;
  /** Seconds from one look at the statistics to the next. */
  readonly report: number;
}

/** Measured on one server. */
interface Drift {
  readonly server: string;
  readonly samples: readonly Sample[];
  readonly errors: Errors;
  /** Large items held, estimated from a sample of the keys. */
  readonly found: number;
}

/** Fills the cache with small values; returns their class. */
async function fill(client: TextClient, smallBytes: number): Promise<number> {
  const before = await classCounts(client);
  const batch = new SetBatch(SMALL_KEYS, smallBytes, FILL_SETS, true);
  let sent = 0;
  let end = Infinity;
  while (sent < end) {
    await client.store(batch.from(sent));
    sent += FILL_SETS;
    const stats = await client.stats();
    const stored = statNumber(stats, "total_items");
    if (stored < sent) throw new Error(`Of ${sent} small values ${stored} were stored`);
    if (end === Infinity && statNumber(stats, "evictions") > 0) end = sent * (1 + FILL_BEYOND);
  }
  return busiestClass(before, await classCounts(client));
}

async function drift(server: TestServer, load: Load): Promise<Drift> {
  using client = await TextClient.connect(server.port);
  const smallClass = await fill(client, load.smallBytes);
  const before = await classCounts(client);
  const batch = new SetBatch(LARGE_KEYS, load.largeBytes, DRIFT_SETS, false);
  const errors: Errors = new Map();
  const samples: Sample[] = [];
  const startMs = performance.now();
  const pace = new Pace(load.rate, startMs);
  let sent = 0;
  for (let second = 0; second <= load.seconds; second += load.report) {
    while (sent < second * load.rate) {
      await sleep(pace.take(DRIFT_SETS, performance.now()));
      addErrors(errors, await client.store(batch.from(sent)));
      sent += DRIFT_SETS;
    }
    const counts = await classCounts(client);
    const stats = await client.stats();
    const largeClass = busiestClass(before, counts);
    const moved = stats.get("slabs_moved");
    samples.push({
      second: (performance.now() - startMs) / 1000,
      sent,
      refused: outOfMemory(errors),
      evictions: statNumber(stats, "evictions"),
      small: counts.get(smallClass),
      large: sent === 0 ? undefined : counts.get(largeClass),
      slabsMoved: moved === undefined ? undefined : Number(moved),
    });
    console.error(`${server.name}: ${second} of ${load.seconds} s`);
  }
  return { server: server.name, samples, errors, found: await findLarge(client, sent) };
}

/** Asks for large keys at equal distances; returns how many of the `sent` are there, about. */
async function findLarge(client: TextClient, sent: number): Promise<number> {
  const count = Math.min(SAMPLE_KEYS, sent);
  const keys = Array.from({ length: count }, (_, at) => Math.floor((at + 0.5) * sent / count));
  let hits = 0;
  const request = new RequestBuffer(LARGE_KEYS, KEYS_PER_GET * (LARGE_KEYS.bytes + 1) + 16);
  for (let at = 0; at < count; at += KEYS_PER_GET) {
    request.clear();
    request.get(keys.slice(at, at + KEYS_PER_GET));
    await client.get(request.bytes, () => hits++);
  }
  return count === 0 ? 0 : hits / count * sent;
}

/** One server's course, a line for each look at its statistics. */
function course({ samples }: Drift): string {
  const head = ["s", "out of memory", "evictions/s", "large items", "small items"];
  head.push("pages large", "pages small", "pages moved");
  const rows = samples.map((sample, at) => {
    const last = samples[at - 1] ?? sample;
    const seconds = sample.second - last.second;
    return [
      sample.second.toFixed(0),
      thousands(sample.refused - last.refused),
      seconds === 0 ? "–" : thousands((sample.evictions - last.evictions) / seconds),
      thousands(sample.large?.items ?? 0),
      thousands(sample.small?.items ?? 0),
      String(sample.large?.pages ?? 0),
      String(sample.small?.pages ?? 0),
      String(sample.slabsMoved ?? "–"),
    ];
  });
  return markdownTable(head, rows);
}

function compare(drifts: readonly Drift[]): string {
  const row = (what: string, show: (drift: Drift) => string): string[] => [
    what,
    ...drifts.map(show),
  ];
  const first = ({ samples }: Drift): Sample => samples[0]!;
  const last = ({ samples }: Drift): Sample => samples[samples.length - 1]!;
  return markdownTable(["", ...drifts.map(({ server }) => server)], [
    row("large sets sent", (drift) => thousands(last(drift).sent)),
    row("`SERVER_ERROR out of memory`", (drift) => thousands(outOfMemory(drift.errors))),
    row(
      `evictions per set, last ${TAIL_SECONDS} s`,
      ({ samples }) => tailOf(samples, TAIL_SECONDS).evictionsPerSet.toFixed(2),
    ),
    row("small items held before", (drift) => thousands(first(drift).small?.items ?? 0)),
    row("small items held after", (drift) => thousands(last(drift).small?.items ?? 0)),
    row("large items held, by `stats items`", (drift) => thousands(last(drift).large?.items ?? 0)),
    row("large items held, by a sample of gets", ({ found }) => thousands(found)),
    row("pages of the large class", (drift) => String(last(drift).large?.pages ?? 0)),
    row("pages of the small class", (drift) => String(last(drift).small?.pages ?? 0)),
    row("pages moved", (drift) => String(last(drift).slabsMoved ?? "–")),
  ]);
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const load: Load = {
    smallBytes: wholeNumber("small", options.small),
    largeBytes: wholeNumber("large", options.large),
    rate: wholeNumber("rate", options.rate),
    seconds: wholeNumber("seconds", options.seconds),
    report: wholeNumber("report", options.report),
  };
  await requireMemcached();
  const args = ["-t", options.threads, "-m", options.memory];
  const drifts: Drift[] = [];
  for (const start of STARTS) {
    await using server = await start(args);
    drifts.push(await drift(server, load));
  }
  for (const measured of drifts) {
    console.log(`${measured.server}:\n\n${course(measured)}`);
    for (const [text, times] of measured.errors) console.error(`${times} times: ${text}`);
  }
  console.log(
    `From ${load.smallBytes} to ${load.largeBytes} bytes, ${args.join(" ")}, ` +
      `${thousands(load.rate)} sets a second for ${load.seconds} s:\n`,
  );
  console.log(compare(drifts));
}

if (import.meta.main) await main();
