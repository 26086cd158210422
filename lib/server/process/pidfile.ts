// The file of -P. As in memcached, one that cannot be written does not end the server.
// Source: memcached.c, save_pid and remove_pidfile.

import type { Logger } from "@logtape/logtape";
import { canCallLibc } from "../../sys/libc.ts";
import { readKernelFile } from "../../sys/process.ts";

/** Longest name of a process, its line end included, in bytes. */
const COMM_BYTES_MAX = 64;

/** Writes this process's id. The file gets its name when it is complete. */
export function writePidFile(path: string, log: Logger): void {
  const other = Number(readOld(path));
  if (other > 0 && other !== Deno.pid && isRunning(other)) {
    log.warn(`WARNING: The pid file contained the following (running) pid: ${other}`);
  }
  const unfinished = `${path}.tmp`;
  logFailure(`write the pid file ${path}`, log, () => {
    Deno.writeTextFileSync(unfinished, `${Deno.pid}\n`);
    Deno.renameSync(unfinished, path);
  });
}

/** Removes it again. */
export function removePidFile(path: string, log: Logger): void {
  logFailure(`remove the pid file ${path}`, log, () => Deno.removeSync(path));
}

function readOld(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // As a rule there is none.
  }
}

function isRunning(pid: number): boolean {
  return canCallLibc && readKernelFile(`/proc/${pid}/comm`, COMM_BYTES_MAX) !== undefined;
}

/** Calls `act`; a failure is an error in the log, as the server works without the file. */
function logFailure(what: string, log: Logger, act: () => void): void {
  try {
    act();
  } catch (error) {
    log.error(`could not ${what}: ${(error as Error).message}`);
  }
}
