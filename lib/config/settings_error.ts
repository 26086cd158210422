// What stops the server before it has started: a message for the operator and an exit code.

/** Exit codes that memcached's users know; the named ones are those of BSD's `sysexits.h`. */
export const ExitCode = { OK: 0, FAILURE: 1, USAGE: 64, NO_USER: 67, OS_ERROR: 71 } as const;
export type ExitCode = typeof ExitCode[keyof typeof ExitCode];

/** Thrown for a command line that cannot be used. Caught in `main.ts` only. */
export class SettingsError extends Error {
  override name = "SettingsError";

  /** What the process exits with. */
  readonly exitCode: ExitCode;

  /** @param message One line for stderr, complete as it is. */
  constructor(message: string, exitCode: ExitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/**
 * What the operator sees for an option or value that memcached has and this version has not.
 *
 * @param what The option as it was given, such as `-s (unix-socket)`.
 */
export function notAvailable(what: string): SettingsError {
  return new SettingsError(`memden: ${what} is not available in this version`, ExitCode.FAILURE);
}
