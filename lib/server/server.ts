// A running server: lets clients in, reads its files again, stops. start_server.ts makes it.

import type { AuthFile } from "../auth/auth_file.ts";
import type { Log } from "../base/operator_log.ts";
import type { Settings } from "../config/settings.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Control, Global, Stopping } from "../memory/regions.ts";
import type { StatsView } from "../stats/stats_view.ts";
import { wakeMaintainer } from "../store/control/requests.ts";
import type { StorePlan } from "../store/plan.ts";
import type { Store } from "../store/store.ts";
import { ring } from "../sys/eventfd.ts";
import { closeFd } from "../sys/socket.ts";
import type { Listening, MemoryMap } from "./channel/notify.ts";
import type { ServerClock } from "./channel/server_clock.ts";
import { unmapShared } from "./channel/shared_views.ts";
import type { UdpSocket } from "./listen/listen_udp.ts";
import type { BoundListeners, Listeners } from "./listeners.ts";
import type { WarmRestart } from "./restart/warm_restart.ts";
import { StoreCheck } from "./store_check.ts";
import type { ServerThreads } from "./thread/server_threads.ts";
import type { ThreadHandle } from "./thread/threads.ts";
import type { Certificates } from "./tls/tls_context.ts";

/** How a server came to its end. */
export type Ending =
  /** Somebody asked for it. */
  | { readonly cause: "asked" }
  /** A worker died; nothing it shared can be trusted. */
  | { readonly cause: "failed"; readonly reason: string };

/** Longest a worker may take to close its connections, in milliseconds. */
export const STOP_MS_MAX = 10_000;

/** What a server is made of. */
export interface ServerParts {
  readonly settings: Settings;
  readonly log: Log;
  readonly clock: ServerClock;
  readonly store: Store;
  readonly plan: StorePlan;
  readonly memory: MemoryMap;
  readonly authFile: AuthFile | undefined;
  readonly sockets: BoundListeners;
  readonly listeners: Listeners;
  readonly warm: WarmRestart | undefined;
  readonly threads: ServerThreads;
}

/** A running server. */
export class Server {
  /** Settles when the server has ended, every thread joined. */
  readonly ended: Promise<Ending>;
  readonly #parts: ServerParts;
  readonly #log: Log;
  readonly #control: Control;
  readonly #storeCheck: StoreCheck;
  #end: (ending: Ending) => void = () => {};
  #stopping = false;
  #isSaving = false;

  /** Use start_server.ts; every thread of `parts` has been started. */
  constructor(parts: ServerParts) {
    const { store, listeners, log } = parts;
    this.#parts = parts;
    this.#control = store.control;
    this.#storeCheck = new StoreCheck(store, log, {
      tell: (mode) => {
        if (!this.#stopping) listeners.acceptor.notify.post({ type: mode });
      },
      isEnding: () => this.#stopping,
      fail: (reason) => this.#fail(reason),
    });
    this.#log = log;
    this.ended = new Promise((resolve) => this.#end = resolve);
    for (const handle of parts.threads.all) this.#supervise(handle);
  }

  /** Waits until every thread has reported in, or the server has ended. */
  async allReady(): Promise<void> {
    const ready = this.#parts.threads.all.map((handle) => handle.ready);
    await Promise.race([Promise.all(ready), this.ended]);
  }

  /** Where it listens for connections; complete once it is open. */
  get listening(): readonly Listening[] {
    return this.#parts.listeners.listening;
  }

  /** Where it listens for datagrams. */
  get udp(): readonly UdpSocket[] {
    return this.#parts.listeners.udp;
  }

