// Goal: with too few descriptors a server either serves, and tells clients that there are too many
// of them, or refuses to start in one line; it never dies of them, and clients never take what its
// threads need.
// Method: start it under a limit while many clients try to connect, from before it is there.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort, programWords } from "../support/server.ts";
import { ask, dial, until } from "../support/talk.ts";
import type { Over } from "../support/ways.ts";

const HOST = "127.0.0.1";
const CLIENTS = 120;
const TOO_MANY = "ERROR Too many open connections\r\n";
/** The right to raise a limit. Source: linux/capability.h. */
const CAP_SYS_RESOURCE = 24n;
/** With fewer the runtime cannot load a program, and says so in its own way. */
const RUNTIME_MIN = 24;

/** What runs a program under a limit that it cannot raise. */
function limitWords(limit: number): string[] {
  const status = Deno.readTextFileSync("/proc/self/status");
  const rights = BigInt(`0x${/^CapEff:\s*(\S+)/m.exec(status)?.[1] ?? "0"}`);
  const drop = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-sys_resource"];
  const mayRaise = (rights >> CAP_SYS_RESOURCE & 1n) === 1n;
  return [...mayRaise ? drop : [], "prlimit", `--nofile=${limit}:${limit}`];
}

/** Connects until it can, or `isOver`; the connection, and what it is answered. */
async function client(port: number, isOver: () => boolean): Promise<Deno.Conn | undefined> {
  while (!isOver()) {
    const conn = await Deno.connect({ hostname: HOST, port }).catch(() => undefined);
    if (conn !== undefined) return conn;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return undefined;
}

/** How long a client waits for an answer, in milliseconds: far longer than it ever takes. */
const ANSWER_MS_MAX = 30_000;

/** Sends a command; the answer, `gone`, or `silent`. */
async function answerOf(conn: Deno.Conn): Promise<string> {
  await conn.write(new TextEncoder().encode("mn\r\n")).catch(() => {});
  const bytes = new Uint8Array(64);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), ANSWER_MS_MAX);
  });
  const count = await Promise.race([conn.read(bytes).catch(() => null), late]);
  clearTimeout(timer);
  if (count === "late") return "silent";
  return count === null ? "gone" : new TextDecoder().decode(bytes.subarray(0, count));
}

/** How a start under a limit went. */
interface Outcome {
  /** Answers to the clients, each once. */
  readonly answers: ReadonlySet<string>;
  readonly served: number;
  readonly code: number;
  readonly stderr: string;
}

async function play(limit: number, over: Over, args: readonly string[]): Promise<Outcome> {
  const port = freePort();
  const own = ["-l", HOST, "-p", String(port), ...args];
  const [program = "", ...words] = [...limitWords(limit), ...programWords(undefined, over), ...own];
  const child = new Deno.Command(program, {
    args: words,
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let isOver = false;
  const output = child.output().finally(() => isOver = true);
  const conns = (await Promise.all(
    Array.from({ length: CLIENTS }, () => client(port, () => isOver)),
  )).filter((conn) => conn !== undefined);
  const answers = await Promise.all(conns.map(answerOf));
  for (const conn of conns) conn.close();
  try {
    if (conns.length === 0 || isOver) return await outcomeOf(answers, output);
    await until("a client is served again once the others have gone", async () => {
      using link = await dial({ hostname: HOST, port });
      return await ask(link, "mn") === "MN";
    });
  } finally {
    if (!isOver) child.kill("SIGTERM");
  }
  return await outcomeOf(answers, output);
}

async function outcomeOf(
  answers: readonly string[],
  output: Promise<Deno.CommandOutput>,
): Promise<Outcome> {
  const { code, stderr } = await output;
  return {
    answers: new Set(answers),
    served: answers.filter((answer) => answer === "MN\r\n").length,
    code,
    stderr: new TextDecoder().decode(stderr),
  };
}

/** Limit, transport and threads; `few` is refused, `some` serve a part of the clients. */
type Row = readonly [limit: number, over: Over, threads: number, what: "few" | "some" | "all"];

const ROWS: readonly Row[] = [
  [20, "tcp", 4, "few"],
  [24, "tcp", 4, "few"],
  [40, "tcp", 4, "few"],
  [64, "tcp", 4, "few"],
  [80, "tcp", 1, "some"],
  [100, "tcp", 4, "some"],
  [150, "tcp", 4, "some"],
  [300, "tcp", 4, "all"],
  [40, "relay", 4, "few"],
  [64, "relay", 4, "few"],
  [100, "relay", 4, "some"],
  [150, "relay", 4, "some"],
  [300, "relay", 4, "all"],
  [64, "no-ffi", 4, "few"],
  [150, "no-ffi", 4, "some"],
];

for (const [limit, over, threads, what] of ROWS) {
  const transport = over === "relay" ? ["--transport=relay"] : [];
  Deno.test(`memden with ${limit} descriptors, ${over}, -t ${threads}`, async () => {
    const args = ["-t", String(threads), ...transport];
    const { answers, served, code, stderr } = await play(limit, over, args);
    if (what === "few") {
      assertEquals(served, 0, "nobody could connect");
      assert(code !== 0);
      if (limit < RUNTIME_MIN) return;
      assertEquals(code, 71, stderr);
      assertMatch(stderr, /^failed to set rlimit for open files: \d+ threads need .*\n$/m);
      assert(stderr.split("\n").every((line) => !/^\s+at |panicked/.test(line)), stderr);
      return;
    }
    assertEquals(code, 0, stderr);
    assert(!/SysError|panicked|^\s+at /m.test(stderr), stderr);
    answers.forEach((answer) => assert(["MN\r\n", TOO_MANY, "gone"].includes(answer), answer));
    assert(served > 0);
    assertEquals(what === "all", served === CLIENTS, `${served} were served`);
    if (what === "some") assert(answers.has(TOO_MANY), [...answers].join("|"));
  });
}
