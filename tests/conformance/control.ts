// A second connection to the server under test: reads `stats` for counters and for its clock.

import type { Address } from "../support/address.ts";
import { Link, type ProcessAddress } from "./link.ts";

/** What `stats` answered, by name; numbers only. */
export type Counters = ReadonlyMap<string, bigint>;

/** What keys of scripts are called. */
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** How often the clock is read while waiting for it. */
const POLL_MS = 20;

/**
 * Counters that count commands. A step that names any counter must name each of these that moves:
 * the others must stay.
 */
export const COMMAND_COUNTERS: readonly string[] = [
  ...["cmd_get", "cmd_set", "cmd_flush", "cmd_touch", "cmd_meta"],
  ...["get_hits", "get_misses", "get_expired", "get_flushed"],
  ...["delete_misses", "delete_hits", "incr_misses", "incr_hits", "decr_misses", "decr_hits"],
  ...["cas_misses", "cas_hits", "cas_badval", "touch_hits", "touch_misses"],
  ...["store_too_large", "store_no_memory", "auth_cmds", "auth_errors"],
];

export class Control {
  readonly #link: Link;
  readonly #advance: (() => void) | undefined;
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(link: Link, advance: (() => void) | undefined) {
    this.#link = link;
    this.#advance = advance;
  }

  /**
   * @param token What to log in with; see {@linkcode Link.logIn}.
   * @param advance Lets a second pass; undefined for a server whose clock goes by itself.
   */
  static async open(
    address: Address | ProcessAddress,
    waitMsMax: number,
    token?: string,
    advance?: () => void,
  ): Promise<Control> {
    const link = await Link.open(address, waitMsMax);
    await link.logIn(token);
    return new Control(link, advance);
  }

  /** One reading of `stats`. Callers may overlap; they are served in turn. */
  counters(): Promise<Counters> {
    const reading = this.#busy.then(() => this.#read());
    this.#busy = reading.catch(() => {});
    return reading;
  }

  /** Settles once the server's clock shows a later second than now. */
  async tick(): Promise<void> {
    if (this.#advance !== undefined) return this.#advance();
    const start = timeOf(await this.counters());
    while (timeOf(await this.counters()) <= start) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Removes the keys of a play: those of one letter behind `prefix`. */
  remove(prefix: string): Promise<void> {
    const removing = this.#busy.then(async () => {
      const lines = Array.from(LETTERS, (letter) => `delete ${prefix}${letter} noreply\r\n`);
      await this.#link.send(new TextEncoder().encode(`${lines.join("")}mn\r\n`));
      await this.#link.line();
    });
    this.#busy = removing.catch(() => {});
    return removing;
  }

  close(): void {
    this.#link.close();
  }

  async #read(): Promise<Counters> {
    await this.#link.send(new TextEncoder().encode("stats\r\n"));
    const counters = new Map<string, bigint>();
    while (true) {
      const bytes = await this.#link.line();
      if (bytes === undefined) throw new Error("The server does not answer stats");
      const line = new TextDecoder().decode(bytes).trimEnd();
      if (line === "END") return counters;
      const match = /^STAT (\S+) (-?\d+)$/.exec(line);
      if (match !== null) counters.set(match[1]!, BigInt(match[2]!));
    }
  }
}

function timeOf(counters: Counters): bigint {
  const time = counters.get("time");
  if (time === undefined) throw new Error("The server's stats lack time");
  return time;
}
