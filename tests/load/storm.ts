// Twice as many connections as -c allows, opened as fast as clients can.
//
// Half of the client programs talk as soon as they are connected, the others listen first. Who is
// refused and has said nothing gets the error line and the end of the stream, always. Who has said
// something may find the connection reset, and the line lost with it: the kernel resets a socket
// that is closed with bytes in it that nobody read.
//
// When the listen queue overflows, Linux answers with SYN cookies. Such a connection is open to the
// client but unknown to the server until the client says something, so the counts are final only
// once everyone has.
// deno-lint-ignore-file no-console

import { statNumber, TextClient } from "../../scripts/bench/text_client.ts";
import { startMemden } from "../support/server.ts";
import { type Checks, settled } from "./checks.ts";
import { LoadClient } from "./client.ts";
import { compare, Probe, type Probed } from "./probe.ts";

const CONNS_WANTED = 20_000;
const PROCESSES = 4;
/** Descriptors that the server has besides its connections, and more. */
const DESCRIPTORS_SPARE = 200;
const THREADS = 2;
const PROBES = 10_000;
const P50_RATIO_MAX = 4;

/** Refused connections: line and end of stream; line, then reset; no line. */
interface Refused {
  readonly refused: number;
  readonly reset: number;
  readonly lost: number;
}

/** What became of the connections of one client program. */
interface Fates {
  readonly answered: number;
  readonly wrong: number;
  readonly silent: Refused;
  readonly talked: Refused;
  readonly examples: readonly string[];
}

/** What the connections of one program came to when they were opened. */
interface Opened {
  readonly seconds: number;
  readonly missing: number;
}

function hardDescriptorLimit(): number {
  const { stdout } = new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).outputSync();
  const text = new TextDecoder().decode(stdout).trim();
  return text === "unlimited" ? Infinity : Number(text);
}

/** The most connections that the machine allows: 20,000 if it can be. */
function connsToOpen(): number {
  const limit = hardDescriptorLimit();
  const most = Math.min(CONNS_WANTED, 2 * (limit - DESCRIPTORS_SPARE));
  if (most >= CONNS_WANTED) return CONNS_WANTED;
  console.log(`SCALED DOWN: ${limit} descriptors allowed: ${most} conns, not ${CONNS_WANTED}`);
  return most - most % PROCESSES;
}

/** Opens all connections at once, has them answered, and closes them. */
export async function storm(checks: Checks): Promise<void> {
  const total = connsToOpen();
  const limit = total / 2;
  await using server = await startMemden(["-t", String(THREADS), "-c", String(limit)]);
  using control = await TextClient.connect(server.port);
  await using probe = new Probe(server.port, THREADS);
  await control.store(new TextEncoder().encode("set load 0 0 5\r\nstorm\r\n"));
  const alone = await probe.run(PROBES, 0);
  const own = 1 + THREADS;
  checks.equal(await settled(control, "curr_connections", own), own, "conns before the storm");
  const before = statNumber(await control.stats(), "rejected_connections");

  await using stack = new AsyncDisposableStack();
  const clients = Array.from({ length: PROCESSES }, (_, index) =>
    stack.use(
      new LoadClient("storm.py", [server.port, total / PROCESSES, index % 2 ? "talk" : "listen"]),
    ));
  const opened = await Promise.all(clients.map((client) => client.ask<Opened>("open")));
  const seconds = Math.max(...opened.map((part) => part.seconds));
  console.log(`${total} conns opened in ${seconds.toFixed(1)} s`);
  checks.equal(opened.reduce((sum, part) => sum + part.missing, 0), 0, "conns not opened");
  const parts = await Promise.all(clients.map((client) => client.ask<Fates>("answer")));
  checkFates(checks, parts, limit - own);
  const refused = total - (limit - own);
  const counted = await settled(control, "rejected_connections", before + refused);
  checks.equal(counted - before, refused, "rejected_connections");
  checks.equal(await settled(control, "curr_connections", limit), limit, "curr_connections");

  const crowded = await probe.run(PROBES, 0);
  checkProbe(checks, alone, crowded, limit);
  await Promise.all(clients.map((client) => client.ask("close")));
  checks.equal(await settled(control, "curr_connections", own), own, "conns after the storm");
  using late = await TextClient.connect(server.port);
  checks.check((await late.stats()).size > 0, "a new conn is served after the storm");
  checks.equal(await server.stop(), 0, "exit code");
}

function checkFates(checks: Checks, parts: readonly Fates[], accepted: number): void {
  const sum = (of: (part: Fates) => number) => parts.reduce((all, part) => all + of(part), 0);
  const line = (name: "silent" | "talked") =>
    `${sum((part) => part[name].refused)} with the line, ` +
    `${sum((part) => part[name].reset)} reset after it, ${
      sum((part) => part[name].lost)
    } without it`;
  checks.equal(sum((part) => part.answered), accepted, "accepted conns that answer mn and get");
  checks.equal(sum((part) => part.wrong), 0, "conns with a wrong reply");
  for (const example of parts.flatMap((part) => part.examples)) console.log(`  ${example}`);
  const inexact = sum(({ silent }) => silent.reset + silent.lost);
  const what = "refused conns that were silent got line and end of stream";
  checks.check(inexact === 0 && sum(({ silent }) => silent.refused) > 0, what, line("silent"));
  console.log(`refused conns that had talked: ${line("talked")}`);
}

function checkProbe(checks: Checks, alone: Probed, crowded: Probed, conns: number): void {
  checks.equal(alone.wrong + crowded.wrong, 0, "wrong replies to the probe");
  console.log(`probe alone: p50 ${alone.p50.toFixed(3)} ms, p99 ${alone.p99.toFixed(3)} ms`);
  const ratio = crowded.p50 / alone.p50;
  const what = `probe with ${conns} conns, p50 at most ${P50_RATIO_MAX} times (aim: 2)`;
  checks.check(ratio <= P50_RATIO_MAX, what, compare(alone, crowded));
}
