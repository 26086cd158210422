// The file of -P. As in memcached, one that cannot be written does not end the server.

import type { Logger } from "@logtape/logtape";
import { canCallLibc } from "../../sys/libc.ts";
import { readKernelFile } from "../../sys/process.ts";

/** Longest name of a process, its line end included, in bytes. */
const COMM_BYTES_MAX = 64;

/** Writes this process's id, under another name first: whoever reads the file finds all of it. */
export function writePidFile(path: string, log: Logger): void {
  const other = Number(readOld(path));
  if (other > 0 && other !== Deno.pid && isRunning(other)) {
    log.warn(`WARNING: The pid file contained the following (running) pid: ${other}`);
  }
  const unfinished = `${path}.tmp`;
  attempt(`write the pid file ${path}`, log, () => {
    Deno.writeTextFileSync(unfinished, `${Deno.pid}\n`);
    Deno.renameSync(unfinished, path);
  });
}

/** Removes it again. */
export function removePidFile(path: string, log: Logger): void {
  attempt(`remove the pid file ${path}`, log, () => Deno.removeSync(path));
}

function readOld(path: string): string {
  try {
    return Deno.readTextFileSync(path);
    // That there is none is the rule.
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  return canCallLibc && readKernelFile(`/proc/${pid}/comm`, COMM_BYTES_MAX) !== undefined;
}

function attempt(what: string, log: Logger, act: () => void): void {
  try {
    act();
    // The server works without the file.
  } catch (error) {
    log.error(`could not ${what}: ${(error as Error).message}`);
  }
}
