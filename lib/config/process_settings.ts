// Settings of the process around the server: who it is, where it is noted down, how it is started.

import type { Environment } from "./options.ts";
import type { Values } from "./values.ts";

/** The part of the settings that concerns the process. */
export interface ProcessSettings {
  /** A name or a numeric uid; null to stay who started the server. */
  readonly user: string | null;
  readonly pidfile: string | null;
  /** The server goes into the background once it has started. */
  readonly daemon: boolean;
  /** Where a daemon's stderr goes; null for nowhere. */
  readonly logfile: string | null;
  /** The limit on the size of core files is raised. */
  readonly coredumps: boolean;
  /** What the process is to be called; null for what it was started as. */
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
