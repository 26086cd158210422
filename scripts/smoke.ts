// Starts a memden, sends it requests and stops it: does the program run on this system?
//
//   deno run --allow-all scripts/smoke.ts                       this checkout
//   deno run --allow-all scripts/smoke.ts build/memden          an executable
//   deno run --allow-all scripts/smoke.ts build/bundle/main.js  a bundle
//
// It is the same on every system: the server is stopped by the shutdown command, as Windows has no
// signal that asks. The last line is "N passed, N failed".
// deno-lint-ignore-file no-console

import { freePort, programWords } from "../tests/support/server.ts";

const START_MS_MAX = 60_000;
const ANSWER_MS_MAX = 10_000;
const RETRY_MS = 50;

/** What is sent, and what must come back; the last one ends the server. */
const TALK: readonly (readonly [request: string, answer: RegExp])[] = [
  ["version\r\n", /^VERSION 1\.[\d.]+\r\n$/],
  ["set smoke 5 0 3\r\nabc\r\n", /^STORED\r\n$/],
  ["get smoke\r\n", /^VALUE smoke 5 3\r\nabc\r\nEND\r\n$/],
  ["mg smoke v f t\r\n", /^VA 3 f5 t-1\r\nabc\r\n$/],
  ["incr smoke 1\r\n", /^CLIENT_ERROR /],
  ["delete smoke\r\n", /^DELETED\r\n$/],
  ["get smoke\r\n", /^END\r\n$/],
];

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** What was wrong; undefined when nothing was. */
  readonly problem: string | undefined;
}

/**
 * Tries the memden that `words` start: the text of `-V`, a conversation, and its end.
 *
 * @param words The executable and what stands in front of memden's own flags.
 */
export async function smoke(words: readonly string[]): Promise<Check[]> {
  const [program = "", ...args] = words;
  const version = await new Deno.Command(program, { args: [...args, "-V"] }).output();
  const text = new TextDecoder().decode(version.stdout);
  const checks = [check("-V", text, /^memcached 1\.[\d.]+\r?\nmemden \d+\.\d+\.\d+\S*\r?\n$/)];

  const port = freePort();
  const flags = ["-A", "-t", "2", "-l", "127.0.0.1", "-p", String(port)];
  const command = new Deno.Command(program, { args: [...args, ...flags], stderr: "piped" });
  await using child = command.spawn();
  const stderr = new Response(child.stderr).text();
  const conn = await connect(port, child.status);
  if (conn === undefined) {
    await stop(child);
    return [...checks, { name: "start", problem: `it does not start: ${await stderr}` }];
  }
  for (const [request, answer] of TALK) {
    await send(conn, request);
    checks.push(check(request.trim(), await answerOf(conn), answer));
  }
  await send(conn, "shutdown\r\n");
  conn.close();
  const { code } = await stop(child);
  checks.push(check("shutdown", `exit code ${code}`, /^exit code 0$/));
  if (checks.some(({ problem }) => problem !== undefined)) console.error(await stderr);
  return checks;
}

function check(name: string, found: string, expected: RegExp): Check {
  const isRight = expected.test(found);
  return { name, problem: isRight ? undefined : `${JSON.stringify(found)} is not ${expected}` };
}

/** Connects as soon as the server listens; undefined when it has ended or takes too long. */
async function connect(
  port: number,
  ended: Promise<unknown>,
): Promise<Deno.Conn | undefined> {
  let hasEnded = false;
  void ended.then(() => hasEnded = true);
  for (let waited = 0; waited < START_MS_MAX && !hasEnded; waited += RETRY_MS) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
    if (conn !== undefined) return conn;
    await rest(RETRY_MS);
  }
  return undefined;
}

/** A connection that is lost shows in the answer. */
async function send(conn: Deno.Conn, text: string): Promise<void> {
  await conn.write(new TextEncoder().encode(text)).catch(() => 0);
}

/** What comes back for one request: all of it comes in one piece, or nothing within the time. */
async function answerOf(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(4096);
  const lost = (error: Error): string => error.message;
  const count = await within(conn.read(bytes).catch(lost), ANSWER_MS_MAX);
  if (typeof count === "string") return count;
  return new TextDecoder().decode(bytes.subarray(0, count ?? 0));
}

/** How the server ends by itself; it is made to when that takes too long. */
async function stop(child: Deno.ChildProcess): Promise<Deno.CommandStatus> {
  const status = await within(child.status, ANSWER_MS_MAX);
  if (status === undefined) child.kill("SIGKILL");
  return await child.status;
}

async function within<T>(result: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return await Promise.race([result, late]).finally(() => clearTimeout(timer));
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const [program] = Deno.args;
  const path = program === undefined ? undefined : await Deno.realPath(program);
  const checks = await smoke(programWords(path));
  for (const { name, problem } of checks) {
    console.log(`${problem === undefined ? "ok    " : "FAILED"}  ${JSON.stringify(name)}`);
    if (problem !== undefined) console.log(`        ${problem}`);
  }
  const failed = checks.filter(({ problem }) => problem !== undefined).length;
  console.log(`${checks.length - failed} passed, ${failed} failed`);
  Deno.exit(failed === 0 ? 0 : 1);
}
