// -d: this process starts a copy of itself in a session of its own, and waits until it serves.
//
// A process with V8 in it cannot fork. The copy has the same words and the same environment, and
// MEMDEN_READY_FD, by which it knows that it is the copy: the end of a pipe. It writes a byte when
// it has started; when it fails the pipe is closed, its own message is on stderr, and its exit
// code becomes that of the process that was started first. The words are read from the kernel:
// with them any way to start memden works, be it by deno, bundled or as an executable.

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
 * @returns 0 once it serves, else what it exited with: never 0, as it was to go on.
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

/** Waits for a byte, or the end of the pipe; a signal in between is no answer. */
function hasByte(fd: number): boolean {
  for (;;) {
    const count = libc.read(fd, new Uint8Array(1), 1);
    if (count >= 0 || errno() !== Errno.EINTR) return count === 1;
  }
}

/** The copy, from its start until it lets go of the terminal. */
export class Daemon {
  readonly #readyFd: number;
  /** What takes the place of stdout and stderr; -1 where they stay. */
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
   * Says that the server has started, and lets go of the terminal.
   *
   * @param keepsDirectory Else it changes to `/`, so that no file system is kept in use.
   * @throws {SettingsError} When nobody waits any more: what was started was also given up.
   */
  ready(keepsDirectory: boolean): void {
    const told = libc.write(this.#readyFd, new Uint8Array([1]), 1) === 1;
    if (!told) {
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
