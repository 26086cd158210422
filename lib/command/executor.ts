// What every command can use: the store, the counters, the settings, the tokens of the line.

import { Logins } from "../auth/logins.ts";
import { latin1 } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";
import type { Settings } from "../config/settings.ts";
import { MetaRequest } from "../protocol/meta/meta_request.ts";
import { Tokens } from "../protocol/text/tokens.ts";
import type { Counters } from "../stats/counters.ts";
import type { Turn } from "../stats/turn.ts";
import type { Store } from "../store/store.ts";

/** The rest of the server, as commands see it. */
export interface ServerView {
  /** Process id. */
  readonly pid: number;
  /** CPU time so far, `<seconds>.<microseconds>`. */
  cpuTimes(): { readonly user: string; readonly system: string };
  /** The lines of `stats conns`: every connection and listener of all threads. */
  conns(): readonly (readonly [name: string, value: string])[];
  /** Stops the server, as SIGINT does or, gracefully, as SIGUSR1. */
  shutdown(graceful: boolean): void;
  /** Reads the certificates again; returns the reason if they cannot be used. */
  refreshCertificates(): string | undefined;
}

/** One thread's command state. */
export class Executor {
  readonly store: Store;
  readonly counters: Counters;
  readonly settings: Settings;
  readonly server: ServerView;
  readonly logins: Logins;
  /** Commands enter it as they run. */
  readonly turn: Turn;
  /** Tokens of the current line. */
  readonly tokens = new Tokens();
  /** The current meta command. */
  readonly meta = new MetaRequest();

  constructor(store: Store, settings: Settings, server: ServerView) {
    this.store = store;
    this.counters = store.counters;
    this.turn = store.turn;
    this.settings = settings;
    this.server = server;
    this.logins = new Logins(store.control, store.locks);
  }

  /** Token `index` as text. For cold paths. */
  wordOf({ bytes }: Block, index: number): string {
    return latin1(bytes, this.tokens.start[index]!, this.tokens.end[index]!);
  }
}
