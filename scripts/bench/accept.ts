// Accept to first reply: connect, send `version`, read the reply, close; one conn after the other.
// Rounds alternate between the servers; each pair of rounds gives one ratio of medians.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { ensurePackages } from "../../tests/support/packages.ts";
import { startMemcached, startMemden } from "../../tests/support/server.ts";
import { median, spread } from "./report.ts";

const REQUEST = new TextEncoder().encode("version\r\n");
const LINE_FEED = 10;
/** Closed conns keep their port for a minute; stay well below the 28,000 that Linux has. */
const CONNS_MAX = 20_000;

const FLAGS = {
  rounds: { type: "string", default: "20" },
  conns: { type: "string", default: "200" },
  threads: { type: "string", default: "4" },
} as const;

/** Milliseconds from connecting to the end of the first reply. */
async function acceptMs(port: number, bytes: Uint8Array): Promise<number> {
  const startMs = performance.now();
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(REQUEST);
  let filled = 0;
  while (bytes[filled - 1] !== LINE_FEED) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) throw new Error("Server closed the conn before its reply");
    filled += count;
  }
  const elapsedMs = performance.now() - startMs;
  const reply = new TextDecoder().decode(bytes.subarray(0, filled));
  if (!reply.startsWith("VERSION ")) throw new Error(`Server answered "${reply}"`);
  return elapsedMs;
}

async function round(port: number, conns: number): Promise<number[]> {
  const bytes = new Uint8Array(256);
  const times: number[] = [];
  while (times.length < conns) times.push(await acceptMs(port, bytes));
  return times;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const rounds = Number(options.rounds);
  const conns = Number(options.conns);
  if (rounds * conns * 2 > CONNS_MAX) throw new Error(`At most ${CONNS_MAX} conns in all`);
  if (!(await ensurePackages(["memcached"]))) {
    console.error("SKIPPED: memcached is not installed and cannot be");
    Deno.exit(1);
  }
  await using memcached = await startMemcached(["-t", options.threads]);
  await using memden = await startMemden(["-t", options.threads]);
  const servers = [memcached, memden] as const;
  const times = { memcached: [] as number[], memden: [] as number[] };
  const ratios: number[] = [];
  for (const server of servers) await round(server.port, conns);
  for (let count = 0; count < rounds; count++) {
    const medians: number[] = [];
    for (const server of servers) {
      const measured = await round(server.port, conns);
      times[server.name].push(...measured);
      medians.push(median(measured));
    }
    ratios.push(medians[1]! / medians[0]!);
  }
  const summary = (values: readonly number[]): { medianMs: number; p99Ms: number } => ({
    medianMs: Number(median(values).toFixed(4)),
    p99Ms: Number(percentile(values, 0.99).toFixed(4)),
  });
  console.log(JSON.stringify({
    rounds,
    conns,
    memcached: summary(times.memcached),
    memden: summary(times.memden),
    ratio: spread(ratios),
  }));
}

if (import.meta.main) await main();
