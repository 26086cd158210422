// Who spreads keys over nodes: a proxy, or a client with a ring of its own. The same story is told
// of each, so each is made to do the same few things.

import type { RingRules } from "./ring.ts";

/** How a round of gets or sets went. */
export interface Round {
  /** Values that came, by key; of sets none. */
  readonly values: ReadonlyMap<string, string>;
  /** What was said instead of an answer, by key. */
  readonly errors: ReadonlyMap<string, string>;
}

/** One of them. */
export interface Party extends AsyncDisposable {
  readonly name: string;
  /** The ring that it should have. */
  readonly rules: RingRules;
  /** Stores `value` under each key. */
  set(keys: readonly string[], value: string): Promise<Round>;
  /** Asks for each key by itself. */
  get(keys: readonly string[]): Promise<Round>;
  /** Asks for all keys with as few requests as it can. */
  getMany(keys: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Makes it use a node again that has come back; most do so by themselves. */
  rejoin(): Promise<void>;
}
