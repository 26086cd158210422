// Goal: SIGUSR1 ends the server and keeps its cache, and never opens the runtime's debugger, in
// each form that is shipped; however the process is started, it stays the process that it was.
// Method: let the process get as old as the runtime wants it to be, send the signal, and look at
// the debugger's port until the process has ended.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { makeBundle } from "../../scripts/bundle.ts";
import { DaemonProcess, runMemden } from "../support/daemon.ts";
import { hasDebugger } from "../support/debugger.ts";
import { freePort, START_COMMAND, startMemden, type StartOptions } from "../support/server.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Deno heeds the signal when it has run for 500 ms. */
const HEEDED_MS = 1000;
const POLL_MS = 2;
/** Enough for the save to take a while. */
const VALUE_BYTES = 500_000;
const VALUES = 500;
const MEMORY = ["-m", "300", "-t", "2"];

const rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Sends `text` and returns the first answer. */
async function ask(port: number, text: string | Uint8Array): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
  const answer = new Uint8Array(1024);
  return decoder.decode(answer.subarray(0, await conn.read(answer) ?? 0));
}

async function fill(port: number): Promise<void> {
  const value = `${"v".repeat(VALUE_BYTES)}\r\n`;
  for (let at = 0; at < VALUES; at += 100) {
    const lines = Array.from(
      { length: 100 },
      (_, number) => `ms key${at + number} ${VALUE_BYTES} q\r\n${value}`,
    );
    assertEquals(await ask(port, encoder.encode(`${lines.join("")}mn\r\n`)), "MN\r\n");
  }
}

/** Sends the signal twice; returns how often the port was looked at, and how often it was open. */
async function signalTwice(pid: number, isRunning: () => boolean): Promise<[number, number]> {
  let looks = 0;
  let open = 0;
  Deno.kill(pid, "SIGUSR1");
  if (isRunning()) Deno.kill(pid, "SIGUSR1");
  for (; isRunning(); looks++) {
    if (hasDebugger(pid)) open++;
    await rest(POLL_MS);
  }
  return [looks, open];
}

/** One form of a server in front. */
interface Case {
  readonly what: string;
  readonly options: StartOptions;
  readonly args?: readonly string[];
  /** Whether it has a memory file: a save that takes a while. */
  readonly saves: boolean;
}

async function checkForm({ options, args = [], saves }: Case): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "memden-signal-" });
  const file = saves ? ["-e", `${directory}/items`] : [];
  const bornMs = Date.now();
  await using server = await startMemden([...MEMORY, ...file, ...args], options);
  if (saves) await fill(server.port);
  await rest(Math.max(0, bornMs + HEEDED_MS - Date.now()));
  let isRunning = true;
  const exited = server.exited.then((code) => {
    isRunning = false;
    return code;
  });
  const [looks, open] = await signalTwice(server.pid, () => isRunning);
  assertEquals([await exited, open], [0, 0], server.stderr());
  assertMatch(server.stderr(), /^Gracefully stopping$/m);
  assert(!/debugger/i.test(server.stderr()), server.stderr());
  if (saves) {
    assert(looks > 0, "the save has taken a while");
    assert((await Deno.stat(`${directory}/items.meta`)).isFile, "the cache is kept");
  }
  await Deno.remove(directory, { recursive: true });
}

const BLOCKED = ["env", "--block-signal=USR1"];

const CASES: readonly Case[] = [
  { what: "the source", options: {}, saves: true },
  { what: "the source, by a launcher that blocks it", options: { launcher: BLOCKED }, saves: true },
  { what: "the relay", options: { over: "relay" }, saves: false },
  { what: "the source without the C library", options: { over: "no-ffi" }, saves: false },
  { what: "the source with TLS", options: { over: "tls" }, saves: false },
];

for (const form of CASES) {
  Deno.test(`SIGUSR1 opens no debugger: ${form.what}`, () => checkForm(form));
}

Deno.test("SIGUSR1 opens no debugger: the bundle, either transport", async () => {
  const home = await Deno.makeTempDir({ prefix: "memden-signal-" });
  await makeBundle(`${home}/bundle`);
  const program = `${home}/bundle/main.js`;
  await checkForm({ what: "", options: { program, cwd: home }, saves: true });
  await checkForm({ what: "", options: { program, cwd: home, over: "relay" }, saves: false });
  await checkForm({ what: "", options: { program, cwd: home, over: "no-ffi" }, saves: false });
  await Deno.remove(home, { recursive: true });
});

