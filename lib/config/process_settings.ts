// Settings of the server process: user, pid file, daemon, log file, name.

import type { Environment } from "./options.ts";
import type { Values } from "./values.ts";

/** Settings of the server process. */
export interface ProcessSettings {
  /** A name or a numeric uid; null to keep the user that started the server. */
  readonly user: string | null;
  readonly pidfile: string | null;
  /** The server goes into the background once it has started. */
  readonly daemon: boolean;
  /** Where a daemon's stderr goes; null for nowhere. */
  readonly logfile: string | null;
  /** The limit on the size of core files is raised. */
  readonly coredumps: boolean;
  /** Name of the process; null to keep the name of the executable. */
  readonly processName: string | null;
  /** The file that options were read from; null for none. */
  readonly configFile: string | null;
}

/** Reads the options of {@linkcode ProcessSettings}. */
export function processSettings(values: Values, env: Environment): ProcessSettings {
  return {
    user: values.name("user"),
    pidfile: values.name("pidfile"),
    daemon: values.isOn("daemon"),
    logfile: values.name("logfile"),
    coredumps: values.isOn("enable-coredumps"),
    processName: env.MEMDEN_NAME || null,
    configFile: values.name("config"),
  };
}
