// The server as a whole: binds, makes the shared memory, starts the threads, ticks, stops.

import type { Logger } from "@logtape/logtape";
import { type Clock, CLOCK_START } from "../base/clock.ts";
import type { Settings } from "../config/settings.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Control, Global } from "../memory/regions.ts";
import { wakeMaintainer } from "../store/maintenance.ts";
import { Logins } from "../store/logins.ts";
import { planStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { SlabClasses, type SlabShape } from "../store/slab_class.ts";
import { raiseDescriptorLimit } from "../sys/limits.ts";
import { AuthFile } from "./auth_file.ts";
import { chooseTransport } from "./choose_transport.ts";
import { type Front, openFront } from "./front.ts";
import type { UdpSocket } from "./listen_udp.ts";
import { checkBudget } from "./memory_budget.ts";
import type { Listening } from "./notify.ts";
import { adviseMemory, makeMemory, shapeOf } from "./server_memory.ts";
import { StoreCheck } from "./store_check.ts";
import { startMaintainer, startWorker, type ThreadHandle, type WorkerCommon } from "./threads.ts";
import type { StatsView } from "../stats/stats_view.ts";
import type { Certificates } from "./tls_wrap.ts";

/** How a server came to its end. */
export type Ending =
  /** Somebody asked for it. */
  | { readonly cause: "asked" }
  /** A worker died; nothing it shared can be trusted. */
  | { readonly cause: "failed"; readonly reason: string };

/** Descriptors beyond those of clients: listeners, epoll, doorbells, the runtime's own. */
const FDS_SPARE = 64;
/** The same for each worker. */
const FDS_PER_THREAD = 4;
/** Longest a worker may take to close its connections, in milliseconds. */
const STOP_MS_MAX = 10_000;
const SECOND_MS = 1000;

/** Descriptors that a server with these settings may come to need. */
export function descriptorsFor({ maxconns, threads }: Settings): number {
  return maxconns + FDS_SPARE + FDS_PER_THREAD * threads;
}

/** A running server. */
export class Server {
  readonly listening: readonly Listening[];
  /** UDP sockets. */
  readonly udp: readonly UdpSocket[];
  /** Settles when the server has ended, every thread joined. */
  readonly ended: Promise<Ending>;
  readonly #log: Logger;
  readonly #clock: ServerClock;
  readonly #threads: readonly ThreadHandle[];
  readonly #front: Front;
  readonly #store: Store;
  readonly #control: Control;
  readonly #storeCheck: StoreCheck;
  readonly #authFile: AuthFile | undefined;
  readonly #settings: Settings;
  #end: (ending: Ending) => void = () => {};
  #stopping = false;

  private constructor(
    front: Front,
    threads: readonly ThreadHandle[],
    clock: ServerClock,
    store: Store,
    authFile: AuthFile | undefined,
    settings: Settings,
    log: Logger,
  ) {
    this.#store = store;
    this.#control = store.control;
    this.#storeCheck = new StoreCheck(store, log, {
      tell: (mode) => {
        if (!this.#stopping) front.acceptor.notify.post({ type: mode });
      },
      isEnding: () => this.#stopping,
      fail: (reason) => this.#fail(reason),
    });
    this.#authFile = authFile;
    this.#settings = settings;
    this.listening = front.listening;
    this.udp = front.udp;
    this.#log = log;
    this.#clock = clock;
    this.#threads = threads;
    this.#front = front;
    this.ended = new Promise((resolve) => this.#end = resolve);
  }

  /**
   * Binds, starts every thread, and accepts once all have reported in.
   *
   * @throws {SettingsError} When an address cannot be bound, or nobody could log in.
   */
  static async start(wished: Settings, log: Logger): Promise<Server> {
    const settings = { ...wished, transport: chooseTransport(wished, log) };
    const wanted = descriptorsFor(settings);
    const limit = raiseDescriptorLimit(wanted);
    if (limit < wanted) {
      log.warn(`descriptor limit is ${limit}; -c ${settings.maxconns} needs ${wanted}`);
    }
    const opened = await openFront(settings, log);
    const plan = planStore(shapeOf(settings, Math.min(wanted, limit)));
    const warning = checkBudget(settings, plan);
    if (warning !== undefined) log.warn(warning);
    logClasses(plan.shape, log);
    const clock = new ServerClock();
    const { store, map } = makeMemory(plan, clock.clock);
    const { control } = store;
    const logins = new Logins(control, store.locks);
    const { sasl } = settings;
    const path = sasl ? settings.saslFile : settings.authFile;
    const form = sasl ? "sasl" : "text";
    const authFile = path === null ? undefined : new AuthFile(path, form, logins, log);
    await authFile?.load();
    adviseMemory(settings, plan, map, log);
    storeWord(control.u32, Global.VERBOSITY, settings.verbosity);
    clock.start(control);

    const { startUnix } = clock.clock;
    const { families, manners, certificates, udp } = opened;
    storeWord(control.u32, Global.CERTS_READ_AT, clock.clock.now);
    const common: WorkerCommon = {
      settings,
      plan,
      memory: map,
      startUnix,
      families,
      manners,
      certificates,
      udp: udp.map(({ fd }) => fd),
    };
    const workers = Array.from(
      { length: settings.threads },
      (_, index) => startWorker(index + 1, common),
    );
    const front = await opened.start(common, workers);
    const maintainer = startMaintainer(common);
    const threads = [...workers.map(({ thread }) => thread), front.acceptor.thread, maintainer];
    const server = new Server(front, threads, clock, store, authFile, settings, log);
    for (const handle of threads) server.#supervise(handle);
    await Promise.race([
      Promise.all(threads.map((handle) => handle.ready)),
      server.ended,
    ]);
    return server;
  }

  /** Watches a thread: its wishes, and its death. */
  #supervise(handle: ThreadHandle): void {
    handle.onWish((wish) => {
      if (wish.type === "shutdown") void this.stop();
      else if (wish.type === "certificates") this.#useCertificates(wish.certificates);
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
    return new ServerStats(this.#store, this.#settings, () => this.#stopping);
  }

  /** Checks the store while the world stands still: see {@linkcode StoreCheck.run}. */
  checkStore(): void {
    this.#storeCheck.run();
  }

  /** Reads again what can be read while the server runs: the file of logins, the certificates. */
  async reload(): Promise<void> {
    const { tls } = this.#settings;
    if (this.#authFile === undefined && !tls) this.#log.info("SIGHUP: nothing to reload");
    await this.#authFile?.reload();
    if (!tls) return;
    const { loadCertificates } = await import("./certificates.ts");
    const loaded = loadCertificates(this.#settings);
    if (loaded.certificates === undefined) {
      this.#log.error(`SIGHUP: the certificates stay as they were: ${loaded.reason}`);
    } else this.#useCertificates(loaded.certificates);
  }

  /** Hands certificates to all workers, for the connections from now on. */
  #useCertificates(certificates: Certificates): void {
    if (this.#stopping) return;
    this.#front.acceptor.notify.post({ type: "t", certificates });
    storeWord(this.#control.u32, Global.CERTS_READ_AT, this.#clock.clock.now);
    this.#log.info("certificates read again");
  }

  /** Stops accepting, closes every connection, joins every thread. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#front.acceptor.notify.post({ type: "s" });
    storeWord(this.#control.u32, Global.STOPPING, 1);
    wakeMaintainer(this.#control);
    const all = Promise.all(this.#threads.map((handle) => handle.stopped));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), STOP_MS_MAX);
    });
    const outcome = await Promise.race([all, late]);
    clearTimeout(timer);
    this.#clock.stop();
    this.#front.close();
    if (outcome === "late") return this.#end({ cause: "failed", reason: "a thread did not stop" });
    this.#log.debug("all threads joined");
    this.#end({ cause: "asked" });
  }
}

/** {@linkcode Server.start}, for a caller that loads this module late. */
export function startServer(settings: Settings, log: Logger): Promise<Server> {
  return Server.start(settings, log);
}

/** Writes the slab classes to the log at `-vv`, as memcached does at start. */
function logClasses(shape: SlabShape, log: Logger): void {
  const { chunkBytes, perPage, last } = new SlabClasses(shape);
  for (let clsid = 1; clsid <= last; clsid++) {
    const size = String(chunkBytes[clsid]).padStart(9);
    const count = String(perPage[clsid]).padStart(7);
    log.debug(`slab class ${String(clsid).padStart(3)}: chunk size ${size} perslab ${count}`);
  }
}

/**
 * The clock that every thread reads, ticked once a second on the second.
 *
 * It follows the monotonic clock from the moment of start: a correction of the system's time makes
 * no item expire early or late.
 */
class ServerClock {
  readonly clock: Clock;
  readonly #unixMsAtStart = Date.now();
  readonly #monotonicAtStart = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const startUnix = Math.floor(this.#unixMsAtStart / SECOND_MS) - CLOCK_START;
    this.clock = { startUnix, now: CLOCK_START };
  }

  start(control: Control): void {
    const unixMs = this.#unixMsAtStart + performance.now() - this.#monotonicAtStart;
    this.clock.now = Math.floor(unixMs / SECOND_MS) - this.clock.startUnix;
    storeWord(control.u32, Global.NOW, this.clock.now);
    this.#timer = setTimeout(() => this.start(control), SECOND_MS - unixMs % SECOND_MS + 1);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
