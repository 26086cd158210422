// Goal: logins come from a file that is read at start and again on SIGHUP, by all threads at once.
// Method: run servers, change the file, and look at the wire and at stderr.

import { assertEquals, assertMatch } from "@std/assert";
import { freePort, startMemden, type TestServer } from "../support/server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Connections of a round: more than threads, so that each thread gets one. */
const ROUND = 4;
/** Times that something is looked for before it counts as missing. */
const TRIES_MAX = 2000;

const login = (token: string): string => `set k 0 0 ${token.length}\r\n${token}\r\n`;

/** Sends `text` and returns the next answer. */
async function say(conn: Deno.Conn, text: string): Promise<string> {
  await conn.write(encoder.encode(text));
  const bytes = new Uint8Array(256);
  const count = await conn.read(bytes);
  return decoder.decode(bytes.subarray(0, count ?? 0));
}

const open = ({ port }: TestServer): Promise<Deno.TcpConn> =>
  Deno.connect({ hostname: "127.0.0.1", port });

/** What each of {@linkcode ROUND} new connections gets for `token`. */
async function answers(server: TestServer, token: string): Promise<string[]> {
  const all: string[] = [];
  for (let i = 0; i < ROUND; i++) {
    using conn = await open(server);
    all.push((await say(conn, login(token))).trim());
  }
  return all;
}

/** Sends SIGHUP and waits until stderr has another line that matches. */
async function reload(server: TestServer, line: RegExp): Promise<void> {
  const seen = server.stderr().length;
  Deno.kill(server.pid, "SIGHUP");
  for (let tries = 0; !line.test(server.stderr().slice(seen)); tries++) {
    if (tries === TRIES_MAX) throw new Error(`not in the log: ${line}: ${server.stderr()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const STORED = Array(ROUND).fill("STORED");
const REFUSED = Array(ROUND).fill("CLIENT_ERROR authentication failure");

Deno.test("SIGHUP changes who may log in, and nothing for those who have", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "old:pass\n");
  await using server = await startMemden(["-Y", path, "-t", "2", "-v"]);
  using conn = await open(server);
  assertEquals(await say(conn, login("old pass")), "STORED\r\n");
  using unknown = await open(server);
  assertEquals(await say(unknown, "mn\r\n"), "CLIENT_ERROR unauthenticated\r\n");

  await Deno.writeTextFile(path, "new:word\nold:other\n");
  await reload(server, /read 2 logins from/);
  assertEquals(await answers(server, "new word"), STORED);
  assertEquals(await answers(server, "old pass"), REFUSED);
  assertEquals(await say(conn, "mn\r\n"), "MN\r\n");
  assertEquals(await say(unknown, "mn\r\n"), "CLIENT_ERROR unauthenticated\r\n");
  assertEquals(await say(unknown, login("old other")), "STORED\r\n");

  for (const bad of ["new\n", "", "a:b\n\n"]) {
    await Deno.writeTextFile(path, bad);
    await reload(server, /Authfile \[.*\] .*; the logins stay as they were\n/);
  }
  await Deno.remove(path);
  await reload(server, /Could not open authfile .*; the logins stay as they were\n/);
  assertEquals(await answers(server, "new word"), STORED);
  assertEquals(await answers(server, "old pass"), REFUSED);
  assertEquals(await say(conn, "mn\r\n"), "MN\r\n");
});

/** Runs memden to its end. */
async function refusal(args: readonly string[]): Promise<string> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-all",
      `${ROOT}main.ts`,
      "-l",
      "127.0.0.1",
      "-p",
      `${freePort()}`,
      ...args,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return `${code} ${decoder.decode(stderr).replace(/^running as root.*\n/, "")}`;
}

Deno.test("memden refuses to start with a file of logins that it cannot use", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "user:pass\nsecret\n");
  const malformed =
    /^1 Authfile \[.*\] has a malformed entry\. Should be 'user:password' \(line 2\)\n$/;
  assertMatch(await refusal(["-Y", path]), malformed);
  await Deno.writeTextFile(path, "");
  assertMatch(await refusal(["-Y", path]), /^1 Authfile \[.*\] is empty: nobody could log in\n$/);
  await Deno.remove(path);
  const missing =
    /^1 Could not open authfile \[.*\] for reading, error No such file or directory\n$/;
  assertMatch(await refusal(["-Y", path]), missing);
  assertMatch(await refusal(["-Y", ""]), missing);
  assertMatch(await refusal(["-Y", ROOT]), /^1 Could not open authfile .*Is a directory\n$/);
});

Deno.test("memden reads the file of logins as the user that it becomes", async () => {
  if (Deno.uid() !== 0) return; // Only root can become somebody else.
  const path = await Deno.makeTempFile(); // Nobody but its owner may read it.
  await Deno.writeTextFile(path, "user:pass\n");
  const denied = /^1 Could not open authfile \[.*\] for reading, error Permission denied\n$/;
  assertMatch(await refusal(["-u", "nobody", "-Y", path]), denied);
  await Deno.remove(path);
});
