// A store with its maintenance, for unit tests: turns of the maintenance come between commands, and
// the test drives the clock.

import { Maintainer } from "../../lib/store/maintenance/rounds.ts";
import type { StoreShape } from "../../lib/store/plan.ts";
import { SlabWord } from "../../lib/store/slab/record.ts";
import { makeStore, testClock } from "../../lib/store/store_fixture.ts";
import { Snapshot } from "../../lib/stats/counters.ts";
import { StoreClient } from "./store_client.ts";

const MIB = 2 ** 20;

/** A store whose maintenance and clock a test drives. */
export class Bed {
  readonly client: StoreClient;
  readonly maintainer: Maintainer;
  readonly discarded: number[] = [];
  #ms = 0;

  constructor(shape: Partial<StoreShape> = {}, isLruMaintained = true) {
    this.client = new StoreClient(makeStore({ maxbytes: 16 * MIB, ...shape }, testClock()));
    this.maintainer = new Maintainer(
      this.client.store,
      isLruMaintained,
      (page) => void this.discarded.push(page),
    );
  }

  /** Lets `seconds` seconds go by, with `each` in each of them. */
  pass(seconds: number, each: (second: number) => void = () => {}): void {
    for (let second = 0; second < seconds; second++) {
      this.client.store.clock.now++;
      each(second);
      const until = this.#ms + 1000;
      while (this.#ms < until) this.#ms += Math.max(0.1, this.maintainer.turn(this.#ms));
    }
  }

  /** Pages of the class that values of `valueBytes` bytes are in, with keys of 8 bytes. */
  pages(valueBytes: number): number {
    const { slabs, classes } = this.client.store;
    return slabs.word(classes.fit(32 + 8 + 8 + valueBytes + 2), SlabWord.PAGES);
  }

  /** A total of `stats`. */
  total(name: "slabs_moved" | "lru_crawler_starts" | "direct_page_moves"): number {
    return new Snapshot(this.client.store.control).of(name);
  }
}

/**
 * Sets values of `valueBytes` bytes for the keys of the numbers `from` to `to`.
 *
 * @returns How many were refused.
 */
export function fill({ client }: Bed, valueBytes: number, from: number, to: number): number {
  const value = "v".repeat(valueBytes);
  let refused = 0;
  for (let n = from; n < to; n++) {
    if (client.set(keyOf(n), value) !== "STORED") refused++;
  }
  return refused;
}

/** The key of 8 bytes that {@linkcode fill} sets for number `n`. */
export function keyOf(n: number): string {
  return `k${String(n).padStart(7, "0")}`;
}
