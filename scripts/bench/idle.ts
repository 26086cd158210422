// What an idle connection costs: resident memory of memden and of memcached per open conn.
//
// Each conn makes one exchange (a get that misses), so that whatever the server allots on first use
// is counted, and then stays open. The first conns are not counted: they page in code and grow
// heaps to what any server in use has once. Servers are measured one after the other.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { ensurePackages } from "../../tests/support/packages.ts";
import { startMemcached, startMemden, type TestServer } from "../../tests/support/server.ts";
import { rssBytes } from "./process_stat.ts";

const OPENING_AT_ONCE = 100;
/** Conns that are open before the count begins. */
const WARM_CONNS = 2000;
/** Descriptors that a process needs besides its conns. */
const SPARE_DESCRIPTORS = 8000;
/** Time for the server's allocations and its garbage collector to come to rest, in milliseconds. */
const SETTLE_MS = 2000;

const REQUEST = new TextEncoder().encode("get idle\r\n");
const REPLY = "END\r\n";

const FLAGS = {
  conns: { type: "string", default: "10000" },
  threads: { type: "string", default: "4" },
} as const;

/** Measured on one server. */
interface Idle {
  readonly server: string;
  readonly conns: number;
  readonly rssBytesBefore: number;
  readonly rssBytesOpen: number;
  readonly bytesPerConn: number;
}

/** Raises this process's limit of open descriptors; the servers inherit it. */
async function raiseDescriptorLimit(count: number): Promise<void> {
  const { success, stderr } = await new Deno.Command("prlimit", {
    args: ["--pid", String(Deno.pid), `--nofile=${count}:${count}`],
  }).output();
  if (!success) {
    throw new Error(`Cannot allow ${count} descriptors: ${new TextDecoder().decode(stderr)}`);
  }
}

async function openOne(port: number): Promise<Deno.Conn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(REQUEST);
  let got = "";
  const bytes = new Uint8Array(64);
  while (got.length < REPLY.length) {
    const count = await conn.read(bytes);
    if (count === null) throw new Error(`Server closed a new conn; it had said "${got}"`);
    got += new TextDecoder().decode(bytes.subarray(0, count));
  }
  if (got !== REPLY) throw new Error(`Server answered "${got}" instead of "${REPLY}"`);
  return conn;
}

async function currentConns(port: number): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("stats\r\n"));
  let text = "";
  const bytes = new Uint8Array(65536);
  while (!text.endsWith("END\r\n")) {
    const count = await conn.read(bytes);
    if (count === null) break;
    text += new TextDecoder().decode(bytes.subarray(0, count));
  }
  return Number(/^STAT curr_connections (\d+)\r$/m.exec(text)?.[1]);
}

async function openMany(port: number, count: number): Promise<Deno.Conn[]> {
  const conns: Deno.Conn[] = [];
  while (conns.length < count) {
    const batch = Math.min(OPENING_AT_ONCE, count - conns.length);
    conns.push(...await Promise.all(Array.from({ length: batch }, () => openOne(port))));
  }
  return conns;
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

async function measure(server: TestServer, count: number): Promise<Idle> {
  const warm = await openMany(server.port, WARM_CONNS);
  await settle();
  const before = rssBytes(server.pid);
  const conns = await openMany(server.port, count);
  await settle();
  const open = rssBytes(server.pid);
  const alive = await currentConns(server.port);
  if (!(alive >= count + WARM_CONNS)) {
    throw new Error(`${server.name} holds ${alive} conns, not ${count}`);
  }
  for (const conn of [...warm, ...conns]) conn.close();
  return {
    server: server.name,
    conns: count,
    rssBytesBefore: before,
    rssBytesOpen: open,
    bytesPerConn: Math.round((open - before) / count),
  };
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const count = Number(options.conns);
  if (!(await ensurePackages(["memcached"]))) {
    console.error("SKIPPED: memcached is not installed and cannot be");
    Deno.exit(1);
  }
  await raiseDescriptorLimit(count + SPARE_DESCRIPTORS);
  const args = ["-c", String(count + SPARE_DESCRIPTORS / 2), "-t", options.threads];
  const measured: Idle[] = [];
  for (const start of [startMemcached, startMemden]) {
    await using server = await start(args);
    measured.push(await measure(server, count));
  }
  for (const { server, rssBytesBefore, rssBytesOpen, bytesPerConn } of measured) {
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    console.error(
      `${server}: ${mib(rssBytesBefore)} MiB before, ${mib(rssBytesOpen)} MiB with ${count} idle ` +
        `conns: ${bytesPerConn} bytes per conn`,
    );
  }
  console.log(JSON.stringify(measured));
}

if (import.meta.main) await main();
