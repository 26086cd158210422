// Goal: SASL logins come from the file that MEMCACHED_SASL_PWDB names, and again on SIGHUP; nothing
// but the binary protocol is spoken then.
// Method: run a server, change the file, and look at the wire and at stderr.

import { assertEquals } from "@std/assert";
import { startMemden, type TestServer } from "../support/server.ts";
import { Op, packet, type Parts, readResponses } from "../support/packets.ts";

const TRIES_MAX = 2000;
/** Tries after which the signal is sent again: a server that is still starting has missed it. */
const SIGNAL_TRIES = 200;

const open = ({ port }: TestServer): Promise<Deno.TcpConn> =>
  Deno.connect({ hostname: "127.0.0.1", port });

/** Sends a request and returns its status. */
async function say(conn: Deno.Conn, parts: Parts): Promise<number | undefined> {
  await conn.write(packet(parts));
  const bytes = new Uint8Array(256);
  const count = await conn.read(bytes);
  return count === null ? undefined : readResponses(bytes.slice(0, count))[0]?.status;
}

const login = (pass: string): Parts => {
  return { op: Op.SASL_AUTH, key: "PLAIN", value: `\0joe\0${pass}` };
};
const NOOP: Parts = { op: Op.NOOP };
const AUTH_FAILURE = 0x20;

async function reload(server: TestServer): Promise<void> {
  const seen = server.stderr().length;
  for (let tries = 0; !server.stderr().slice(seen).includes("read 1 logins"); tries++) {
    if (tries % SIGNAL_TRIES === 0) Deno.kill(server.pid, "SIGHUP");
    if (tries === TRIES_MAX) throw new Error(`not read again: ${server.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("SIGHUP changes who may log in by SASL, and nothing for those who have", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "joe:old:\n");
  await using server = await startMemden(["-S", "-t", "2", "-vv"], {
    env: { MEMCACHED_SASL_PWDB: path },
  });
  using conn = await open(server);
  assertEquals(await say(conn, login("old")), 0);
  assertEquals(await say(conn, { op: Op.GET, key: "a\nb" }), 1);

  await Deno.writeTextFile(path, "joe:new:\n");
  await reload(server);
  assertEquals(await say(conn, NOOP), 0);
  for (let i = 0; i < 4; i++) {
    using late = await open(server);
    assertEquals(await say(late, login("old")), AUTH_FAILURE);
    assertEquals(await say(late, login("new")), 0);
    assertEquals(await say(late, NOOP), 0);
  }
  using text = await open(server);
  await text.write(new TextEncoder().encode("version\r\n"));
  assertEquals(await text.read(new Uint8Array(64)), null);

  const log = server.stderr();
  assertEquals(log.includes("secret") || log.includes("joe"), false, "no login in the log");
  assertEquals(/<\d+ GET a\.b\n/.test(log), true, log);
});
