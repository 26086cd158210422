// The server as a whole: binds, makes the shared memory, starts the threads, ticks, stops.

import type { Log } from "../base/operator_log.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Control, Global, Stopping } from "../memory/regions.ts";
import { wakeMaintainer } from "../store/control/requests.ts";
import { Logins } from "../auth/logins.ts";
import { planStore, type StorePlan } from "../store/plan.ts";
import type { Store } from "../store/store.ts";
import { SlabClasses, type SlabShape } from "../store/slab/classes.ts";
import { ring } from "../sys/eventfd.ts";
import { closeFd } from "../sys/socket.ts";
import { AuthFile, readAuthFile } from "../auth/auth_file.ts";
import { chooseTransport } from "./choose_transport.ts";
import { bindFront, type BoundFront, type Front } from "./listeners.ts";
import type { UdpSocket } from "./listen/listen_udp.ts";
import { descriptorsFor, ensureDescriptors } from "./listen/descriptors.ts";
import { checkBudget } from "./memory_budget.ts";
import type { Listening, MemoryMap } from "./channel/notify.ts";
import { ServerClock } from "./channel/server_clock.ts";
import { adviseMemory, makeMemory, shapeOf } from "./server_memory.ts";
import { unmapShared } from "./channel/shared_views.ts";
import { StoreCheck } from "./store_check.ts";
import {
  startMaintainer,
  startWorkers,
  type ThreadHandle,
  type WorkerCommon,
} from "./thread/threads.ts";
import type { StatsView } from "../stats/stats_view.ts";
import type { Certificates } from "./tls/tls_wrap.ts";
import type { WarmRestart } from "./restart/warm_restart.ts";

/** How a server came to its end. */
export type Ending =
  /** Somebody asked for it. */
  | { readonly cause: "asked" }
  /** A worker died; nothing it shared can be trusted. */
  | { readonly cause: "failed"; readonly reason: string };

/** Longest a worker may take to close its connections, in milliseconds. */
const STOP_MS_MAX = 10_000;

/** What a server is made of. */
interface Parts {
  readonly settings: Settings;
  readonly log: Log;
  readonly clock: ServerClock;
  readonly store: Store;
  readonly plan: StorePlan;
  readonly memory: MemoryMap;
  readonly authFile: AuthFile | undefined;
  readonly sockets: BoundFront;
  readonly front: Front;
  readonly warm: WarmRestart | undefined;
  readonly threads: readonly ThreadHandle[];
  /** The eventfds that wake threads. */
  readonly doorbells: readonly number[];
}

/** A running server. */
export class Server {
  /** Settles when the server has ended, every thread joined. */
  readonly ended: Promise<Ending>;
  readonly #parts: Parts;
  readonly #log: Log;
  readonly #control: Control;
  readonly #storeCheck: StoreCheck;
  #end: (ending: Ending) => void = () => {};
  #stopping = false;
  #isSaving = false;

  private constructor(parts: Parts) {
    const { store, front, log } = parts;
    this.#parts = parts;
    this.#control = store.control;
    this.#storeCheck = new StoreCheck(store, log, {
      tell: (mode) => {
        if (!this.#stopping) front.acceptor.notify.post({ type: mode });
      },
      isEnding: () => this.#stopping,
      fail: (reason) => this.#fail(reason),
    });
    this.#log = log;
    this.ended = new Promise((resolve) => this.#end = resolve);
  }

  /**
   * Binds, reads every file, starts every thread, and returns when all have reported in, or one has
   * died. {@linkcode open} lets clients in. What was opened is closed again when it fails.
   *
   * @throws {SettingsError} When an address cannot be bound, or nobody could log in.
   */
  static async start(wished: Settings, log: Log): Promise<Server> {
    const settings = { ...wished, transport: chooseTransport(wished, log) };
    const wanted = descriptorsFor(settings);
    const limit = ensureDescriptors(settings);
    if (limit < wanted) {
      log.warn(`descriptor limit is ${limit}; -c ${settings.maxconns} needs ${wanted}`);
    }
    await using undo = new AsyncDisposableStack();
    const sockets = await bindFront(settings);
    undo.defer(() => sockets.close());
    const plan = planStore(shapeOf(settings, Math.min(wanted, limit)));
    const warning = checkBudget(settings, plan);
    if (warning !== undefined) log.warn(warning);
    logClasses(plan.shape, log);
    const warm = await openWarm(settings, plan, log);
    undo.defer(() => warm?.close());
    const clock = new ServerClock(warm?.startUnix);
    const { store, map: memory } = makeMemory(plan, clock.clock, warm?.segments);
    undo.defer(() => unmapShared(memory, plan));
    const authFile = await loadLogins(settings, store, log);
    warm?.begin(store);
    adviseMemory(settings, plan, memory, log);
    storeWord(store.control.u32, Global.VERBOSITY, settings.verbosity);
    clock.start(store.control);
    undo.defer(() => clock.stop());

    const { families, manners, certificates, udp } = sockets;
    storeWord(store.control.u32, Global.CERTS_READ_AT, clock.clock.now);
    const common: WorkerCommon = {
      settings,
      plan,
      memory,
      startUnix: clock.clock.startUnix,
      families,
      manners,
      certificates,
      udp: udp.map(({ fd }) => fd),
    };
    const workers = await startWorkers(settings.threads, common);
    const front = sockets.start(common, workers);
    const threads = workers.map(({ thread }) => thread);
    threads.push(front.acceptor.thread, startMaintainer(common));
    const doorbells = [...workers.map(({ target }) => target), front.acceptor]
      .map(({ doorbell }) => doorbell).filter((fd) => fd >= 0);
    undo.move();
    const parts = { settings, log, clock, store, plan, memory, authFile, sockets, front, warm };
    const server = new Server({ ...parts, threads, doorbells });
    for (const handle of threads) server.#supervise(handle);
    await Promise.race([
      Promise.all(threads.map((handle) => handle.ready)),
      server.ended,
    ]);
    return server;
  }

