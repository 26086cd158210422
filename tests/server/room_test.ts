// Goal: no client is told that memory ran out while anything may be evicted, over any protocol.
// Method: run memden with little memory, full of values of one size; then store what needs the
// memory of others, or store on while clients do not read what they have asked for.

import { assert, assertEquals } from "@std/assert";
import { startMemden, type TestServer } from "../support/server.ts";
import { bytesOfLatin1, Op, packet, readResponses } from "../support/packets.ts";
import { ask, dial, hear, readStats, say } from "../support/talk.ts";
import type { Link } from "../conformance/link.ts";

const MIB = 2 ** 20;
const LARGE = 4 * MIB;

/** Sets `count` values of `bytes` bytes, and returns what was not stored. */
async function fill(link: Link, prefix: string, count: number, bytes: number): Promise<string[]> {
  const value = "v".repeat(bytes);
  const refused: string[] = [];
  for (let n = 0; n < count;) {
    const batch = Math.min(100, count - n);
    let text = "";
    for (let at = 0; at < batch; at++) text += `set ${prefix}${n++} 0 0 ${bytes}\r\n${value}\r\n`;
    const sent = say(link, text);
    for (let at = 0; at < batch; at++) {
      const line = await hear(link);
      if (line !== "STORED") refused.push(String(line));
    }
    await sent;
  }
  return refused;
}

/** Commands with a value that needs a quarter of the server's memory, and the answer they get. */
const UPLOADS: readonly (readonly [name: string, line: string, answer: string])[] = [
  ["set", `set large 0 0 ${LARGE}`, "STORED"],
  ["add", `add large 0 0 ${LARGE}`, "STORED"],
  ["replace", `replace seed 0 0 ${LARGE}`, "STORED"],
  ["append", `append seed 0 0 ${LARGE}`, "STORED"],
  ["prepend", `prepend seed 0 0 ${LARGE}`, "STORED"],
  ["ms", `ms large ${LARGE}`, "HD"],
  ["ms append", `ms seed ${LARGE} MA`, "HD"],
  ["ms vivifying append", `ms large ${LARGE} MA N0`, "HD"],
];

for (const [name, line, answer] of UPLOADS) {
  for (const threads of name === "set" || name === "append" ? ["1", "4"] : ["1"]) {
    Deno.test(`${name} of a large value takes the pages of small ones, -t ${threads}`, async () => {
      await using server = await startMemden(["-m", "16", "-I", "8m", "-t", threads]);
      using link = await dial(server.address);
      assertEquals(await fill(link, "small", 17_000, 1000), []);
      assertEquals(await ask(link, "set seed 0 0 1\r\ns"), "STORED");
      assertEquals(await ask(link, `${line}\r\n${"x".repeat(LARGE)}`), answer);
      const stats = await readStats(link);
      assert(Number(stats.get("direct_page_moves")) > 0, "No page was taken");
      assertEquals(stats.get("store_no_memory") ?? "0", "0");
    });
  }
}

Deno.test("a large binary value takes the pages of small ones", async () => {
  await using server = await startMemden(["-m", "16", "-I", "8m", "-t", "1"]);
  using link = await dial(server.address);
  assertEquals(await fill(link, "small", 17_000, 1000), []);
  const value = "x".repeat(LARGE);
  assertEquals(await askBinary(server, { op: Op.SET, key: "k", extras: "\0".repeat(8), value }), 0);
  assertEquals(await askBinary(server, { op: Op.APPEND, key: "k", value: "x" }), 0);
});

/** The status of one binary request on a connection of its own. */
async function askBinary(server: TestServer, parts: Parameters<typeof packet>[0]): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const request = packet(parts);
  const send = async (): Promise<void> => {
    for (let at = 0; at < request.length;) at += await conn.write(request.subarray(at));
  };
  const receive = async (): Promise<number> => {
    const bytes = new Uint8Array(4096);
    let to = 0;
    while (to < 24) to += await conn.read(bytes.subarray(to)) ?? 24;
    return readResponses(bytes.slice(0, to))[0]!.status;
  };
  const [status] = await Promise.all([receive(), send()]);
  return status;
}

Deno.test("clients that do not read what they asked for are in no set's way", async () => {
  await using server = await startMemden(["-m", "16", "-t", "2"]);
  using link = await dial(server.address);
  const KEYS_HELD = 20;
  assertEquals(await fill(link, "k", 1000, 19_000), []);
  const hungry: Deno.Conn[] = [];
  for (let n = 0; n < 8; n++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const keys = Array.from({ length: KEYS_HELD }, (_, at) => `k${999 - n * KEYS_HELD - at}`);
    await conn.write(bytesOfLatin1(`get ${keys.join(" ")}\r\n`.repeat(40)));
    hungry.push(conn);
  }
  assertEquals(await fill(link, "new", 3000, 19_000), []);
  for (const conn of hungry) conn.close();
});
