// Goal: SIGUSR2 checks the store of a server at work, again and again, and nobody notices.
// Method: clients with keys of their own know what each reply must be; the signals come meanwhile.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Prng } from "../../lib/base/prng.ts";
import { startMemden, type TestServer } from "../support/server.ts";

const CHECKS = 12;
const CLIENTS = 6;
const KEYS = 60;
/** Values of two sizes: those that are copied into a reply, and those that are sent in place. */
const LENGTHS = [100, 20_000];
const CHECKED = /^store checked: (\d+) items in [\d.]+ ms; threads reported in within [\d.]+ ms/gm;
const WAIT_MS_MAX = 20_000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Waits until `has` says so. */
async function until(has: () => boolean, what: () => string): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (!has()) {
    if (Date.now() > deadline) throw new Error(`did not come: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function checksOf(server: TestServer): number {
  return [...server.stderr().matchAll(CHECKED)].length;
}

/** Sends one command and reads as many bytes as its reply must have. */
async function ask(conn: Deno.Conn, command: string, reply: string): Promise<void> {
  const sent = encoder.encode(command);
  for (let at = 0; at < sent.length;) at += await conn.write(sent.subarray(at));
  const bytes = new Uint8Array(reply.length);
  let got = 0;
  while (got < bytes.length) {
    const count = await conn.read(bytes.subarray(got));
    if (count === null) throw new Error("the server closed the connection");
    got += count;
  }
  assertEquals(decoder.decode(bytes), reply);
}

/** Sets, gets and deletes keys of its own until `isOver`; returns how many replies came. */
async function work(port: number, number: number, isOver: () => boolean): Promise<number> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const prng = new Prng(number);
  const values = new Map<string, string>();
  let answered = 0;
  for (; !isOver(); answered++) {
    const key = `client${number}-${prng.below(KEYS)}`;
    const value = values.get(key);
    if (prng.below(2) === 0) {
      const found = value === undefined ? "" : `VALUE ${key} 0 ${value.length}\r\n${value}\r\n`;
      await ask(conn, `get ${key}\r\n`, `${found}END\r\n`);
    } else if (prng.below(3) === 0) {
      await ask(conn, `delete ${key}\r\n`, value === undefined ? "NOT_FOUND\r\n" : "DELETED\r\n");
      values.delete(key);
    } else {
      const text = String.fromCharCode(97 + prng.below(26)).repeat(prng.pick(LENGTHS));
      await ask(conn, `set ${key} 0 0 ${text.length}\r\n${text}\r\n`, "STORED\r\n");
      values.set(key, text);
    }
  }
  return answered;
}

Deno.test("SIGUSR2 checks the store again and again while clients work", async () => {
  await using server = await startMemden(["-t", "4"]);
  let isOver = false;
  const working = Array.from(
    { length: CLIENTS },
    (_, index) => work(server.port, index, () => isOver),
  );
  // A value of which half has come, and one that is held because nobody reads it.
  using half = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await half.write(encoder.encode(`set half 0 0 1000\r\n${"h".repeat(500)}`));
  using deaf = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const large = 1000 * 1000;
  await ask(deaf, `set deaf 0 0 ${large}\r\n${"d".repeat(large)}\r\n`, "STORED\r\n");
  await deaf.write(encoder.encode("get deaf\r\n".repeat(20)));

  const checking = (async () => {
    for (let count = 1; count <= CHECKS; count++) {
      Deno.kill(server.pid, "SIGUSR2");
      await until(() => checksOf(server) === count, () => `check ${count}: ${server.stderr()}`);
    }
  })();
  await checking.finally(() => isOver = true);
  for (const answered of await Promise.all(working)) assert(answered > 0);
  await half.write(encoder.encode("h".repeat(500)));
  await ask(half, "\r\n", "STORED\r\n");
  Deno.kill(server.pid, "SIGTERM");
  assertEquals(await server.exited, 0, server.stderr());
});

Deno.test("memden stops when told to while its store is being checked", async () => {
  await using server = await startMemden(["-t", "4"]);
  await work(
    server.port,
    0,
    (() => {
      let left = 200;
      return () => left-- === 0;
    })(),
  );
  Deno.kill(server.pid, "SIGUSR2");
  Deno.kill(server.pid, "SIGTERM");
  Deno.kill(server.pid, "SIGUSR2");
  assertEquals(await server.exited, 0, server.stderr());
});

Deno.test("memden ends with the reason when its store is broken", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", new URL("broken_store.ts", import.meta.url).pathname],
    env: { NO_COLOR: "1" },
  }).output();
  const ending = JSON.parse(decoder.decode(stdout)) as { cause: string; reason: string };
  assertEquals(ending.cause, "failed", decoder.decode(stderr));
  assertMatch(ending.reason, /^store check: 1 broken, the first: curr_items 1, in the table 0$/);
});
