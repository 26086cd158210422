// The state of `memden top`: the last samples, their history, and the settings that keys change.

import { fail } from "../../base/assert.ts";
import { figuresOf, wasReset } from "./figures.ts";
import type { Key } from "./keys.ts";
import type { View } from "./screen_layout.ts";
import { numberOf, type Sample } from "./sample.ts";
import { ORDER_COUNT } from "./slab_table.ts";

/** Updates that a history line can show: more than a window has columns. */
const HISTORY_MAX = 500;

/** What the program does after a key. */
export type KeyEffect = "redraw" | "quit";

/** A list of keys and their meaning. */
export type KeyRows = readonly (readonly [key: string, meaning: string])[];

/** Collects samples and derives from them what the screen shows. */
export class TopModel {
  readonly #label: string;
  readonly #keys: KeyRows;

  #sample: Sample | undefined = undefined;
  /** What totals are counted from; undefined for zero. */
  #baseline: Sample | undefined = undefined;
  #since = "since start";
  readonly #gets: (number | undefined)[] = [];
  readonly #hitShares: (number | undefined)[] = [];

  /** The newest picture, and the one that is held while paused. */
  #newest: View | undefined = undefined;
  #held: View | undefined = undefined;
  #problem = "";
  #lostSince: string | undefined = undefined;
  #order = 0;
  #showsHelp = false;

  /**
   * @param label The server's address, printable.
   * @param keys For the help.
   */
  constructor(label: string, keys: KeyRows) {
    this.#label = label;
    this.#keys = keys;
  }

  /** Adds a sample. @param clock Time of day. */
  take(sample: Sample, clock: string): void {
    const before = this.#sample;
    const reset = before !== undefined && wasReset(before, sample);
    if (reset) {
      this.#baseline = undefined;
      const isRestart = (numberOf(sample.general, "uptime") ?? 0) <
        (numberOf(before.general, "uptime") ?? 0);
      this.#since = isRestart ? "since start" : "since reset";
    }
    const figures = figuresOf(sample, before, this.#baseline);
    if (before !== undefined) {
      remember(this.#gets, figures.kinds[0]?.perSecond);
      remember(this.#hitShares, figures.hitShare);
    }
    this.#sample = sample;
    this.#problem = "";
    this.#lostSince = undefined;
    this.#newest = {
      label: this.#label,
      clock,
      sample,
      figures,
      history: { gets: [...this.#gets], hitShares: [...this.#hitShares] },
      since: this.#since,
      status: reset ? "the counters started anew" : "",
      isStale: false,
      order: 0,
      help: [],
    };
  }

  /** Notes that the server does not answer. @param clock Time of day. */
  lose(reason: string, clock: string): void {
    this.#problem = reason;
    this.#lostSince ??= clock;
    remember(this.#gets, undefined);
    remember(this.#hitShares, undefined);
  }

  /** Handles a key. */
  press(key: Key, clock: string): KeyEffect {
    if (key === "quit") return "quit";
    if (this.#showsHelp) {
      this.#showsHelp = false;
      return "redraw";
    }
    if (key === "pause") this.#held = this.#held === undefined ? this.#newest : undefined;
    if (key === "sort") this.#order = (this.#order + 1) % ORDER_COUNT;
    if (key === "help") this.#showsHelp = true;
    if (key === "reset") this.#reset(clock);
    return "redraw";
  }

  /** What to show. The first sample must have come. */
  view(): View {
    const shown = this.#held ?? this.#newest;
    if (shown === undefined) fail("A picture before the first sample");
    const notes = [this.#held === undefined ? "" : "PAUSED", this.#lostText() || shown.status];
    return {
      ...shown,
      status: notes.filter((note) => note !== "").join("  "),
      isStale: this.#lostSince !== undefined,
      order: this.#order,
      help: this.#showsHelp ? this.#keys : [],
    };
  }

  #lostText(): string {
    if (this.#lostSince === undefined) return "";
    return `${this.#problem}; trying again, no answer since ${this.#lostSince}`;
  }

  #reset(clock: string): void {
    if (this.#sample === undefined || this.#newest === undefined) return;
    this.#baseline = this.#sample;
    this.#since = `since ${clock}`;
    this.#newest = {
      ...this.#newest,
      since: this.#since,
      figures: withZeroTotals(this.#newest, this.#sample),
    };
  }
}

/** The figures of a view, with what has been counted since `baseline` in place of its totals. */
function withZeroTotals({ figures }: View, baseline: Sample): View["figures"] {
  const { kinds, evictedTotal, hitShareOfAll } = figuresOf(baseline, undefined, baseline);
  return {
    ...figures,
    kinds: figures.kinds.map((it, index) => ({ ...it, total: kinds[index]?.total })),
    evictedTotal,
    hitShareOfAll,
  };
}

function remember(values: (number | undefined)[], value: number | undefined): void {
  values.push(value);
  if (values.length > HISTORY_MAX) values.shift();
}
