// Runs memden to the end of the process that is started, and looks at the daemon that -d leaves.
// A daemon listens on 127.0.0.1 only and is ended by its own pid.

import { START_COMMAND } from "./server.ts";

const END_MS_MAX = 15_000;
const POLL_MS = 20;

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stderr: string;
}

/**
 * Runs memden with `args` in the directory `cwd`. Its stderr is a pipe: it is at its end only when
 * nobody has it any more, so a daemon that keeps it makes this wait.
 */
export async function runMemden(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
  command: readonly string[] = START_COMMAND,
): Promise<Ended> {
  const [program = "", ...words] = command;
  const { code, stderr } = await new Deno.Command(program, {
    args: [...words, ...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr) };
}

/** The process whose pid is in the file `pidfile`. */
export class DaemonProcess {
  readonly pid: number;

  constructor(pidfile: string) {
    this.pid = Number(Deno.readTextFileSync(pidfile));
    if (!(this.pid > 1)) throw new Error(`${pidfile} has no pid`);
  }

  /** A file that the kernel has about it. */
  proc(name: string): string {
    return Deno.readTextFileSync(`/proc/${this.pid}/${name}`).trimEnd();
  }

  /** Where a link that the kernel has about it leads, such as `cwd` or `fd/2`. */
  link(name: string): string {
    return Deno.readLinkSync(`/proc/${this.pid}/${name}`);
  }

  isRunning(): boolean {
    try {
      return !/^State:\s+Z/m.test(this.proc("status")); // Ended, and nobody has asked for its code.
    } catch {
      return false;
    }
  }

  /** Sends SIGTERM, and waits until it is gone. */
  async end(): Promise<void> {
    if (!this.isRunning()) return;
    Deno.kill(this.pid, "SIGTERM");
    const deadline = Date.now() + END_MS_MAX;
    while (this.isRunning()) {
      if (Date.now() > deadline) throw new Error(`${this.pid} does not end`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
