// The process around a server: -d, -P, -r, and the name that it goes by.

import type { Logger } from "@logtape/logtape";
import { withAbsolutePaths } from "../../config/absolute_paths.ts";
import type { Settings } from "../../config/settings.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { raiseCoreLimit } from "../../sys/limits.ts";
import { allowCore } from "../../sys/process.ts";
import { Daemon, isDaemon, startDaemon } from "./daemon.ts";
import { removePidFile, writePidFile } from "./pidfile.ts";
import { nameProcess } from "./process_name.ts";

/**
 * With -d, starts the server in the background.
 *
 * @returns The exit code of this process, which has done its work; undefined for one that is to
 * serve itself.
 * @throws {SettingsError} Where it cannot be done.
 */
export function runInBackground({ daemon, inherited }: Settings): number | undefined {
  if (!daemon || isDaemon()) return undefined;
  if (!canCallLibc) throw needsLibc("-d (daemon)");
  if (inherited.count > 0 && inherited.pid === Deno.pid) {
    const message = "Cannot use -d with sockets of systemd (LISTEN_FDS)";
    throw new SettingsError(message, ExitCode.USAGE);
  }
  return startDaemon();
}

/** What the process does before its server starts, once it has, and at the end. */
export class Service {
  /** The settings as they hold for this process. */
  readonly settings: Settings;
  readonly #daemon: Daemon | undefined;
  readonly #log: Logger;
  #hasPidFile = false;

  /** @throws {SettingsError} When -r or a log file cannot be had. */
  constructor(given: Settings, log: Logger) {
    const { logfile, verbosity, coredumps, processName } = given;
    this.#log = log;
    if (coredumps) ensureCore();
    if (canCallLibc) nameProcess(processName);
    else warnOfNoLibc(given, log);
    this.#daemon = given.daemon ? new Daemon(logfile, verbosity > 0) : undefined;
    this.settings = given.daemon ? withAbsolutePaths(given, Deno.cwd()) : given;
    if (!given.daemon && logfile !== null) {
      log.warn(`--logfile=${logfile} does nothing without -d: the log stays on stderr`);
    }
    if (given.configFile !== null) log.info(`options were read from ${given.configFile}`);
  }

  /** To be called when clients can connect, and before the first of them gets a reply. */
  announce(): void {
    const { pidfile, coredumps } = this.settings;
    if (coredumps) allowCore();
    if (pidfile === null) return;
    writePidFile(pidfile, this.#log);
    this.#hasPidFile = true;
  }

  /** To be called once clients are served. */
  started(): void {
    // Source: memcached.c, main(): a core file is written where the server was started.
    this.#daemon?.ready(this.settings.coredumps);
  }

  /** To be called once the server has ended. */
  ended(): void {
    const { pidfile } = this.settings;
    if (pidfile === null || this.#daemon === undefined || !this.#hasPidFile) return;
    removePidFile(pidfile, this.#log);
  }
}

/** Source: memcached.c, main(), maxcore. */
function ensureCore(): void {
  if (!canCallLibc) throw needsLibc("-r (enable-coredumps)");
  if (!raiseCoreLimit()) {
    throw new SettingsError("failed to ensure corefile creation", ExitCode.OS_ERROR);
  }
}

/** Most connections that any usual limit on open files has room for. */
const MAXCONNS_USUAL = 1024;

/** Tells the operator what is left undone; what else needs the C library is refused. */
function warnOfNoLibc({ processName, maxconns }: Settings, log: Logger): void {
  if (processName !== null) log.warn("MEMDEN_NAME does nothing: it needs the C library");
  if (maxconns <= MAXCONNS_USUAL) return;
  log.warn(`-c ${maxconns}: raising the limit on open files needs the C library; see ulimit -n`);
}

function needsLibc(what: string): SettingsError {
  const reason = "it needs Linux on x86-64 or arm64, and --allow-ffi";
  return new SettingsError(`memden: cannot use ${what}: ${reason}`, ExitCode.OS_ERROR);
}
