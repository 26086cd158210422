// Goal: a server in another program takes nothing of it, and gives everything back.
// Method: start and stop servers in this process, under the test runner's own checks for what is
// left open, and count descriptors, threads and shared maps.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ServerOptions, SettingsError, startServer } from "../../lib/mod.ts";

const decoder = new TextDecoder();

/** Sends `request` and returns what comes until the server closes. */
async function ask(port: number, request: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode(request));
  let answer = "";
  const bytes = new Uint8Array(4096);
  for (let count = await conn.read(bytes); count !== null; count = await conn.read(bytes)) {
    answer += decoder.decode(bytes.subarray(0, count));
  }
  return answer;
}

const SET_GET = "set k 0 0 1\r\nv\r\nget k\r\nquit\r\n";
const SET_GET_ANSWER = "STORED\r\nVALUE k 0 1\r\nv\r\nEND\r\n";

for (const transport of ["native", "relay"] as const) {
  Deno.test(`startServer() serves until it is disposed of, ${transport}`, async () => {
    let port = 0;
    {
      await using server = await startServer({ transport, threads: 2 });
      port = server.port;
      assertEquals(server.address, { transport: "tcp", hostname: "127.0.0.1", port });
      assertEquals(await ask(port, SET_GET), SET_GET_ANSWER);
    }
    await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
  });
}

Deno.test("several servers in one process know nothing of each other", async () => {
  await using first = await startServer({ threads: 1 });
  await using second = await startServer({ threads: 1, memoryLimit: 128, maxItemSize: "2m" });
  assertEquals(await ask(first.port, SET_GET), SET_GET_ANSWER);
  assertEquals(await ask(second.port, "get k\r\nquit\r\n"), "END\r\n");
  assert(
    (await ask(second.port, "stats settings\r\nquit\r\n")).includes("STAT maxbytes 134217728"),
  );
  await first.stop();
  assertEquals(await ask(second.port, SET_GET), SET_GET_ANSWER);
});

