// The statistics of the server as the main thread reads them, out of the memory that all share.

import { itemsRows, slabsRows } from "../command/admin/class_stats.ts";
import { currentSettings, generalRows, type StatsSource } from "../command/admin/stats.ts";
import type { Settings } from "../config/settings.ts";
import { ConnTable } from "../stats/conn_table.ts";
import { isAccepting } from "../stats/globals.ts";
import type { ConnSummary, StatRow, StatsView, WorkSamples } from "../stats/stats_view.ts";
import type { Store } from "../store/store.ts";
import { cpuTimes } from "../sys/limits.ts";
import { summarizeConns } from "./listen/conn_stats.ts";
import { workSamples } from "./work_samples.ts";

/** The rows that commands show, for {@linkcode StatsView}. */
export class ServerStats implements StatsView {
  readonly #source: StatsSource;
  readonly #conns: ConnTable;
  readonly #isStopping: () => boolean;

  constructor(store: Store, settings: Settings, isStopping: () => boolean) {
    this.#source = { store, settings, server: { pid: Deno.pid, cpuTimes } };
    this.#conns = new ConnTable(store.control);
    this.#isStopping = isStopping;
  }

  isReady(): boolean {
    return !this.#isStopping() && isAccepting(this.#source.store.control);
  }

  general(): readonly StatRow[] {
    return generalRows(this.#source);
  }

  settings(): readonly StatRow[] {
    return currentSettings(this.#source);
  }

  items(): readonly StatRow[] {
    return itemsRows(this.#source);
  }

  slabs(): readonly StatRow[] {
    return slabsRows(this.#source);
  }

  conns(): ConnSummary {
    return summarizeConns(this.#conns);
  }

  samples(): WorkSamples | undefined {
    return workSamples(this.#source.store);
  }
}
