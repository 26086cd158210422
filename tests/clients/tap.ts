// Results of one client's tests as TAP lines: `ok 1 - name`, `not ok 2 - name`, at last the plan.
//
// Tests come in groups. A group that throws is one failure and does not stop the next one; a group
// that hangs is the last one, for it might go on in the middle of the next.
// main.ts counts the lines; the plan tells it that the client came to its end.
// deno-lint-ignore-file no-console

import { isDeepStrictEqual } from "node:util";

/** Longest that a group may take unless it says otherwise, in milliseconds. */
const GROUP_MS_MAX = 40_000;
/** Details longer than this are cut: values may be large. */
const DETAIL_CHARS_MAX = 600;

/** Counts and prints results. */
export class Tap {
  #count = 0;
  #failed = 0;
  #group = "";

  /** Records `claim` under `name`; `detail` is printed when it does not hold. */
  ok(name: string, claim: boolean, detail = ""): void {
    this.#count++;
    if (!claim) this.#failed++;
    console.log(`${claim ? "ok" : "not ok"} ${this.#count} - ${this.#group}: ${name}`);
    if (claim || detail === "") return;
    for (const line of detail.slice(0, DETAIL_CHARS_MAX).split("\n")) console.log(`#   ${line}`);
  }

  /** Records whether `got` equals `expected`, compared in depth. */
  equal(name: string, got: unknown, expected: unknown): void {
    const show = (value: unknown): string =>
      Deno.inspect(value, { strAbbreviateSize: 200, iterableLimit: 20 });
    this.ok(name, isDeepStrictEqual(got, expected), `got ${show(got)}\nexpected ${show(expected)}`);
  }

  /** Records whether `promise` fails with a message that matches `pattern`. */
  async rejects(name: string, promise: Promise<unknown>, pattern: RegExp): Promise<void> {
    try {
      const value = await promise;
      this.ok(name, false, `did not fail but gave ${Deno.inspect(value)}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.ok(name, pattern.test(message), `failed with "${message}", not ${pattern}`);
    }
  }

  /** Runs `tests` as the group `name`, for at most `msMax` milliseconds. */
  async group(name: string, tests: () => Promise<void>, msMax = GROUP_MS_MAX): Promise<void> {
    this.#group = name;
    const guard = setTimeout(() => {
      this.ok("runs to its end", false, `no end after ${msMax} ms`);
      this.end();
    }, msMax);
    try {
      await tests();
    } catch (error) {
      this.ok("runs to its end", false, error instanceof Error ? error.stack : String(error));
    } finally {
      clearTimeout(guard);
    }
  }

  /** Prints the plan and ends the process; clients may hold sockets and timers open. */
  end(): never {
    console.log(`1..${this.#count}`);
    Deno.exit(this.#failed === 0 ? 0 : 1);
  }
}

/** The server to test, from the command line: host and port. */
export function serverFromArgs(): { readonly host: string; readonly port: number } {
  const [host, port] = Deno.args;
  if (host === undefined || port === undefined) throw new Error("usage: <client>.ts HOST PORT");
  return { host, port: Number(port) };
}

/** Waits `ms` milliseconds: expiry is the server's own clock at work. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