Deno.test("startServer() listens where it is told to, and asks for logins", async () => {
  const dir = await Deno.makeTempDir({ prefix: "memden-" });
  await using unix = await startServer({ unixSocket: `${dir}/sock`, unixMask: 0o600, threads: 1 });
  assertEquals(unix.addresses, [{ transport: "unix", path: `${dir}/sock` }]);
  assertEquals(unix.port, 0);
  assertEquals((Deno.statSync(`${dir}/sock`).mode ?? 0) & 0o777, 0o600);

  await Deno.writeTextFile(`${dir}/logins`, "app:secret");
  await using closed = await startServer({ authFile: `${dir}/logins`, threads: 1 });
  const login = "set login 0 0 10\r\napp secret\r\n";
  assertEquals(
    await ask(closed.port, `get k\r\n${login}get k\r\nquit\r\n`),
    "CLIENT_ERROR unauthenticated\r\nSTORED\r\nEND\r\n",
  );
  await Promise.all([unix.stop(), closed.stop()]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("stop({ keepItems }) leaves what is in the memory file for the next server", async () => {
  const dir = await Deno.makeTempDir({ prefix: "memden-" });
  const options: ServerOptions = { memoryFile: `${dir}/items`, memoryLimit: 8, threads: 1 };
  const first = await startServer(options);
  assertEquals(await ask(first.port, SET_GET), SET_GET_ANSWER);
  await assertRejects(() => startServer(options), SettingsError, "another server uses it");
  await first.stop({ keepItems: true });
  {
    await using second = await startServer({ ...options, threads: 2 });
    assertEquals(await ask(second.port, "get k\r\nquit\r\n"), "VALUE k 0 1\r\nv\r\nEND\r\n");
  }
  await using third = await startServer(options);
  assertEquals(await ask(third.port, "get k\r\nquit\r\n"), "END\r\n");
  await third.stop();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a client's shutdown ends the server, and `ended` tells", async () => {
  const server = await startServer({ enableShutdown: true, threads: 1 });
  assertEquals(await ask(server.port, "shutdown\r\n"), "");
  assertEquals(await server.ended, { cause: "asked" });
  await server.stop();
});

const REFUSED: readonly (readonly [options: object, message: string])[] = [
  [{ threads: 0 }, "Cannot use -t 0: must be at least 1 and at most 2147483647"],
  [{ threads: 1.5 }, "Cannot use threads: it is a whole number"],
  [{ memory: 64 }, "Cannot use memory: there is no such option"],
  [{ memoryLimit: 1 }, "Cannot set item size limit higher than 1/2 of memory max."],
  [{ help: true }, "Cannot use help: there is no such option"],
];

for (const [options, message] of REFUSED) {
  Deno.test(`startServer() refuses ${JSON.stringify(options)} as a command line is`, async () => {
    const error = await assertRejects(() => startServer(options), SettingsError);
    assertEquals(error.message, message);
  });
}

for (const transport of ["native", "relay"] as const) {
  Deno.test(`startServer() leaves nothing when it cannot bind, ${transport}`, async () => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const before = leftOpen();
    const listen = ["127.0.0.1:0", `127.0.0.1:${port}`];
    const error = await assertRejects(() => startServer({ transport, listen }), SettingsError);
    assert(error.message.startsWith(`failed to listen on TCP port ${port}`), error.message);
    await settles(before);
  });
}

Deno.test("the log takes what a process would write, and `verbose` asks for more", async () => {
  const start = async (options: ServerOptions): Promise<string[]> => {
    const lines: string[] = [];
    const log = (line: string, level: string) => void lines.push(`${level}: ${line}`);
    await (await startServer({ ...options, threads: 1, log })).stop();
    return lines;
  };
  const quiet = await start({});
  assert(quiet.every((line) => line.startsWith("warn: ")), quiet.join("\n"));
  const talkative = await start({ verbose: 2 });
  assert(talkative.some((line) => line.startsWith("debug: slab class")), talkative.join("\n"));
});

/** What this process has open. */
interface Open {
  readonly descriptors: number;
  readonly threads: number;
  /** Maps that threads share: item memory, buckets, buffers. */
  readonly maps: number;
}

function leftOpen(): Open {
  const count = (directory: string): number => [...Deno.readDirSync(directory)].length;
  const maps = Deno.readTextFileSync("/proc/self/maps").split("\n");
  return {
    descriptors: count("/proc/self/fd"),
    threads: count("/proc/self/task"),
    maps: maps.filter((line) => / rw-s .*\/dev\/zero/.test(line)).length,
  };
}

/** Waits until no more is open than `before`: a thread that has ended takes a moment to go. */
async function settles(before: Open): Promise<void> {
  const tries = 500;
  const isMore = (now: Open) =>
    now.descriptors > before.descriptors || now.threads > before.threads || now.maps > before.maps;
  for (let count = 0; count < tries && isMore(leftOpen()); count++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const now = leftOpen();
  assert(!isMore(now), `${JSON.stringify(now)} instead of ${JSON.stringify(before)}`);
}

for (const [transport, rounds] of [["native", 20], ["relay", 5]] as const) {
  Deno.test(`${rounds} servers leave no descriptor, thread or map, ${transport}`, async () => {
    const round = async (): Promise<void> => {
      await using server = await startServer({ transport, threads: 1 });
      using idle = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
      assertEquals(await ask(server.port, SET_GET), SET_GET_ANSWER);
      assert(leftOpen().maps > 0);
      assert(idle.localAddr !== undefined);
    };
    await round(); // What the runtime opens once, for threads of its own, it keeps.
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = leftOpen();
    assertEquals(before.maps, 0);
    for (let count = 0; count < rounds; count++) await round();
    await settles(before);
  });
}

/** Threads whose start fails, one after the other. */
const FAILING = ["worker 1", "worker 3", "acceptor", "maintainer"];

for (const transport of ["native", "relay"] as const) {
  for (const failing of FAILING) {
    const title = `startServer() ends its threads when ${failing} cannot start, ${transport}`;
    Deno.test(title, async () => {
      await (await startServer({ transport, threads: 1 })).stop(); // For what the runtime keeps.
      await new Promise((resolve) => setTimeout(resolve, 100));
      const before = leftOpen();
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(url: string | URL, options?: WorkerOptions) {
          if (options?.name === failing) throw new Error("no more threads");
          super(url, options);
        }
      };
      const started = startServer({ transport, threads: 3 });
      await assertRejects(() => started, Error, "no more threads");
      globalThis.Worker = Worker;
      await settles(before);
      await (await startServer({ transport, threads: 3 })).stop();
    });
  }
}
