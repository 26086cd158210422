// What --admin costs: server CPU of a get while /metrics is scraped once a second, beside that of a
// server without it, in turns; and the memory of both at rest.
//
//   --rounds 5        pairs of runs
//   --seconds 6       of each run
//   --scrape-ms 1000  time between two scrapes
//
// The load is memcaslap's: gets of 100 bytes over 16 connections, as in load.ts.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { freePort, startMemden } from "../../tests/support/server.ts";
import { markdownTable, wholeNumber } from "./comparison.ts";
import { runCaslap } from "./memcaslap.ts";
import { cpuSeconds, rssBytes } from "./process_stat.ts";
import { WORKLOADS } from "./workloads.ts";

const REST_MS = 4000;
const KINDS = ["without", "with"] as const;

/** One run: CPU microseconds of an operation, and the memory before it, in bytes. */
interface Run {
  readonly micros: number;
  readonly rss: number;
}

/** Scrapes as Prometheus does, until told to stop; returns how often it did. */
function startScraping(port: number, everyMs: number): { stop(): number } {
  let count = 0;
  const headers = { accept: "application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1" };
  const timer = setInterval(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
    await response.text();
    count++;
  }, everyMs);
  return {
    stop: () => {
      clearInterval(timer);
      return count;
    },
  };
}

async function measure(hasAdmin: boolean, seconds: number, everyMs: number): Promise<Run> {
  const port = freePort();
  const args = ["-t", "1", "-m", "512", ...(hasAdmin ? [`--admin=${port}`] : [])];
  await using server = await startMemden(args);
  await new Promise((resolve) => setTimeout(resolve, REST_MS));
  const rss = rssBytes(server.pid);
  const [workload] = WORKLOADS;
  if (workload?.tool !== "memcaslap") throw new Error("The first workload is not memcaslap's");
  const scraping = hasAdmin ? startScraping(port, everyMs) : undefined;
  const before = cpuSeconds(server.pid);
  const { gets, sets } = await runCaslap(workload, server.port, { seconds, verify: false });
  const used = cpuSeconds(server.pid) - before;
  if (scraping?.stop() === 0) throw new Error("Nothing was scraped");
  return { micros: used * 1e6 / (gets + sets), rss };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, {
    string: ["rounds", "seconds", "scrape-ms"],
    default: { rounds: "5", seconds: "6", "scrape-ms": "1000" },
  });
  const rounds = wholeNumber("rounds", flags.rounds);
  const seconds = wholeNumber("seconds", flags.seconds);
  const everyMs = wholeNumber("scrape-ms", flags["scrape-ms"]);
  const runs: Record<typeof KINDS[number], Run[]> = { without: [], with: [] };
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? KINDS : KINDS.toReversed();
    for (const kind of order) runs[kind].push(await measure(kind === "with", seconds, everyMs));
  }
  const ratios = runs.with.map(({ micros }, round) => micros / runs.without[round]!.micros);
  const rows = KINDS.map((kind) => [
    `${kind} --admin`,
    runs[kind].map(({ micros }) => micros.toFixed(2)).join(" "),
    (median(runs[kind].map(({ rss }) => rss)) / 2 ** 20).toFixed(1),
  ]);
  console.log(markdownTable(["server", "CPU µs per operation", "MiB at rest"], rows));
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
  const range = `${low.toFixed(2)}–${high.toFixed(2)}`;
  console.log(`ratio of pairs: ${median(ratios).toFixed(2)} (${range})`);
}
