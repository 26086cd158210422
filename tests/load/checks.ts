// Counts what held and what did not, and asks a server how it is.
// deno-lint-ignore-file no-console

import { statNumber, type TextClient } from "../../scripts/bench/text_client.ts";
import { sleep } from "../../scripts/bench/comparison.ts";

const POLL_MS = 50;
const SETTLE_MS_MAX = 15_000;

/** The checks of one run, printed as they are made. */
export class Checks {
  passed = 0;
  failed = 0;

  /** Counts one check; `found` is shown with it either way. */
  check(claim: boolean, what: string, found: string | number = ""): void {
    if (claim) this.passed++;
    else this.failed++;
    console.log(`${claim ? "ok    " : "FAILED"}  ${what}${found === "" ? "" : `: ${found}`}`);
  }

  /** Checks that `found` is exactly `expected`. */
  equal(found: number, expected: number, what: string): void {
    this.check(found === expected, what, found === expected ? found : `${found}, not ${expected}`);
  }
}

/** Reads the statistic `name` until it is `expected`, or for as long as that may take. */
export async function settled(
  control: TextClient,
  name: string,
  expected: number,
): Promise<number> {
  const deadline = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const found = statNumber(await control.stats(), name);
    if (found === expected || performance.now() > deadline) return found;
    await sleep(POLL_MS);
  }
}

/** Chunks in use in all slab classes. */
export async function usedChunks(control: TextClient): Promise<number> {
  let sum = 0;
  for (const [name, value] of await control.stats("slabs")) {
    if (name.endsWith(":used_chunks")) sum += Number(value);
  }
  return sum;
}
