// Where lines for the operator go. LogTape's Logger is one; so is any object with these functions.

/** Takes lines of four levels; each is complete as it is. */
export interface Log {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}
