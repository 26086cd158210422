// The server's log: plain lines on stderr, as memcached writes them. Each thread opens it once.
// Warnings and errors also go to the listeners of their thread.

import { configureSync, getLogger, type Logger, type LogLevel } from "@logtape/logtape";

const ENCODER = new TextEncoder();

/** Lowest level that is written at each `-v` count. */
const LEVELS: readonly LogLevel[] = ["warning", "info", "debug", "trace"];

/** Levels that go to listeners. */
const LISTENER_LEVELS: readonly LogLevel[] = ["warning", "error", "fatal"];

/** A line as listeners get it. */
export interface LogLine {
  readonly level: string;
  readonly text: string;
  /** When it was written, Unix time in milliseconds. */
  readonly at: number;
}

const LISTENERS = new Set<(line: LogLine) => void>();

/** Calls `listener` for each line of this thread at level warning or above, from now on. */
export function listenToLog(listener: (line: LogLine) => void): void {
  LISTENERS.add(listener);
}

/**
 * Opens the log of this thread.
 *
 * @param verbosity How often `-v` was given.
 */
export function openLog(verbosity: number): Logger {
  configureSync({
    reset: true,
    sinks: {
      stderr: ({ level, message, timestamp }) => {
        const text = message.map(String).join("");
        writeLine(text);
        if (!LISTENER_LEVELS.includes(level)) return;
        for (const listener of LISTENERS) listener({ level, text, at: timestamp });
      },
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
  } catch {
    return; // The terminal is gone.
  }
}
