// What the comparisons with memcached have in common: the servers, flags that are numbers, a steady
// rate, and the table at the end.
// deno-lint-ignore-file no-console

import { ensurePackages } from "../../tests/support/packages.ts";
import { startMemcached, startMemden } from "../../tests/support/server.ts";

/** Starts either server with memcached's flags, in the order of the tables. */
export const STARTS = [startMemcached, startMemden] as const;

/** Ends the program, and says so, where there is no memcached to compare with. */
export async function requireMemcached(): Promise<void> {
  if (await ensurePackages(["memcached"])) return;
  console.error("SKIPPED: memcached is not installed and cannot be");
  Deno.exit(1);
}

/** The value of the flag `name`, a whole number of at least `min`. */
export function wholeNumber(name: string, text: string, min = 1): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= min) return value;
  throw new Error(`--${name} takes a whole number from ${min} on, not "${text}"`);
}

/** The value of the flag `name`: whole numbers with commas between them. */
export function wholeNumbers(name: string, text: string): number[] {
  return text.split(",").map((part) => wholeNumber(name, part));
}

/** A number as people read it: 1,234,567. */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A Markdown table; the first column is text, the others are numbers. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |\n`;
  const rule = head.map((_, at) => at === 0 ? "---" : "---:");
  return [head, rule, ...rows].map(line).join("");
}

/**
 * A steady rate. Who falls behind may catch up: the average counts, as with a client that does not
 * wait for the server.
 */
export class Pace {
  readonly #perSecond: number;
  readonly #startMs: number;
  #taken = 0;

  /** @param perSecond 0 sets no limit. */
  constructor(perSecond: number, startMs: number) {
    this.#perSecond = perSecond;
    this.#startMs = startMs;
  }

  /** Takes `count` more; returns the milliseconds to wait before they are due. */
  take(count: number, nowMs: number): number {
    if (this.#perSecond === 0) return 0;
    const dueMs = this.#startMs + this.#taken * 1000 / this.#perSecond;
    this.#taken += count;
    return Math.max(0, dueMs - nowMs);
  }
}

/** Waits, unless the time is up already. */
export function sleep(ms: number): Promise<void> | undefined {
  if (ms <= 0) return undefined;
  return new Promise((resolve) => setTimeout(resolve, ms));
}
