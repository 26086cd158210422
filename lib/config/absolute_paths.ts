// Paths of the settings that stay right when the working directory changes.

import type { Settings } from "./settings.ts";

/** Settings that name a file which is opened, or opened again, once the server runs. */
const PATHS = [
  "pidfile",
  "logfile",
  "portFilename",
  "authFile",
  "saslFile",
  "memoryFile",
  "sslChainCert",
  "sslKey",
  "sslCaCert",
] as const satisfies readonly (keyof Settings)[];

/** The same settings, their paths relative to `directory` no more. */
export function withAbsolutePaths(settings: Settings, directory: string): Settings {
  const paths: Partial<Record<typeof PATHS[number], string>> = {};
  for (const name of PATHS) {
    const path = settings[name];
    // An empty path is one that cannot be opened, and stays so.
    if (path !== null && path !== "" && !path.startsWith("/")) {
      paths[name] = `${directory === "/" ? "" : directory}/${path}`;
    }
  }
  return Object.freeze({ ...settings, ...paths });
}
