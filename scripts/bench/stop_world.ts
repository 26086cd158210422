// How long it takes to stop the world: SIGUSR2 makes memden check its store, again and again, at
// rest and under memcaslap. The server's log has the times of the switch; a get each millisecond,
// in turn on one conn per thread, shows what clients see of it, with and without the checks.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { startMemden, type TestServer } from "../../tests/support/server.ts";
import { markdownTable, sleep, thousands, wholeNumber } from "./comparison.ts";
import { runCaslap } from "./memcaslap.ts";
import { Probe } from "./pauses.ts";
import { RoundTrips } from "./round_trips.ts";
import { TextClient } from "./text_client.ts";
import { KEY_FORM, SetBatch } from "./text_requests.ts";
import { WORKLOADS } from "./workloads.ts";

const INTERVAL_MS = 1;
const WARM_PROBES = 1000;
const BATCH_SETS = 500;
const VALUE_BYTES = 100;
/** Rest between a check and the next signal. */
const REST_MS = 20;
/** Probes while no check is made. */
const CALM_PROBES = 5000;
/** Longest that a load runs: it is ended before the server. */
const LOAD_SECONDS = 600;
const WAIT_MS_MAX = 20_000;
const SHARES = [0.5, 0.99, 1];

/** The server's line: items, how long the world stood still, reports, last turn. */
const CHECKED =
  /^store checked: (\d+) items in ([\d.]+) ms; .* within ([\d.]+) ms, .* after ([\d.]+) ms$/gm;

const FLAGS = {
  memory: { type: "string", default: "1024" },
  threads: { type: "string", default: "4" },
  items: { type: "string", default: "10000" },
  switches: { type: "string", default: "200" },
} as const;

/** One check, as the log tells of it. */
interface Check {
  readonly items: number;
  readonly stillMs: number;
  readonly reportsMs: number;
  readonly lockMs: number;
}

/** Measured under one load. */
interface Measured {
  readonly load: string;
  readonly checks: readonly Check[];
  readonly calm: RoundTrips;
  readonly checked: RoundTrips;
}

function checksOf(server: TestServer): Check[] {
  return [...server.stderr().matchAll(CHECKED)].map(([, items, stillMs, reportsMs, lockMs]) => ({
    items: Number(items),
    stillMs: Number(stillMs),
    reportsMs: Number(reportsMs),
    lockMs: Number(lockMs),
  }));
}

async function fill(port: number, items: number): Promise<void> {
  using client = await TextClient.connect(port);
  const batch = new SetBatch(KEY_FORM, VALUE_BYTES, BATCH_SETS, true);
  for (let sent = 0; sent < items; sent += BATCH_SETS) await client.store(batch.from(sent));
}

/** Has the store checked `count` times. */
async function check(server: TestServer, count: number): Promise<void> {
  for (let done = 1; done <= count; done++) {
    Deno.kill(server.pid, "SIGUSR2");
    const deadline = performance.now() + WAIT_MS_MAX;
    while (checksOf(server).length < done) {
      if (performance.now() > deadline) throw new Error(`no check: ${server.stderr()}`);
      await sleep(1);
    }
    await sleep(REST_MS);
  }
}

async function probeWhile(probe: Probe, goesOn: (sent: number) => boolean): Promise<RoundTrips> {
  const trips = new RoundTrips(INTERVAL_MS);
  while (goesOn(trips.sent)) trips.add(await probe.next());
  return trips;
}

async function measure(
  server: TestServer,
  load: string,
  threads: number,
  switches: number,
): Promise<Measured> {
  using stack = new DisposableStack();
  const clients: TextClient[] = [];
  while (clients.length < threads) clients.push(stack.use(await TextClient.connect(server.port)));
  const probe = new Probe(clients);
  await probe.store();
  for (let sent = 0; sent < WARM_PROBES; sent++) await probe.next();
  const calm = await probeWhile(probe, (sent) => sent < CALM_PROBES);
  let isChecking = true;
  const [checked] = await Promise.all([
    probeWhile(probe, () => isChecking),
    check(server, switches).finally(() => isChecking = false),
  ]);
  return { load, checks: checksOf(server), calm, checked };
}

/** Middle and highest of some times, in words. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${sorted[sorted.length >> 1]?.toFixed(2)} / ${sorted.at(-1)?.toFixed(2)}`;
}

function row({ load, checks, calm, checked }: Measured): string[] {
  const trips = (of: RoundTrips): string =>
    of.percentiles(SHARES).map((ms) => ms.toFixed(2)).join(" / ");
  return [
    load,
    thousands(checks.at(-1)?.items ?? 0),
    spread(checks.map(({ reportsMs }) => reportsMs)),
    spread(checks.map(({ lockMs }) => lockMs)),
    spread(checks.map(({ stillMs }) => stillMs)),
    trips(calm),
    trips(checked),
  ];
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const threads = wholeNumber("threads", options.threads);
  const items = wholeNumber("items", options.items, 0);
  const switches = wholeNumber("switches", options.switches);
  const args = ["-t", options.threads, "-m", options.memory];
  const measured: Measured[] = [];
  const workload = WORKLOADS.find(({ name }) => name === "mixed-100");
  if (workload?.tool !== "memcaslap") throw new Error("No workload mixed-100");
  for (const load of ["idle", "9 get : 1 set, 50 conns"]) {
    await using server = await startMemden(args);
    await fill(server.port, items);
    const ending = new AbortController();
    const options = { seconds: LOAD_SECONDS, verify: false, signal: ending.signal };
    const loading = load === "idle"
      ? undefined
      : runCaslap(workload, server.port, options).catch(() => {}); // Fails when it is ended.
    measured.push(await measure(server, load, threads, switches));
    ending.abort();
    await loading;
    console.error(`${load}: done`);
  }
  console.log(
    `${switches} checks, ${REST_MS} ms between them. ${args.join(" ")}, ` +
      `${navigator.hardwareConcurrency} cores. Probe: a get each ${INTERVAL_MS} ms. In ms:\n`,
  );
  const head = [
    ["load", "items", "reported p50 / max", "last turn ended p50 / max", "stood still p50 / max"],
    ["probe p50 / p99 / max without checks", "with checks"],
  ].flat();
  console.log(markdownTable(head, measured.map(row)));
}

if (import.meta.main) await main();
