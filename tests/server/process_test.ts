// Goal: the process behaves as memcached's at its edges: start, refusal, signals, limits, death.
// Method: run it, look at exit codes, stderr and the wire.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort, startMemden } from "../support/server.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Runs memden to its end. */
async function run(
  permissions: readonly string[],
  args: readonly string[],
): Promise<{ code: number; stderr: string; stdout: string }> {
  const { code, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, `${ROOT}main.ts`, ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stderr: decoder.decode(stderr), stdout: decoder.decode(stdout) };
}

/** Sends `text` on a new connection and returns what comes until the server closes. */
async function talk(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encoder.encode(text));
  let answer = "";
  const bytes = new Uint8Array(4096);
  // A server that closes before it has read all resets the connection.
  const read = (): Promise<number | null> => conn.read(bytes).catch(() => null);
  for (let count = await read(); count !== null; count = await read()) {
    answer += decoder.decode(bytes.subarray(0, count));
  }
  return answer;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`memden ends with 0 on ${signal}, clients connected or not`, async () => {
    await using server = await startMemden(["-t", "2"]);
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(encoder.encode("mn\r\n"));
    await conn.read(new Uint8Array(16));
    Deno.kill(server.pid, signal);
    assertEquals(await server.exited, 0);
    assertMatch(server.stderr(), /Signal handled: (Terminated|Interrupt)\.\n/);
    assertEquals(await conn.read(new Uint8Array(16)), null, "the connection was closed");
  });
}

Deno.test("memden stops on `shutdown` when -A allows it", async () => {
  await using server = await startMemden(["-A", "-t", "1"]);
  assertEquals(await talk(server.port, "shutdown\r\n"), "");
  assertEquals(await server.exited, 0);
});

Deno.test("memden says in one line that a port is in use", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const args = ["-l", "127.0.0.1", "-p", String(listener.addr.port)];
  const { code, stderr } = await run(["--allow-all"], args);
  assertEquals(code, 71);
  assertMatch(stderr, /^(running as root.*\n)?failed to listen on TCP port \d+: .*in use\n$/);
});

for (const args of [["--transport=native"], ["-U", "11211"], ["-e", "items"]]) {
  Deno.test(`memden says in one line that ${args} needs the C library`, async () => {
    const { code, stderr } = await run(
      ["--allow-net", "--allow-read", "--allow-env"],
      ["-l", "127.0.0.1", "-p", String(freePort()), ...args],
    );
    assertEquals(code, 71);
    assertMatch(stderr, /^memden: cannot use -.*--allow-ffi\n$/);
  });
}

const REFUSED: readonly (readonly [args: string[], code: number, stderr: RegExp])[] = [
  [["--nonsense"], 1, /^Illegal argument "\?"/],
  [["topp"], 64, /^memden: topp is no option and no command; did you mean top\?\n$/],
  [["11211"], 64, /^memden: 11211 is no option and no command; memden -h lists what there is\n$/],
  [["-v", "topp"], 1, /^Illegal argument "\?": topp is no option\n$/],
  [["-t", "4x"], 1, /^Cannot use -t 4x: must be a whole number, .*\n$/],
  [["-m", "1"], 64, /^Cannot set item size limit higher than 1\/2 of memory max\.\n$/],
  [["-o", "ssl_ciphers=HIGH"], 1, /^memden: -o ssl_ciphers is not supported\n$/],
  [["-S"], 71, /^Error initializing sasl: .*MEMCACHED_SASL_PWDB.*\n$/],
  [["-e", ""], 64, /^Cannot use an empty --memory-file\n$/],
  [["-P", ""], 64, /^Cannot use an empty --pidfile\n$/],
  [["-u", ""], 64, /^Cannot use an empty --user\n$/],
  [["-u", "nobody-of-that-name"], 67, /can't find the user nobody-of-that-name to switch to\n$/],
];

for (const [args, code, stderr] of REFUSED) {
  Deno.test(`memden refuses ${args.join(" ")} with exit code ${code}`, async () => {
    if (args[0] === "-u" && Deno.uid() !== 0) return; // Only root can become somebody else.
    const port = ["-l", "127.0.0.1", "-p", String(freePort())];
    const result = await run(["--allow-all"], [...args, ...port]);
    assertEquals(result.code, code, result.stderr);
    assertMatch(result.stderr, stderr);
  });
}

Deno.test("memden -V names the memcached that it stands for first", async () => {
  const { code, stdout } = await run(["--allow-all"], ["-V"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^memcached 1\.6\.45\nmemden \d+\.\d+\.\d+\n$/);
});

Deno.test("memden writes its ports and its pid where it was told to", async () => {
  const dir = await Deno.makeTempDir();
  const env = { MEMCACHED_PORT_FILENAME: `${dir}/ports` };
  await using server = await startMemden(["-P", `${dir}/pid`, "-t", "1"], { env });
  assertEquals(await Deno.readTextFile(`${dir}/pid`), `${server.pid}\n`);
  assertEquals(await Deno.readTextFile(`${dir}/ports`), `TCP INET: ${server.port}\n`);
});

Deno.test("memden answers and closes connections over -c, and counts them", async () => {
  await using server = await startMemden(["-c", "2", "-t", "1"]);
  const conns: Deno.Conn[] = [];
  for (let i = 0; i < 2; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await conn.write(encoder.encode("mn\r\n"));
    await conn.read(new Uint8Array(16));
    conns.push(conn);
  }
  assertEquals(await talk(server.port, ""), "ERROR Too many open connections\r\n");
  conns.pop()?.close();
  // The place is free as soon as the worker has seen the close.
  let stats = "";
  for (let tries = 0; tries < 100 && !stats.includes("END"); tries++) {
    stats = await talk(server.port, "stats\r\nquit\r\n");
  }
  assertMatch(stats, /STAT curr_connections 2\r\n/);
  assert(Number(/rejected_connections (\d+)/.exec(stats)?.[1]) >= 1);
  for (const conn of conns) conn.close();
});

Deno.test("memden ends with the reason when a thread dies", async () => {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", `${ROOT}tests/server/dying_thread.ts`],
    env: { NO_COLOR: "1" },
  }).output();
  const ending = JSON.parse(decoder.decode(stdout)) as { cause: string; reason: string };
  assertEquals(ending.cause, "failed", decoder.decode(stderr));
  assertMatch(ending.reason, /(worker 1|acceptor): .*epoll/);
});
