// Goal: whatever comes to the admin port, clients of the cache get the connections that -c allows,
// and whatever clients do, the admin port answers.
// Method: as many descriptors as memden asks for, and no more.

import { assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import type { Link } from "../conformance/link.ts";
import { freePort, startMemden, type TestServer } from "../support/server.ts";
import { ask, dial, hear, readStats, until } from "../support/talk.ts";

const CLIENTS = 20;
/** What memden asks for with these: clients, its own, three threads', the admin port's. */
const DESCRIPTORS = CLIENTS + 48 + 3 * 8 + 66;
const ADMIN_CONNS = 64;

interface Started {
  readonly server: TestServer;
  readonly adminPort: number;
}

async function start(descriptors = DESCRIPTORS): Promise<Started> {
  const adminPort = freePort();
  const server = await startMemden(["-t", "1", "-c", String(CLIENTS), `--admin=${adminPort}`], {
    launcher: ["prlimit", `--nofile=${descriptors}:${descriptors}`],
  });
  await until("the admin port answers", async () => await isHealthy(adminPort));
  return { server, adminPort };
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`);
    return await response.text() === "ok\n";
  } catch {
    return false;
  }
}

/** Connections that stay until the server closes them. */
interface Crowd {
  /** How many it has not closed. */
  open(): number;
  leave(): void;
}

/** Opens connections to the admin port that say `text`. */
async function crowd(port: number, count: number, text: string): Promise<Crowd> {
  const conns = new Set<Deno.Conn>();
  const closed = new Set<Deno.Conn>();
  for (let index = 0; index < count; index++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    conns.add(conn);
    // Some are closed before.
    await conn.write(new TextEncoder().encode(text)).catch(() => {});
    void conn.read(new Uint8Array(1)).catch(() => null).then(() => closed.add(conn));
  }
  return {
    open: () => conns.size - closed.size,
    leave: () => {
      for (const conn of conns) conn.close();
    },
  };
}

/** Clients that all are served at the same time. */
async function dialAll(server: TestServer, count: number): Promise<Link[]> {
  const links: Link[] = [];
  for (let index = 0; index < count; index++) links.push(await dial(server.address));
  for (const link of links) assertEquals(await ask(link, "mn"), "MN");
  return links;
}

for (const [name, text] of [["half requests", "GET /met"], ["silent connections", ""]] as const) {
  Deno.test(`500 ${name} to the admin port take nothing from the clients`, async () => {
    const { server, adminPort } = await start();
    await using _ = server;
    const visitors = await crowd(adminPort, 500, text);
    const links = await dialAll(server, CLIENTS);
    await until("no more stay than may", () => Promise.resolve(visitors.open() <= ADMIN_CONNS));
    for (const link of links) assertEquals(await ask(link, "mn"), "MN");
    const stats = await readStats(links[0]!);
    assertEquals(stats.get("rejected_connections"), "0");
    // They stay; their places do not stay theirs.
    await until("the admin port answers", async () => await isHealthy(adminPort));
    visitors.leave();
    for (const link of links) link.close();
    assertEquals(server.stderr().includes("Too many open files"), false);
  });
}

Deno.test("clients at the limit take nothing from the admin port", async () => {
  const { server, adminPort } = await start();
  await using _ = server;
  const links = await dialAll(server, CLIENTS);
  for (let count = 0; count < 5; count++) {
    using over = await dial(server.address);
    assertEquals(await hear(over), "ERROR Too many open connections");
  }
  assertEquals(await isHealthy(adminPort), true);
  for (const link of links) link.close();
});

Deno.test("with too few descriptors clients have fewer, the admin port its own", async () => {
  const { server, adminPort } = await start(DESCRIPTORS - 24);
  await using _ = server;
  assertMatch(server.stderr(), /descriptor limit is 134; -c 20 needs 158\n/);
  const visitors = await crowd(adminPort, 500, "GET /met");
  const links: Link[] = [];
  for (let answer = "MN"; answer === "MN";) {
    const link = await dial(server.address);
    links.push(link);
    answer = await ask(link, "mn").catch(() => "") || "";
    if (answer !== "MN") assertEquals(answer, "ERROR Too many open connections");
  }
  const served = links.length - 1;
  assertGreater(served, 0);
  assertLess(served, CLIENTS);
  visitors.leave();
  await until("the admin port answers", async () => await isHealthy(adminPort));
  for (const link of links) link.close();
});
