// Goal: a server with very many threads ends when it is told to, also while it starts them.
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
