// The turn of one connection that a thread is in: whose it is, and which commands have run in it.
// The loop's drive() begins and ends it; commands enter what they run; log records name the
// connection, and the loop times the last command.

/** The descriptor of nobody: no connection's turn. */
export const NO_CONN = 0;

/** One thread's turn at hand. */
export class Turn {
  /** Descriptor of the connection; {@linkcode NO_CONN} between two turns. */
  fd = NO_CONN;
  /** The command that ran last, a `Verb`; 0 when none did. Stays until the next turn. */
  verb = 0;
  /** How many ran. Stays until the next turn. */
  commands = 0;

  /**
   * The turn of connection `fd` begins.
   * @hot
   */
  begin(fd: number): void {
    this.fd = fd;
    this.verb = 0;
    this.commands = 0;
  }

  /**
   * The turn is over.
   * @hot
   */
  end(): void {
    this.fd = NO_CONN;
  }

  /**
   * A command is run.
   * @hot
   */
  enter(verb: number): void {
    this.verb = verb;
    this.commands++;
  }

  /**
   * A command ends whose line may have come in a turn before: it counts where none else does.
   * @hot
   */
  finish(verb: number): void {
    this.verb = verb;
    if (this.commands === 0) this.commands = 1;
  }
}
