// CPU time of a get over TLS, memden beside Debian's memcached -Z, in turns; and the memory that
// many handshakes leave behind.
//
//   --rounds 3         runs of each server, one after the other
//   --seconds 4        of each run
//   --handshakes 0     connections to make and close afterwards, a quarter of them no TLS at all
//
// The load comes from Python's ssl, so that no compiler is needed: conns in several processes, each
// with one command, or 16, under way. The server's CPU time counts; the rate is the client's.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { makeCertificates } from "../../tests/tls/certificates.ts";
import { markdownTable, requireMemcached, STARTS, wholeNumber } from "./comparison.ts";
import { cpuSeconds, rssBytes } from "./process_stat.ts";

const DEPTHS = [1, 16] as const;
const VALUE_BYTES = 100;
const PROCESSES = 2;
const CONNS = 8;
const WARM_UP_MS = 1500;
const HANDSHAKE_STEP = 5000;
const SCRIPT = new URL("./tls_load.py", import.meta.url).pathname;

type Start = typeof STARTS[number];

/** One run: CPU microseconds for each get, and gets a second. */
interface Run {
  readonly micros: number;
  readonly rate: number;
}

function spawn(args: readonly (string | number)[]): Deno.ChildProcess {
  const command = new Deno.Command("python3", {
    args: [SCRIPT, ...args.map(String)],
    stdin: "null",
    stdout: "piped",
  });
  return command.spawn();
}

function tlsOptions(folder: string): string[] {
  const files = `ssl_chain_cert=${folder}/server.crt,ssl_key=${folder}/server.key`;
  return ["-Z", "-o", files];
}

async function measure(start: Start, folder: string, depth: number, seconds: number): Promise<Run> {
  await using server = await start(["-t", "1", ...tlsOptions(folder)]);
  await spawn(["set", server.port, VALUE_BYTES]).status;
  const until = seconds + WARM_UP_MS / 1000 + 1;
  const clients = Array.from(
    { length: PROCESSES },
    () => spawn(["get", server.port, CONNS, depth, until]),
  );
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const gets = await getsOf(server.port);
  const cpu = cpuSeconds(server.pid);
  const from = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const used = cpuSeconds(server.pid) - cpu;
  const done = await getsOf(server.port) - gets;
  const passed = (performance.now() - from) / 1000;
  await Promise.all(clients.map((client) => client.status));
  return { micros: used * 1e6 / done, rate: done / passed };
}

/** How many gets the server has answered. */
async function getsOf(port: number): Promise<number> {
  const { stdout } = await spawn(["count", port]).output();
  return Number(new TextDecoder().decode(stdout));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function compare(folder: string, rounds: number, seconds: number): Promise<void> {
  const rows: string[][] = [];
  for (const depth of DEPTHS) {
    const runs: Run[][] = STARTS.map(() => []);
    for (let round = 0; round < rounds; round++) {
      for (const [at, start] of STARTS.entries()) {
        runs[at]!.push(await measure(start, folder, depth, seconds));
      }
    }
    const micros = runs.map((of) => median(of.map((run) => run.micros)));
    const rates = runs.map((of) => median(of.map((run) => run.rate)));
    rows.push([
      depth === 1 ? "one at a time" : `${depth} under way`,
      ...micros.map((value) => value.toFixed(1)),
      (micros[1]! / micros[0]!).toFixed(2),
      ...rates.map((value) => value.toFixed(0)),
    ]);
  }
  const head = ["gets", "memcached µs", "memden µs", "ratio", "memcached gets/s", "memden gets/s"];
  console.log(markdownTable(head, rows));
}

/** Resident memory after each 5,000 handshakes, of each server. */
async function handshakes(folder: string, count: number): Promise<void> {
  const rows: string[][] = [];
  for (const start of STARTS) {
    await using server = await start(["-t", "4", ...tlsOptions(folder)]);
    const cells: string[] = [`${(rssBytes(server.pid) / 1e6).toFixed(0)}`];
    for (let done = 0; done < count; done += HANDSHAKE_STEP) {
      await spawn(["connect", server.port, HANDSHAKE_STEP]).status;
      cells.push((rssBytes(server.pid) / 1e6).toFixed(0));
    }
    rows.push([server.name, ...cells]);
  }
  const steps = Array.from({ length: rows[0]!.length - 1 }, (_, at) => `${at * HANDSHAKE_STEP}`);
  console.log(markdownTable(["MB resident after connections", ...steps], rows));
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, {
    string: ["rounds", "seconds", "handshakes"],
    default: { rounds: "3", seconds: "4", handshakes: "0" },
  });
  await requireMemcached();
  const folder = Deno.makeTempDirSync({ prefix: "memden-tls-" });
  Deno.chmodSync(folder, 0o755);
  await makeCertificates(folder);
  const rounds = wholeNumber("rounds", flags.rounds, 0);
  if (rounds > 0) await compare(folder, rounds, wholeNumber("seconds", flags.seconds));
  const count = wholeNumber("handshakes", flags.handshakes, 0);
  if (count > 0) await handshakes(folder, count);
  Deno.removeSync(folder, { recursive: true });
}

if (import.meta.main) await main();
