// -d: this process starts a copy of itself in a new session, and waits until the copy serves.
//
// A process with V8 in it cannot fork. The copy has the same argv and environment, and
// MEMDEN_READY_FD, the writing end of a pipe, which marks it as the copy. It writes a byte when it
// serves. When it fails, its message is on stderr, the pipe closes, and its exit code becomes that
// of the first process. argv comes from /proc, so that it works for deno, a bundle and an
// executable.
// Source: memcached daemon.c, daemonize.

import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { Errno, SysError } from "../../sys/errno.ts";
import { errno, errorText, libc } from "../../sys/libc.ts";
import {
  awaitExit,
  closeOnExec,
  makePipe,
  openForStdio,
  ownCommand,
  replaceStdio,
  spawnSession,
} from "../../sys/process.ts";

const READY_FD = "MEMDEN_READY_FD";
const STDIN = 0;
const STDERR = 2;

/** Whether this process is the copy that {@linkcode startDaemon} has made. */
export function isDaemon(): boolean {
  return Deno.env.has(READY_FD);
}

/**
 * Starts the copy, and waits.
 *
 * @returns 0 once it serves; else its exit code, 1 where that is 0.
 */
export function startDaemon(): number {
  const command = ownCommand();
  if (command === undefined) {
    throw new SettingsError("memden: cannot use -d: /proc cannot be read", ExitCode.OS_ERROR);
  }
  const { readFd, writeFd } = makePipe();
  const pid = spawnSession(command, { ...Deno.env.toObject(), [READY_FD]: String(writeFd) });
  libc.close(writeFd);
  return hasByte(readFd) ? ExitCode.OK : awaitExit(pid) || ExitCode.FAILURE;
}

/** Waits for a byte or the end of the pipe; signals do not end the wait. */
function hasByte(fd: number): boolean {
  for (;;) {
    const count = libc.read(fd, new Uint8Array(1), 1);
    if (count >= 0 || errno() !== Errno.EINTR) return count === 1;
  }
}

/** The copy, from its start until it detaches from the terminal. */
export class Daemon {
  readonly #readyFd: number;
  /** Replaces stdout and stderr; -1 where they stay. */
  readonly #outFd: number;

  /**
   * @param logfile For stdout and stderr; opened now, as root may have to.
   * @param isVerbose Where there is no log file they stay as they are.
   * @throws {SettingsError} When the log file cannot be opened.
   */
  constructor(logfile: string | null, isVerbose: boolean) {
    this.#readyFd = Number(Deno.env.get(READY_FD) ?? -1);
    Deno.env.delete(READY_FD);
    closeOnExec(this.#readyFd);
    this.#outFd = isVerbose && logfile === null ? -1 : openForStdio(logfile);
    if (this.#outFd >= 0 || isVerbose && logfile === null) return;
    const message = `Cannot open --logfile=${logfile}: ${errorText(-this.#outFd)}`;
    throw new SettingsError(message, ExitCode.OS_ERROR);
  }

  /**
   * Reports that the server has started, and detaches from the terminal.
   *
   * @param keepsDirectory Else it changes to `/`, so that no file system is kept in use.
   * @throws {SettingsError} When the first process is gone: the start was given up.
   */
  ready(keepsDirectory: boolean): void {
    const isReported = libc.write(this.#readyFd, new Uint8Array([1]), 1) === 1;
    if (!isReported) {
      const message = "memden: the process that started this one is gone";
      throw new SettingsError(message, ExitCode.FAILURE);
    }
    libc.close(this.#readyFd);
    if (!keepsDirectory) Deno.chdir("/");
    if (this.#outFd < 0) return;
    const nowhere = openForStdio(null);
    if (nowhere < 0) throw new SysError("open /dev/null", -1, -nowhere);
    replaceStdio(STDIN, nowhere);
    for (let stdio = STDIN + 1; stdio <= STDERR; stdio++) replaceStdio(stdio, this.#outFd);
    libc.close(this.#outFd);
    libc.close(nowhere);
  }
}
