// What every command can reach: the store, the counters, the settings, the line's tokens.

import { latin1 } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";
import type { Settings } from "../config/settings.ts";
import { MetaRequest } from "../protocol/meta/meta_request.ts";
import { Tokens } from "../protocol/text/tokens.ts";
import type { Counters } from "../stats/counters.ts";
import type { Turn } from "../stats/turn.ts";
import type { Store } from "../store/store.ts";

/** What commands ask of the rest of the server. */
export interface ServerView {
  /** Process id. */
  readonly pid: number;
  /** CPU time so far, `<seconds>.<microseconds>`. */
  cpuTimes(): { readonly user: string; readonly system: string };
  /** The lines of `stats conns`: every connection and listener of all threads. */
  conns(): readonly (readonly [name: string, value: string])[];
  /** Stops the server, as SIGINT does or, gracefully, as SIGUSR1. */
  shutdown(graceful: boolean): void;
  /** Reads the certificates again; returns why not, if they cannot be used. */
  refreshCertificates(): string | undefined;
}

/** One thread's command state. */
export class Executor {
  readonly store: Store;
  readonly counters: Counters;
  readonly settings: Settings;
  readonly server: ServerView;
  /** Where commands enter that they run. */
  readonly turn: Turn;
  /** Tokens of the line at hand. */
  readonly tokens = new Tokens();
  /** The meta command at hand. */
  readonly meta = new MetaRequest();

  constructor(store: Store, settings: Settings, server: ServerView) {
    this.store = store;
    this.counters = store.counters;
    this.turn = store.turn;
    this.settings = settings;
    this.server = server;
  }

  /** Token `index` as text. For cold paths. */
  wordOf({ bytes }: Block, index: number): string {
    return latin1(bytes, this.tokens.start[index]!, this.tokens.end[index]!);
  }
}