  /** Where it listens for connections; complete once it is open. */
  get listening(): readonly Listening[] {
    return this.#parts.front.listening;
  }

  /** Where it listens for datagrams. */
  get udp(): readonly UdpSocket[] {
    return this.#parts.front.udp;
  }

  /**
   * Lets clients in. When it fails the server must be stopped.
   *
   * @param announce See {@linkcode Front.open}.
   * @returns Whether the server takes clients: false for one that has ended, or is stopping.
   * @throws {SettingsError} When an address cannot be had after all.
   */
  async open(announce: () => void = () => {}): Promise<boolean> {
    if (this.#stopping) return false;
    await Promise.race([this.#parts.front.open(announce), this.ended]);
    return !this.#stopping;
  }

  /** Watches a thread: its wishes, and its death. */
  #supervise(handle: ThreadHandle): void {
    handle.onWish((wish) => {
      if (wish.type === "shutdown") void this.stop(wish.graceful);
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
    const { front, clock } = this.#parts;
    front.acceptor.notify.post({ type: "t", certificates });
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
    const { front, threads, clock, sockets, doorbells, store, warm } = this.#parts;
    front.acceptor.notify.post({ type: "s" });
    storeWord(this.#control.u32, Global.STOPPING, Stopping.IN_ORDER);
    wakeMaintainer(this.#control);
    const all = Promise.all(threads.map((handle) => handle.stopped));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), STOP_MS_MAX);
    });
    const outcome = await Promise.race([all, late]);
    clearTimeout(timer);
    clock.stop();
    front.acceptor.notify.close();
    sockets.close();
    if (outcome === "late") return this.#end({ cause: "failed", reason: "a thread did not stop" });
    for (const handle of threads) handle.terminate(); // They have ended; the runtime is told.
    for (const fd of doorbells) closeFd(fd);
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
    const { front, threads, clock, sockets, doorbells } = this.#parts;
    clock.stop();
    front.acceptor.notify.post({ type: "s" });
    storeWord(this.#control.u32, Global.STOPPING, Stopping.AT_ONCE);
    wakeMaintainer(this.#control);
    for (const fd of doorbells) ring(fd); // They stay open: a thread may still wait for its own.
    // The runtime ends by force, after a while, whoever waits for a lock of the dead.
    for (const handle of threads) handle.terminate();
    front.acceptor.notify.close();
    sockets.close();
  }
}

/** The file of logins, and what for; undefined where there is none. */
function loginsOf({ sasl, saslFile, authFile }: Settings) {
  const path = sasl ? saslFile : authFile;
  return path === null ? undefined : { path, form: sasl ? "sasl" : "text" } as const;
}

/** @throws {SettingsError} When the file of logins cannot be used. */
async function checkLogins(settings: Settings): Promise<void> {
  const logins = loginsOf(settings);
  if (logins === undefined) return;
  const file = await readAuthFile(logins.path, logins.form);
  if ("problem" in file) throw new SettingsError(file.problem, ExitCode.FAILURE);
}

/** Reads the file of logins, where there is one. @throws {SettingsError} When it cannot be used. */
async function loadLogins(
  settings: Settings,
  { control, locks }: Store,
  log: Log,
): Promise<AuthFile | undefined> {
  const logins = loginsOf(settings);
  if (logins === undefined) return undefined;
  const file = new AuthFile(logins.path, logins.form, new Logins(control, locks), log);
  await file.load();
  return file;
}

/** {@linkcode Server.start}, for a caller that loads this module late. */
export function startServer(settings: Settings, log: Log): Promise<Server> {
  return Server.start(settings, log);
}

/** The memory file, where there is one. Loaded late: most servers have none. */
async function openWarm(
  settings: Settings,
  plan: StorePlan,
  log: Log,
): Promise<WarmRestart | undefined> {
  if (settings.memoryFile === null) return undefined;
  await checkLogins(settings); // A start that fails leaves a saved cache as it is.
  const { WarmRestart } = await import("./restart/warm_restart.ts");
  return WarmRestart.open(settings.memoryFile, plan, log);
}

/** Writes the slab classes to the log at `-vv`, as memcached does at start. */
function logClasses(shape: SlabShape, log: Log): void {
  const { chunkBytes, perPage, last } = new SlabClasses(shape);
  for (let clsid = 1; clsid <= last; clsid++) {
    const size = String(chunkBytes[clsid]).padStart(9);
    const count = String(perPage[clsid]).padStart(7);
    log.debug(`slab class ${String(clsid).padStart(3)}: chunk size ${size} perslab ${count}`);
  }
}
