// The log for the operator, as an interface. LogTape's Logger implements it.

/** A log with four levels; each line is a complete message. */
export interface Log {
  debug(line: string): void;
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}