Deno.test("SIGUSR1 opens no debugger: -d", async () => {
  const directory = await Deno.makeTempDir({ prefix: "memden-signal-" });
  const port = freePort();
  const place = ["-l", "127.0.0.1", "-p", String(port), "-P", `${directory}/pid`];
  const files = ["-e", `${directory}/items`, `--logfile=${directory}/log`];
  const args = ["-d", ...MEMORY, ...place, ...files];
  assertEquals((await runMemden(args, directory)).code, 0);
  await using daemon = new DaemonProcess(`${directory}/pid`);
  await fill(port);
  await rest(HEEDED_MS);
  const [looks, open] = await signalTwice(daemon.pid, () => daemon.isRunning());
  assert(looks > 0, "the save has taken a while");
  const log = await Deno.readTextFile(`${directory}/log`);
  assertEquals([open, /debugger/i.test(log)], [0, false], log);
  assert((await Deno.stat(`${directory}/items.meta`)).isFile, "the cache is kept");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("a process that starts anew stays what it was", async () => {
  const port = freePort();
  const words = ["-l", "127.0.0.1", "-p", String(port), "-t", "1", "-D", "|"];
  const env = { MEMDEN_NAME: "memcached", MEMDEN_OPTS: "-c '77'", "odd name": "a=b" };
  await using server = await startMemden(words.slice(4), {
    env,
    launcher: ["bash", "-c", 'exec -a "deno" "$@" 7</dev/zero', "-"],
    listen: { args: words.slice(0, 4), address: { hostname: "127.0.0.1", port } },
    cwd: "/",
  });
  const proc = (name: string) => Deno.readTextFileSync(`/proc/${server.pid}/${name}`);
  assertMatch(await ask(port, "stats\r\n"), new RegExp(`^STAT pid ${server.pid}\r\n`));
  assertEquals(proc("cmdline").split("\0"), ["deno", ...START_COMMAND.slice(1), ...words, ""]);
  assertEquals(proc("comm"), "memcached\n");
  assertEquals(Deno.readLinkSync(`/proc/${server.pid}/cwd`), "/");
  assertEquals(Deno.readLinkSync(`/proc/${server.pid}/fd/7`), "/dev/zero");
  const variables = proc("environ").split("\0");
  for (const [name, value] of Object.entries(env)) assert(variables.includes(`${name}=${value}`));
  assertMatch(await ask(port, "stats settings\r\n"), /STAT maxconns 77\r\n/);
  const takers = [...Deno.readDirSync(`/proc/${server.pid}/task`)].filter(({ name }) => {
    const mask = /^SigBlk:\s*(\S+)$/m.exec(proc(`task/${name}/status`))?.[1] ?? "0";
    return (parseInt(mask.slice(-4), 16) >> 9 & 1) === 0;
  });
  assertEquals(takers.length, 1, "the thread in sigwait(), as the kernel shows it");
});

Deno.test("a process that cannot keep the signal blocked serves, and says so", async () => {
  // Its own pid is what a process that has started anew finds: here it is there from the start.
  const launcher = ["sh", "-c", 'export MEMDEN_STARTED_ANEW=$$; exec "$@"', "-"];
  await using server = await startMemden(["-t", "1"], { launcher });
  assertMatch(server.stderr(), /^SIGUSR1 opens Deno's debugger, too: /m);
  assertEquals(await ask(server.port, "mn\r\n"), "MN\r\n");
  Deno.kill(server.pid, "SIGUSR1");
  assertEquals(await server.exited, 0);
});

Deno.test("SIGUSR1 at any moment of a start leaves a saved cache", async () => {
  const directory = await Deno.makeTempDir({ prefix: "memden-signal-" });
  const args = ["-m", "8", "-t", "1", "-e", `${directory}/items`];
  {
    await using server = await startMemden(args);
    assertEquals(await ask(server.port, "set kept 7 0 4\r\nkept\r\n"), "STORED\r\n");
    Deno.kill(server.pid, "SIGUSR1");
    assertEquals(await server.exited, 0);
  }
  for (let ms = 0; ms < 1000; ms += 90) {
    const [program = "", ...words] = START_COMMAND;
    const child = new Deno.Command(program, {
      args: [...words, "-l", "127.0.0.1", "-p", String(freePort()), ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await rest(ms);
    child.kill("SIGUSR1");
    // The signal ends a process that has not blocked it yet.
    const { code, signal } = await child.status;
    assert(code === 0 || signal === "SIGUSR1", `after ${ms} ms: ${code}`);
  }
  await using server = await startMemden(args);
  assertEquals(await ask(server.port, "get kept\r\n"), "VALUE kept 7 4\r\nkept\r\nEND\r\n");
  await server.stop();
  await Deno.remove(directory, { recursive: true });
});

Deno.test("SIGTERM does not cut a save short, which many threads make long", async () => {
  const directory = await Deno.makeTempDir({ prefix: "memden-signal-" });
  const args = ["-m", "8", "-t", "65", "-e", `${directory}/items`];
  await using server = await startMemden(args);
  assertEquals(await ask(server.port, "set kept 7 0 4\r\nkept\r\n"), "STORED\r\n");
  Deno.kill(server.pid, "SIGUSR1");
  while (!/^Gracefully stopping$/m.test(server.stderr())) await rest(POLL_MS);
  Deno.kill(server.pid, "SIGTERM");
  assertEquals(await server.exited, 0, server.stderr());
  assert((await Deno.stat(`${directory}/items.meta`)).isFile, "the cache is kept");
  await Deno.remove(directory, { recursive: true });
});
