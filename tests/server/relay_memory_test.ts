// Goal: what clients make the relay hold stays within its windows, and the memory goes back to the
// system when they go.
// Method: a hundred clients that do not read, of each kind; the process's resident memory before,
// during and after.

import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import type { Link } from "../conformance/link.ts";
import { startMemden, type TestServer } from "../support/server.ts";
import { ask, dial, pause, readStats, until } from "../support/talk.ts";

const CLIENTS = 100;
const LARGE_BYTES = 1_000_000;
/**
 * Windows of 256 KiB in both directions, buffers of 48 KiB, with TLS as much again and a session;
 * and as much as the process grows by itself. Without bounds it was more than twice as much.
 */
const GROWTH_MIB_MAX = 90;
/** What V8 and the allocator keep. Nothing came back before. */
const KEPT_MIB_MAX = 50;

const SCRIPT = new URL("slow_clients.py", import.meta.url).pathname;
const MIB_KIB = 1024;

function residentMib({ pid }: TestServer): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / MIB_KIB;
}

/** Polls until hardly more than the answers to the polls is sent. */
async function untilNothingMoves(link: Link): Promise<void> {
  let [before, quiet] = [0, 0];
  await until("the server has nothing to do", async () => {
    const stats = await readStats(link);
    const moved = Number(stats.get("bytes_read")) + Number(stats.get("bytes_written"));
    quiet = moved - before < 10_000 ? quiet + 1 : 0;
    before = moved;
    if (quiet < 20) await pause(50);
    return quiet === 20;
  });
}

async function growth(server: TestServer, link: Link, kind: string): Promise<[number, number]> {
  const before = residentMib(server);
  const over = "certificate" in server.address ? "tls" : "plain";
  const crowd = new Deno.Command("python3", {
    args: [SCRIPT, String(server.port), String(CLIENTS), over, kind],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const { value } = await crowd.stdout.getReader().read();
  assertMatch(new TextDecoder().decode(value), /^sent/);
  await untilNothingMoves(link);
  const during = residentMib(server) - before;
  await crowd.stdin.close();
  await crowd.status;
  await until("they are gone", async () => {
    return (await readStats(link)).get("curr_connections") === "1";
  });
  return [during, residentMib(server) - before];
}

for (const over of ["relay", "no-ffi", "relay-tls"] as const) {
  Deno.test(`memden, ${over}: clients that do not read cost little, gone nothing`, async () => {
    await using server = await startMemden(["-t", "4"], { over });
    using link = await dial(server.address);
    const large = "x".repeat(LARGE_BYTES);
    assertEquals(await ask(link, `set large 0 0 ${large.length}\r\n${large}`), "STORED");
    assertEquals(await ask(link, "set small 0 0 4\r\nabcd"), "STORED");
    await readStats(link);
    const seen: string[] = [];
    for (const kind of ["large", "small", "values", "parts", "large"]) {
      const [during, after] = await growth(server, link, kind);
      seen.push(`${kind}: ${during.toFixed()} MiB more, then ${after.toFixed()}`);
      assertLess(during, GROWTH_MIB_MAX, seen.join("; "));
      assertLess(after, KEPT_MIB_MAX, seen.join("; "));
    }
    assertEquals(await ask(link, "mn"), "MN");
    assert(await server.stop() === 0);
  });
}
