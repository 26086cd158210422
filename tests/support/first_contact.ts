// Watches a server from before its start: when a client can connect first, and what is there then.

import { type Address, connectTo } from "./address.ts";

const POLL_MS = 1;
/** How long a start may take, in milliseconds: far more than it ever does. */
const START_MS_MAX = 60_000;

/** A command, and where its server is to be found. */
export interface Launch {
  readonly words: readonly string[];
  readonly address: Address;
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What was seen of a start. */
export interface FirstContact {
  readonly reply: string;
  /** The files in the folder that was looked at when that was there, with what is in each. */
  readonly files: Readonly<Record<string, string>>;
  /** How long the first client waited for it, as a part of the time from start to connection. */
  readonly waited: number;
}

/**
 * Starts a server and connects from before it is there, again and again, until one connection is
 * made. `look` is a folder for what the server writes. The process gets SIGTERM in the end.
 *
 * @throws {Error} When a connection fails in another way than while nobody listens, or is closed
 * before it is answered.
 */
export async function firstContact(launch: Launch, look: string): Promise<FirstContact> {
  const startMs = performance.now();
  const child = spawn(launch);
  try {
    const deadline = Date.now() + START_MS_MAX;
    let conn = await tryConnect(launch.address);
    while (conn === undefined) {
      if (Date.now() > deadline) throw new Error("nobody listens");
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      conn = await tryConnect(launch.address);
    }
    using _conn = conn;
    const connectMs = performance.now();
    await conn.write(new TextEncoder().encode("mn\r\n"));
    const bytes = new Uint8Array(64);
    const count = await conn.read(bytes) ?? 0;
    const files = contentsOf(look);
    const waited = (performance.now() - connectMs) / (connectMs - startMs);
    return { reply: new TextDecoder().decode(bytes.subarray(0, count)), files, waited };
  } finally {
    endQuietly(child);
    await child.status;
  }
}

/**
 * Starts a server that is to be refused, and connects from before until it has ended.
 *
 * @returns Its exit code and what it wrote to stderr.
 * @throws {Error} When a connection was made.
 */
export async function neverContact(launch: Launch): Promise<{ code: number; stderr: string }> {
  const child = spawn(launch);
  let ended = false;
  const output = child.output().finally(() => ended = true);
  while (!ended) {
    using conn = await tryConnect(launch.address);
    if (conn !== undefined) {
      endQuietly(child);
      await output;
      throw new Error("a client could connect");
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const { code, stderr } = await output;
  return { code, stderr: new TextDecoder().decode(stderr) };
}

function spawn({ words, cwd, env = {} }: Launch): Deno.ChildProcess {
  const [program = "", ...args] = words;
  return new Deno.Command(program, {
    args,
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

function endQuietly(child: Deno.ChildProcess): void {
  void child.stderr.cancel().catch(() => {}); // It may have been taken already.
  try {
    child.kill("SIGTERM");
  } catch {
    return; // It has ended.
  }
}

/** A connection; undefined while nobody listens. */
async function tryConnect(address: Address): Promise<Deno.Conn | undefined> {
  try {
    return await connectTo(address);
  } catch (error) {
    const isClosed = error instanceof Deno.errors.ConnectionRefused ||
      error instanceof Deno.errors.NotFound;
    if (!isClosed) throw error;
    return undefined;
  }
}

function contentsOf(folder: string): Record<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(
    names.map((name) => [name, Deno.readTextFileSync(`${folder}/${name}`)]),
  );
}
