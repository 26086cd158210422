// The statistics of a store that has seen some commands, and time that stands still, for tests.

import { ascii } from "../base/ascii.ts";
import type { Settings } from "../config/settings.ts";
import { defaultSettings } from "../config/settings.ts";
import { storeWord } from "../memory/atomic.ts";
import { Global } from "../memory/regions.ts";
import { converse } from "../net/network_fixture.ts";
import { ServerStats } from "../server/server_stats.ts";
import { makeStore } from "../store/store_fixture.ts";
import type { Timer } from "./event_stream.ts";

/** Time that goes on when it is told to. */
export class TestTimer implements Timer {
  #now = 1_000_000;
  #due: { readonly at: number; readonly act: () => void } | undefined;

  now(): number {
    return this.#now;
  }

  after(ms: number, act: () => void): () => void {
    const due = { at: this.#now + ms, act };
    this.#due = due;
    return () => {
      if (this.#due === due) this.#due = undefined;
    };
  }

  /** Whether something is to be called. */
  get isArmed(): boolean {
    return this.#due !== undefined;
  }

  /** Lets `ms` milliseconds pass, and calls what is due. */
  pass(ms: number): void {
    const to = this.#now + ms;
    while (this.#due !== undefined && this.#due.at <= to) {
      const { at, act } = this.#due;
      this.#due = undefined;
      this.#now = at;
      act();
    }
    this.#now = to;
  }
}

/** Statistics to look at, and the server's end to play. */
export interface TestView {
  readonly view: ServerStats;
  stop(): void;
}

/** Statistics after the commands in `input`. */
export function viewAfter(input: string, settings: Partial<Settings> = {}): TestView {
  const store = makeStore();
  storeWord(store.control.u32, Global.ACCEPTING, 1);
  if (input !== "") converse(ascii(input), { recv: 1 << 20, send: 1 << 20 }, store);
  let isStopping = false;
  const all = { ...defaultSettings(), ...settings };
  store.tunables.set("lruCrawler", all.lruCrawler ? 1 : 0);
  return {
    view: new ServerStats(store, all, () => isStopping),
    stop: () => isStopping = true,
  };
}
