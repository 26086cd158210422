// The statistics of a store that has seen some commands, for tests.

import { ascii } from "../base/ascii.ts";
import type { Settings } from "../config/settings.ts";
import { defaultSettings } from "../config/settings.ts";
import { storeWord } from "../memory/atomic.ts";
import { Global } from "../memory/regions.ts";
import { converse } from "../net/testing.ts";
import { ServerStats } from "../server/server_stats.ts";
import { makeStore } from "../store/testing.ts";

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
  return {
    view: new ServerStats(store, all, () => isStopping),
    stop: () => isStopping = true,
  };
}