  /**
   * Lets clients in. When it fails the server must be stopped.
   *
   * @param announce See {@linkcode Listeners.open}.
   * @returns Whether the server takes clients: false for one that has ended, or is stopping.
   * @throws {SettingsError} When an address cannot be had after all.
   */
  async open(announce: () => void = () => {}): Promise<boolean> {
    if (this.#stopping) return false;
    await Promise.race([this.#parts.listeners.open(announce), this.ended]);
    return !this.#stopping;
  }

  /** Serves the requests of a thread, and ends the server when the thread dies. */
  #supervise(handle: ThreadHandle): void {
    handle.onRequest((request) => {
      if (request.type === "shutdown") void this.stop(request.graceful);
      else if (request.type === "certificates") this.#useCertificates(request.certificates);
    });
    void handle.died.then((reason) => this.#fail(reason));
  }

  /** Ends the server at once: what a dead thread left behind must not be served. */
  #fail(reason: string): void {
    this.#stopping = true;
    this.#end({ cause: "failed", reason });
  }

  /** What `stats` shows, for this thread. Loaded late: most servers are not asked this way. */
  async openStats(): Promise<StatsView> {
    const { ServerStats } = await import("./server_stats.ts");
    const { store, settings } = this.#parts;
    return new ServerStats(store, settings, () => this.#stopping);
  }

  /** Checks the store while the world stands still: see {@linkcode StoreCheck.run}. */
  checkStore(): void {
    this.#storeCheck.run();
  }

  /** Reads again what can be read while the server runs: the file of logins, the certificates. */
  async reload(): Promise<void> {
    const { settings, authFile } = this.#parts;
    const { tls } = settings;
    if (authFile === undefined && !tls) this.#log.info("SIGHUP: nothing to reload");
    await authFile?.reload();
    if (!tls) return;
    const { loadCertificates } = await import("./tls/certificates.ts");
    const loaded = loadCertificates(settings);
    if (loaded.certificates === undefined) {
      this.#log.error(`SIGHUP: the certificates stay as they were: ${loaded.reason}`);
    } else this.#useCertificates(loaded.certificates);
  }

  /** Hands certificates to all workers, for the connections from now on. */
  #useCertificates(certificates: Certificates): void {
    if (this.#stopping) return;
    const { listeners, clock } = this.#parts;
    listeners.acceptor.notify.post({ type: "t", certificates });
    storeWord(this.#control.u32, Global.CERTS_READ_AT, clock.clock.now);
    this.#log.info("certificates read again");
  }

  /**
   * Stops accepting, closes every connection, joins every thread, closes every descriptor.
   *
   * @param isGraceful Whether the cache is saved, where it has a memory file. The first call
   * decides; every call settles once that is done.
   */
  stop(isGraceful = false): Promise<void> {
    this.#stop ??= this.#stopInOrder(isGraceful);
    return this.#stop;
  }
  #stop: Promise<void> | undefined;

  /** Whether a stop that saves the cache has begun: it must run to its end. */
  get isSaving(): boolean {
    return this.#isSaving;
  }

  async #stopInOrder(isGraceful: boolean): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#isSaving = isGraceful && this.#parts.warm !== undefined;
    const { listeners, threads, clock, sockets, store, warm } = this.#parts;
    listeners.acceptor.notify.post({ type: "s" });
    storeWord(this.#control.u32, Global.STOPPING, Stopping.IN_ORDER);
    wakeMaintainer(this.#control);
    const all = Promise.all(threads.all.map((handle) => handle.stopped));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), STOP_MS_MAX);
    });
    const outcome = await Promise.race([all, late]);
    clearTimeout(timer);
    clock.stop();
    listeners.acceptor.notify.close();
    sockets.close();
    if (outcome === "late") return this.#end({ cause: "failed", reason: "a thread did not stop" });
    for (const handle of threads.all) handle.terminate(); // They have ended; the runtime is told.
    for (const fd of threads.doorbells) closeFd(fd);
    this.#log.debug("all threads joined");
    const problem = isGraceful ? warm?.save(store, clock.state) : undefined;
    warm?.close();
    if (problem === undefined) this.#end({ cause: "asked" });
    else this.#end({ cause: "failed", reason: `the cache is not saved: ${problem}` });
  }

  /**
   * Gives the shared memory back, after {@linkcode ended}, to a process that lives on. What
   * {@linkcode openStats} has made must not be asked any more.
   */
  giveBack(): void {
    const { memory, plan } = this.#parts;
    unmapShared(memory, plan);
  }

  /**
   * Ends what is left of a server that has failed, in a process that lives on. Its memory stays
   * where it is: a thread may still be at work on it.
   */
  abandon(): void {
    const { listeners, threads, clock, sockets } = this.#parts;
    clock.stop();
    listeners.acceptor.notify.post({ type: "s" });
    storeWord(this.#control.u32, Global.STOPPING, Stopping.AT_ONCE);
    wakeMaintainer(this.#control);
    // They stay open: a thread may still wait for its own.
    for (const fd of threads.doorbells) ring(fd);
    // The runtime ends by force, after a while, whoever waits for a lock of the dead.
    for (const handle of threads.all) handle.terminate();
    listeners.acceptor.notify.close();
    sockets.close();
  }
}
