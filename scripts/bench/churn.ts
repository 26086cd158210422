// Short conns: connect, get, read the reply, close, a number of clients at a time, each over and
// over. Rounds alternate between the servers; each pair of rounds gives one ratio of rates.
//
// The load is churn.c, where there is a C compiler; otherwise Deno.connect, which is slow enough to
// hide differences between the servers, and says so. Conns in turn one by one: accept.ts.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import type { TestServer } from "../../tests/support/server.ts";
import { markdownTable, requireMemcached, STARTS, thousands, wholeNumber } from "./comparison.ts";
import { cpuSeconds } from "./process_stat.ts";
import { median, spread } from "./report.ts";
import { TextClient } from "./text_client.ts";

const SOURCE = new URL("churn.c", import.meta.url).pathname;
const KEY = "churn";
const VALUE = "x".repeat(100);
const REPLY = `VALUE ${KEY} 0 ${VALUE.length}\r\n${VALUE}\r\nEND\r\n`;
const WARM_SECONDS = 1;
const RATIO_AIM = 0.7;

const FLAGS = {
  pairs: { type: "string", default: "5" },
  clients: { type: "string", default: "16" },
  seconds: { type: "string", default: "2" },
  threads: { type: "string", default: "4" },
} as const;

/** What a load program came to. */
interface Churned {
  readonly served: number;
  readonly failed: number;
  readonly seconds: number;
}

/** Connects and closes on a server for some seconds. */
type Load = (port: number, clients: number, seconds: number) => Promise<Churned>;

/** One round on one server. */
interface Round {
  readonly perSecond: number;
  /** CPU of the server for one conn, in microseconds. */
  readonly cpuMicros: number;
  /** Cores that the server kept busy. */
  readonly cores: number;
}

/** Compiles churn.c to `program`; undefined where that cannot be. */
async function compiledLoad(program: string): Promise<Load | undefined> {
  // Found or not, by a shell: without one, Deno.Command throws.
  const { success } = await new Deno.Command("sh", {
    args: ["-c", `cc -O2 -o "$0" "$1"`, program, SOURCE],
  }).output();
  if (!success) return undefined;
  return async (port, clients, seconds) => {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [port, clients, seconds, KEY, REPLY.length].map(String),
    }).output();
    if (!success) throw new Error(`churn.c: ${new TextDecoder().decode(stderr)}`);
    return JSON.parse(new TextDecoder().decode(stdout));
  };
}

/** The same by Deno.connect. */
async function denoLoad(port: number, clients: number, seconds: number): Promise<Churned> {
  const request = new TextEncoder().encode(`get ${KEY}\r\n`);
  const start = performance.now();
  const end = start + seconds * 1000;
  let [served, failed] = [0, 0];
  const churn = async (): Promise<void> => {
    const bytes = new Uint8Array(2 * REPLY.length);
    while (performance.now() < end) {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await conn.write(request);
      let got = 0;
      for (let count: number | null = 0; count !== null && got < REPLY.length; got += count ?? 0) {
        count = await conn.read(bytes.subarray(got));
      }
      if (new TextDecoder().decode(bytes.subarray(0, got)) === REPLY) served++;
      else failed++;
    }
  };
  await Promise.all(Array.from({ length: clients }, churn));
  return { served, failed, seconds: (performance.now() - start) / 1000 };
}

async function measure(
  server: TestServer,
  load: Load,
  clients: number,
  seconds: number,
): Promise<Round> {
  const before = cpuSeconds(server.pid);
  const churned = await load(server.port, clients, seconds);
  const cpu = cpuSeconds(server.pid) - before;
  if (churned.failed > 0 || churned.served === 0) {
    throw new Error(`${server.name}: ${churned.failed} conns failed, ${churned.served} served`);
  }
  return {
    perSecond: churned.served / churned.seconds,
    cpuMicros: cpu * 1e6 / churned.served,
    cores: cpu / churned.seconds,
  };
}

function show(names: readonly string[], rounds: readonly (readonly Round[])[]): void {
  const rows = names.map((name, at) => {
    const own = rounds.map((pair) => pair[at]!);
    return [
      name,
      thousands(median(own.map(({ perSecond }) => perSecond))),
      median(own.map(({ cpuMicros }) => cpuMicros)).toFixed(1),
      median(own.map(({ cores }) => cores)).toFixed(2),
    ];
  });
  console.log(markdownTable(["server", "conns/s", "CPU µs/conn", "cores"], rows));
  const line = (what: string, of: (round: Round) => number): string => {
    const { min, median, max } = spread(rounds.map((pair) => of(pair[1]!) / of(pair[0]!)));
    return `${what}: ${median.toFixed(3)} (${min.toFixed(3)} to ${max.toFixed(3)})`;
  };
  console.log(line(`Rate of memden / memcached, aim ${RATIO_AIM}`, ({ perSecond }) => perSecond));
  console.log(line("CPU per conn of memden / memcached", ({ cpuMicros }) => cpuMicros));
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const pairs = wholeNumber("pairs", options.pairs);
  const clients = wholeNumber("clients", options.clients);
  const seconds = wholeNumber("seconds", options.seconds);
  await requireMemcached();
  await using stack = new AsyncDisposableStack();
  const program = await Deno.makeTempFile({ prefix: "churn_" });
  stack.defer(() => Deno.remove(program));
  const compiled = await compiledLoad(program);
  if (compiled === undefined) console.log("No C compiler: Deno is the client, and the bottleneck.");
  const load = compiled ?? denoLoad;

  const servers: TestServer[] = [];
  for (const start of STARTS) servers.push(stack.use(await start(["-t", options.threads])));
  for (const { port } of servers) {
    using client = await TextClient.connect(port);
    await client.store(new TextEncoder().encode(`set ${KEY} 0 0 ${VALUE.length}\r\n${VALUE}\r\n`));
  }
  for (const server of servers) await measure(server, load, clients, WARM_SECONDS);
  const rounds: Round[][] = [];
  while (rounds.length < pairs) {
    const pair: Round[] = [];
    for (const server of servers) pair.push(await measure(server, load, clients, seconds));
    rounds.push(pair);
  }
  console.log(
    `${clients} clients connect, get ${VALUE.length} bytes and close; ${pairs} pairs of ` +
      `${seconds} s rounds, -t ${options.threads}, ${navigator.hardwareConcurrency} cores:\n`,
  );
  show(servers.map(({ name }) => name), rounds);
}

if (import.meta.main) await main();
