// Goal: a server with very many threads ends when it is told to, also while it starts them. Then it
// leaves no file of a socket behind, and does not report that it has started.
// Method: count its threads; no clock. One that does not heed the signal starts all of them first.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort, START_COMMAND } from "../support/server.ts";

const THREADS = 200;
/** More than a process has before the first worker. */
const SOME = 14;
const POLL_MS = 5;

/** How many threads the process has; 0 when it has ended. */
function threadsOf(pid: number): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return /^State:\s+Z/m.test(status) ? 0 : Number(/^Threads:\s+(\d+)$/m.exec(status)?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Waits until the process starts its workers. */
async function untilStarting(pid: number): Promise<void> {
  for (let count = 0; count < SOME; count = threadsOf(pid)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    assert(threadsOf(pid) > 0, "it has not ended");
  }
}

Deno.test("SIGTERM in a start removes the Unix socket", async () => {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "memden-" });
  const [program = "", ...words] = START_COMMAND;
  const child = new Deno.Command(program, {
    args: [...words, "-s", `${directory}/sock`, "-t", String(THREADS)],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await untilStarting(child.pid);
  assertEquals([...Deno.readDirSync(directory)].map(({ name }) => name), ["sock"]);
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 0);
  assertEquals([...Deno.readDirSync(directory)], []);
  await Deno.remove(directory);
});

Deno.test("-d exits with 1 when a signal stops the start", async () => {
  const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: "memden-" });
  const [program = "", ...words] = START_COMMAND;
  const place = ["-l", "127.0.0.1", "-p", String(freePort())];
  const parent = new Deno.Command(program, {
    args: [...words, "-d", ...place, "-t", "24", "-m", "8", "-e", `${directory}/items`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
  let pid = 0;
  while (pid === 0) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    pid = Number(Deno.readTextFileSync(children));
  }
  await untilStarting(pid);
  Deno.kill(pid, "SIGUSR1"); // It goes on, as it may have taken over a cache, and then stops.
  assertEquals((await parent.status).code, 1);
  assertEquals(threadsOf(pid), 0);
  await Deno.remove(directory, { recursive: true });
});

for (const transport of ["native", "relay"]) {
  for (const signal of ["SIGTERM", "SIGUSR1"] as const) {
    Deno.test(`${signal} ends a server that still starts its threads: ${transport}`, async () => {
      const [program = "", ...words] = START_COMMAND;
      const place = ["-l", "127.0.0.1", "-p", String(freePort()), `--transport=${transport}`];
      const child = new Deno.Command(program, {
        args: [...words, ...place, "-t", String(THREADS)],
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
      const output = child.output();
      const rest = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));
      let count = 0;
      while (count < SOME) {
        await rest();
        count = threadsOf(child.pid);
        assert(count > 0, "it has not ended");
      }
      child.kill(signal);
      let most = 0;
      for (count = threadsOf(child.pid); count > 0; count = threadsOf(child.pid)) {
        most = Math.max(most, count);
        await rest();
      }
      const { code, stderr } = await output;
      assertEquals(code, 0);
      assert(most < THREADS / 2, `it has gone on to ${most} threads`);
      const warning = /^Warning: 200 worker threads take 3200 MiB of memory, /m;
      assertMatch(new TextDecoder().decode(stderr), warning);
    });
  }
}
