// A client that behaves beside many that do not: they read nothing, send a byte a second, break
// off, or stop in a value. It gets right replies, and the server's memory stays bounded.
//
// The bounds come from the design. A connection that holds bytes has at most a read buffer and a
// reply buffer; the values that are under way are in item memory, of which only touched pages are
// resident. Both are shared mappings. In V8's heap, anonymous memory, is the connection's record.
// deno-lint-ignore-file no-console

import { READ_BYTES, REPLY_BYTES } from "../../lib/net/buffer_pool.ts";
import { sleep } from "../../scripts/bench/comparison.ts";
import { cpuSeconds, type Resident, residentBytes } from "../../scripts/bench/process_stat.ts";
import { TextClient } from "../../scripts/bench/text_client.ts";
import { startMemden, type TestServer } from "../support/server.ts";
import { type Checks, settled, usedChunks } from "./checks.ts";
import { LoadClient } from "./client.ts";
import { compare, Probe, type Probed } from "./probe.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const THREADS = 2;
const PROBES = 1500;
const INTERVAL_MS = 1;
/** Record of a connection and its session, far above what it takes. */
const RECORD_BYTES = 8 * KIB;
/** Pages that a value touches besides its bytes. */
const VALUE_EDGE_BYTES = 8 * KIB;
/** What V8 does in its own time: compiled code, a heap that grows before it shrinks. */
const SLACK_BYTES = 48 * MIB;
const IDLE_MS = 1000;
const IDLE_SHARE_MAX = 0.2;

/** One kind of clients. */
interface Kind {
  readonly name: string;
  /** Conns; for those that come and go, as many at once. */
  readonly count: number;
  /** Bytes of values that each may have under way. */
  readonly valueBytes: number;
  /** Conns that the server may have at once, when not `count`: it learns later of their end. */
  readonly countMax?: number;
}

const KINDS: readonly Kind[] = [
  // The same load without watchers and with them: what they add is the difference.
  { name: "talker", count: 0, valueBytes: 0, countMax: 1 },
  { name: "deaf-watchers", count: 20, valueBytes: 0, countMax: 21 },
  { name: "slow-readers", count: 200, valueBytes: 0 },
  { name: "slow-writers", count: 200, valueBytes: 3 },
  { name: "half-closed", count: 20, valueBytes: 0, countMax: 100 },
  { name: "resets", count: 10, valueBytes: 100_000, countMax: 200 },
  { name: "stuck", count: 1000, valueBytes: 250_000 },
];

/** Answer of company.py when its clients have ended. */
interface Ended {
  readonly right: number;
  readonly wrong: readonly string[];
}

/** The server, and how it was before. */
interface Scene {
  readonly server: TestServer;
  readonly control: TextClient;
  readonly probe: Probe;
  readonly alone: Probed;
  readonly own: number;
}

/** Measures a probe alone, then beside each kind of clients. */
export async function badCompany(checks: Checks, start = startMemden): Promise<void> {
  await using server = await start(["-t", String(THREADS), "-m", "1024", "-c", "4096"]);
  using control = await TextClient.connect(server.port);
  await using probe = new Probe(server.port, THREADS);
  const big = "x".repeat(1_000_000);
  const sets = `set big 0 0 1000000\r\n${big}\r\nset small 0 0 5\r\nsmall\r\n`;
  const errors = await control.store(new TextEncoder().encode(sets));
  checks.equal(errors.size, 0, "refusals of the first values");
  await probe.run(PROBES, 0);
  const alone = await probe.run(PROBES, INTERVAL_MS);
  console.log(
    `${server.name}, probe alone: p50 ${alone.p50.toFixed(3)} ms, p99 ${alone.p99.toFixed(3)} ms`,
  );
  checks.equal(alone.wrong, 0, "wrong replies to the probe alone");
  const scene = { server, control, probe, alone, own: 1 + THREADS };
  const chunks = await usedChunks(control);
  for (const kind of KINDS) await withCompany(checks, scene, kind);

  checks.equal(await usedChunks(control), chunks, "chunks in use when all have gone");
  const busy = await idleShare(server.pid);
  checks.check(busy < IDLE_SHARE_MAX, "CPU of the server at rest", `${(busy * 100).toFixed(1)} %`);
  const after = await probe.run(PROBES, INTERVAL_MS);
  console.log(`all gone: probe ${compare(alone, after)}`);
  checks.equal(after.wrong, 0, "wrong replies when all have gone");
  checks.equal(await server.stop(), 0, "exit code");
}

async function withCompany(checks: Checks, scene: Scene, kind: Kind): Promise<void> {
  const { server, control, probe, alone, own } = scene;
  const before = residentBytes(server.pid);
  let highest: Resident;
  {
    await using company = new LoadClient("company.py", [server.port, kind.name, kind.count]);
    const [coming] = await Promise.all([
      probe.run(PROBES, INTERVAL_MS),
      company.ask("start"),
    ]);
    const staying = await probe.run(PROBES, INTERVAL_MS);
    highest = residentBytes(server.pid);
    console.log(`${kind.name} come: probe ${compare(alone, coming)}`);
    console.log(`${kind.name} stay: probe ${compare(alone, staying)}`);
    checks.equal(coming.wrong + staying.wrong, 0, `${kind.name}: wrong replies to the probe`);
    for (const example of [...coming.examples, ...staying.examples]) console.log(`  ${example}`);
    const ended = await company.ask<Ended>("stop");
    const wrong = ended.wrong.join("; ");
    checks.check(
      wrong === "" && ended.right > 0,
      `${kind.name}: clients served right`,
      wrong ||
        ended.right,
    );
  }
  if (server.name === "memden") checkGrowth(checks, kind, before, highest);
  const left = await settled(control, "curr_connections", own);
  checks.equal(left, own, `${kind.name}: conns when they have gone`);
}

function checkGrowth(checks: Checks, kind: Kind, before: Resident, after: Resident): void {
  const conns = kind.countMax ?? kind.count;
  const perConn = READ_BYTES + REPLY_BYTES +
    (kind.valueBytes > 0 ? kind.valueBytes + VALUE_EDGE_BYTES : 0);
  const shared = after.sharedBytes - before.sharedBytes;
  const own = after.anonymousBytes - before.anonymousBytes;
  const bound = (name: string, grown: number, most: number) =>
    checks.check(
      grown <= most,
      `${kind.name}: ${name} grew`,
      `${(grown / MIB).toFixed(1)} MiB of ${(most / MIB).toFixed(1)}`,
    );
  bound("RssShmem", shared, conns * perConn + SLACK_BYTES / 4);
  bound("RssAnon", own, conns * RECORD_BYTES + SLACK_BYTES);
}

/** The share of a core that `pid` uses when nobody asks anything of it. */
async function idleShare(pid: number): Promise<number> {
  await sleep(IDLE_MS / 2);
  const before = cpuSeconds(pid);
  const start = performance.now();
  await sleep(IDLE_MS);
  return (cpuSeconds(pid) - before) * 1000 / (performance.now() - start);
}
