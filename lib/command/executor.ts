// What every command can reach: the store, the counters, the settings, the line's tokens.

import { latin1 } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";
import type { Settings } from "../config/settings.ts";
import { MetaRequest } from "../protocol/meta/meta_request.ts";
import { Verb } from "../protocol/text/commands.ts";
import { Tokens } from "../protocol/text/tokens.ts";
import type { Counters } from "../stats/counters.ts";
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
  /** Tokens of the line at hand. */
  readonly tokens = new Tokens();
  /** The command that was run last, and how many were: for the loop, which sets them back. */
  served: Verb = Verb.NONE;
  servedCount = 0;
  /** The meta command at hand. */
  readonly meta = new MetaRequest();

  constructor(store: Store, settings: Settings, server: ServerView) {
    this.store = store;
    this.counters = store.counters;
    this.settings = settings;
    this.server = server;
  }

  /** Token `index` as text. For cold paths. */
  wordOf({ bytes }: Block, index: number): string {
    return latin1(bytes, this.tokens.start[index]!, this.tokens.end[index]!);
  }
}
