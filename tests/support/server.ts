// Starts and stops servers for tests: memden from this checkout or put together otherwise, or
// Debian's memcached beside it.
// Every server listens on 127.0.0.1 or a Unix socket only and is ended by its own pid.

import { type Address, connectTo } from "./address.ts";
import { freePort, MEMCACHED_WAYS, type Over, prepareWay, type Way } from "./ways.ts";

export { freePort };

/** A running server process. */
export interface TestServer {
  readonly name: "memden" | "memcached";
  /** Where it listens; what connectTo() takes. */
  readonly address: Address;
  /** Its TCP port; 0 when it has a Unix socket alone. */
  readonly port: number;
  readonly pid: number;
  /** Everything it has written to stderr so far. */
  stderr(): string;
  /** Sends SIGTERM and returns the exit code. */
  stop(): Promise<number>;
  /** Settles with the exit code when the process ends by itself or is stopped. */
  readonly exited: Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a server is started, besides its flags. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** The way in; default `tcp`. */
  readonly over?: Over;
  /** Its own flags that say where to listen, and one address of those, instead of `over`. */
  readonly listen?: { readonly args: readonly string[]; readonly address: Address };
  /** The memden to start: see {@linkcode programWords}; default: this checkout's. */
  readonly program?: string;
  /** Where it is started; default: the checkout. */
  readonly cwd?: string;
  /** Words in front of the command, of a program that prepares something and becomes the server. */
  readonly launcher?: readonly string[];
}

const ROOT = new URL("../../", import.meta.url).pathname;
/** By its URL: a path of Windows is none. */
const DENO_JSON = new URL("../../deno.json", import.meta.url);
const START_MS_MAX = 20_000;

/** What `deno task start` passes to deno: `run`, V8's flags and memden's permissions. */
export const START_ARGS: readonly string[] =
  (JSON.parse(Deno.readTextFileSync(DENO_JSON)).tasks.start.command as string)
    .split(" ").slice(1, -1);

/** What keeps deno from using anything but the files of a program. */
const ALONE = ["--no-config", "--no-lock", "--no-npm", "--no-remote", "--cached-only"];

/**
 * The words that start memden: from this checkout, or what `program` is, a main.js that
 * `deno task bundle` has made or an executable. A bundle gets the start task's permissions and V8
 * flags, and has to do with its own files.
 */
export function programWords(program?: string, over?: Over): string[] {
  if (program !== undefined && !/\.[jt]s$/.test(program)) return [program];
  const [run = "run", ...flags] = START_ARGS;
  const allowed = flags.filter((word) => over !== "no-ffi" || word !== "--allow-ffi");
  const alone = program === undefined ? [] : ALONE;
  return [Deno.execPath(), run, ...alone, ...allowed, program ?? `${ROOT}main.ts`];
}

/** The command that starts memden as `deno task start` does, without its flags. */
export const START_COMMAND: readonly string[] = programWords();

/** Starts memden with `args` (memcached's flags) and waits until it serves. */
export async function startMemden(
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<TestServer> {
  const way = await wayOf(options);
  const command = [...programWords(options.program, options.over), ...way.args, ...args];
  return await startServer("memden", command, way, options);
}

/**
 * Starts the installed memcached with `args` and waits until it serves.
 *
 * @throws {Error} For a way in that only memden has.
 */
export async function startMemcached(
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<TestServer> {
  const { over = "tcp" } = options;
  if (!MEMCACHED_WAYS.includes(over)) throw new Error(`memcached cannot be asked over ${over}`);
  const way = await wayOf(options);
  const user = Deno.uid() === 0 ? ["-u", "root"] : [];
  return await startServer("memcached", ["memcached", ...user, ...way.args, ...args], way, options);
}

async function wayOf({ over = "tcp", listen }: StartOptions): Promise<Way> {
  return listen === undefined ? await prepareWay(over) : { ...listen, remove: async () => {} };
}

async function startServer(
  name: "memden" | "memcached",
  words: readonly string[],
  { address, remove }: Way,
  { env = {}, launcher = [], cwd = ROOT }: StartOptions,
): Promise<TestServer> {
  const [program = "", ...args] = [...launcher, ...words];
  const child = new Deno.Command(program, {
    args,
    env,
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let stderr = "";
  const drained = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) stderr += text;
  })();
  let ended = false;
  const exited = child.status.then(async (status) => {
    ended = true;
    await drained;
    await remove();
    return status.code;
  });

  const stop = async (): Promise<number> => {
    if (!ended) child.kill("SIGTERM");
    return await exited;
  };
  const deadline = Date.now() + START_MS_MAX;
  const isOpen = !words.some((word) => /^-[YSB]/.test(word));
  while (!(await serves(address, isOpen))) {
    if (ended || Date.now() > deadline) {
      if (!ended) child.kill("SIGKILL");
      await exited;
      throw new Error(`${name} did not start: ${stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    name,
    address,
    port: "port" in address ? address.port : 0,
    pid: child.pid,
    stderr: () => stderr,
    stop,
    exited,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

/**
 * Whether a server accepts, and has answered where anybody may ask: on a busy machine that may be
 * seconds later, and clients have patience for their own requests only.
 */
async function serves(address: Address, isOpen: boolean): Promise<boolean> {
  try {
    using conn = await connectTo(address);
    if (!isOpen) return true;
    await conn.write(new TextEncoder().encode("mn\r\nquit\r\n"));
    // Until its end: its place is free for the test.
    while (await conn.read(new Uint8Array(64)) !== null);
    return true;
  } catch {
    return false;
  }
}
