// Starts and stops servers for tests: memden from this checkout, or Debian's memcached beside it.
// Every server listens on 127.0.0.1 only and is ended by its own pid.

/** A running server process. */
export interface TestServer {
  readonly name: "memden" | "memcached";
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

const ROOT = new URL("../../", import.meta.url).pathname;
const START_MS_MAX = 20_000;

/** A TCP port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** What `deno task start` passes to deno: `run`, V8's flags and memden's permissions. */
const START_ARGS = (JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)).tasks.start as string)
  .split(" ").slice(1, -1);

/** Starts memden with `args` (memcached's flags) and waits until it accepts. */
export function startMemden(
  args: readonly string[] = [],
  options: { env?: Record<string, string> } = {},
): Promise<TestServer> {
  const port = freePort();
  return startServer("memden", port, Deno.execPath(), [
    ...START_ARGS,
    `${ROOT}main.ts`,
    "-l",
    "127.0.0.1",
    "-p",
    String(port),
    ...args,
  ], options.env ?? {});
}

/** Starts the installed memcached with `args` and waits until it accepts. */
export function startMemcached(args: readonly string[] = []): Promise<TestServer> {
  const port = freePort();
  const user = Deno.uid() === 0 ? ["-u", "root"] : [];
  return startServer("memcached", port, "memcached", [
    ...user,
    "-l",
    "127.0.0.1",
    "-p",
    String(port),
    ...args,
  ], {});
}

async function startServer(
  name: "memden" | "memcached",
  port: number,
  command: string,
  args: string[],
  env: Record<string, string>,
): Promise<TestServer> {
  const child = new Deno.Command(command, {
    args,
    env,
    cwd: ROOT,
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
    return status.code;
  });

  const stop = async (): Promise<number> => {
    if (!ended) child.kill("SIGTERM");
    return await exited;
  };
  const deadline = Date.now() + START_MS_MAX;
  while (!(await accepts(port))) {
    if (ended || Date.now() > deadline) {
      if (!ended) child.kill("SIGKILL");
      await exited;
      throw new Error(`${name} did not start: ${stderr}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    name,
    port,
    pid: child.pid,
    stderr: () => stderr,
    stop,
    exited,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

async function accepts(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
