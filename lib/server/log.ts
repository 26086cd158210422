// The server's log: plain lines on stderr, as memcached writes them. Each thread sets it up once.

import { configureSync, getLogger, type Logger, type LogLevel } from "@logtape/logtape";

const ENCODER = new TextEncoder();

/** Lowest level that is written at each `-v` count. */
const LEVELS: readonly LogLevel[] = ["warning", "info", "debug", "trace"];

/**
 * Opens the log of this thread.
 *
 * @param verbosity How often `-v` was given.
 */
export function openLog(verbosity: number): Logger {
  configureSync({
    reset: true,
    sinks: {
      stderr: ({ message }) => writeLine(message.map(String).join("")),
    },
    loggers: [
      {
        category: "memden",
        lowestLevel: LEVELS[Math.min(verbosity, LEVELS.length - 1)] ?? "warning",
        sinks: ["stderr"],
      },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
  return getLogger("memden");
}

function writeLine(text: string): void {
  try {
    Deno.stderr.writeSync(ENCODER.encode(`${text}\n`));
    // deno-lint-ignore house/catch-place -- The terminal is gone: nobody is left to be told.
  } catch {
    return;
  }
}
