// The check of a live store: SIGUSR2 asks for it.

import type { Log } from "../base/operator_log.ts";
import { checkLiveStore } from "../store/check.ts";
import type { Store } from "../store/store.ts";
import { pauseWorld, type WorldReach } from "./stop_world.ts";

/** What a check asks of the server. */
export interface CheckedServer extends Pick<WorldReach, "notifyWorkers" | "isEnding"> {
  /** Ends the server: its store cannot be trusted. */
  fail(reason: string): void;
}

/** Checks the store of one server. */
export class StoreCheck {
  readonly #store: Store;
  readonly #log: Log;
  readonly #server: CheckedServer;
  #checking = false;

  constructor(store: Store, log: Log, server: CheckedServer) {
    this.#store = store;
    this.#log = log;
    this.#server = server;
  }

  /**
   * Checks the whole store while the world stands still, and logs the result. A
   * store with a broken rule ends the server. Does nothing while a check is under way.
   */
  run(): void {
    if (this.#checking || this.#server.isEnding()) return;
    this.#checking = true;
    // A walk that throws has met a broken invariant.
    this.#check().catch((error) => this.#server.fail(`store check: ${error}`));
  }

  async #check(): Promise<void> {
    const { control, locks, shape } = this.#store;
    const { notifyWorkers, isEnding } = this.#server;
    const reach: WorldReach = {
      control,
      locks,
      threads: shape.threads + 1,
      notifyWorkers,
      isEnding,
    };
    const pause = await pauseWorld(reach, () => checkLiveStore(this.#store));
    this.#checking = false;
    if (typeof pause === "string") return this.#log.warn(`store not checked: ${pause}`);
    const { result: { problems, items }, reportsMs, lockMs, stillMs } = pause;
    if (problems.length > 0) {
      return this.#server.fail(`store check: ${problems.length} broken, the first: ${problems[0]}`);
    }
    this.#log.warn(
      `store checked: ${items} items in ${stillMs.toFixed(1)} ms; ` +
        `threads reported in within ${reportsMs.toFixed(2)} ms, ` +
        `the last turn ended after ${lockMs.toFixed(2)} ms`,
    );
  }
}
