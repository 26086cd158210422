// The server as a whole: binds, makes the shared memory, starts the threads, ticks, stops.

import type { Logger } from "@logtape/logtape";
import { type Clock, CLOCK_START } from "../base/clock.ts";
import type { Settings } from "../config/settings.ts";
import { type ExitCode, SettingsError } from "../config/settings_error.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Control, Global } from "../memory/regions.ts";
import { wakeMaintainer } from "../store/maintenance.ts";
import { Logins } from "../store/logins.ts";
import { planStore } from "../store/memory.ts";
import { SlabClasses, type SlabShape } from "../store/slab_class.ts";
import { raiseDescriptorLimit } from "../sys/limits.ts";
import { AuthFile } from "./auth_file.ts";
import { chooseTransport } from "./choose_transport.ts";
import { openListeners } from "./listen.ts";
import { planListeners } from "./listen_plan.ts";
import type { Listening, Report } from "./notify.ts";
import { assumeUser } from "./privileges.ts";
import { adviseMemory, makeMemory, shapeOf } from "./server_memory.ts";
import {
  type AcceptorHandle,
  startAcceptor,
  startMaintainer,
  startRelayAcceptor,
  startWorker,
  type ThreadHandle,
  type WorkerCommon,
  type WorkerHandle,
} from "./threads.ts";

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

/** A running server. */
export class Server {
  readonly listening: readonly Listening[];
  /** Settles when the server has ended, every thread joined. */
  readonly ended: Promise<Ending>;
  readonly #log: Logger;
  readonly #clock: ServerClock;
  readonly #threads: readonly ThreadHandle[];
  readonly #front: Front;
  readonly #control: Control;
  readonly #authFile: AuthFile | undefined;
  #end: (ending: Ending) => void = () => {};
  #stopping = false;

  private constructor(
    front: Front,
    threads: readonly ThreadHandle[],
    clock: ServerClock,
    control: Control,
    authFile: AuthFile | undefined,
    log: Logger,
  ) {
    this.#control = control;
    this.#authFile = authFile;
    this.listening = front.listening;
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
    const wanted = settings.maxconns + FDS_SPARE + FDS_PER_THREAD * settings.threads;
    const limit = raiseDescriptorLimit(wanted);
    if (limit < wanted) {
      log.warn(`descriptor limit is ${limit}; -c ${settings.maxconns} needs ${wanted}`);
    }
    const open = settings.transport === "relay" ? openRelay : openNative;
    const openFront = await open(settings, log);
    const plan = planStore(shapeOf(settings, Math.min(wanted, limit)));
    logClasses(plan.shape, log);
    const clock = new ServerClock();
    const { thread, map } = makeMemory(plan, clock.clock);
    const logins = new Logins(thread.control, thread.locks);
    const { sasl } = settings;
    const path = sasl ? settings.saslFile : settings.authFile;
    const form = sasl ? "sasl" : "text";
    const authFile = path === null ? undefined : new AuthFile(path, form, logins, log);
    await authFile?.load();
    adviseMemory(settings, plan, map, log);
    storeWord(thread.control.u32, Global.VERBOSITY, settings.verbosity);
    clock.start(thread.control);

    const { startUnix } = clock.clock;
    const { manners } = openFront;
    const common: WorkerCommon = { settings, plan, memory: map, startUnix, manners };
    const workers = Array.from(
      { length: settings.threads },
      (_, index) => startWorker(index + 1, common),
    );
    const front = await openFront.start(common, workers);
    const maintainer = startMaintainer(common);
    const threads = [...workers.map(({ thread }) => thread), front.acceptor.thread, maintainer];
    const server = new Server(front, threads, clock, thread.control, authFile, log);
    for (const handle of threads) server.#supervise(handle);
    await Promise.race([
      Promise.all(threads.map((handle) => handle.ready.promise)),
      server.ended,
    ]);
    return server;
  }

  /** Watches a thread: its wishes, and its death. */
  #supervise({ name, worker, ready, stopped }: ThreadHandle): void {
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "ready") ready.resolve();
      else if (data.type === "stopped") stopped.resolve();
      else if (data.type === "shutdown") void this.stop();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`${name}: ${event.message}`);
    };
  }

  /** Ends the server at once: what a dead thread left behind must not be served. */
  #fail(reason: string): void {
    this.#stopping = true;
    this.#end({ cause: "failed", reason });
  }

  /** Reads again what can be read again while the server runs: the file of logins. */
  async reload(): Promise<void> {
    if (this.#authFile === undefined) this.#log.info("SIGHUP: nothing to reload");
    else await this.#authFile.reload();
  }

  /** Stops accepting, closes every connection, joins every thread. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#front.acceptor.notify.post({ type: "s" });
    storeWord(this.#control.u32, Global.STOPPING, 1);
    wakeMaintainer(this.#control);
    const all = Promise.all(this.#threads.map((handle) => handle.stopped.promise));
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

/** Where connections come in. */
interface Front {
  readonly listening: readonly Listening[];
  readonly acceptor: AcceptorHandle;
  /** Lets go of the listening sockets and the way to the acceptor. */
  close(): void;
}

/** A front whose threads are still to be started. */
interface OpenFront {
  /** By listener, as the workers are told of them. */
  readonly manners: WorkerCommon["manners"];
  /** @throws {SettingsError} When an address cannot be bound. */
  start(common: WorkerCommon, workers: readonly WorkerHandle[]): Promise<Front>;
}

/** Binds on this thread; the acceptor gets descriptors. */
async function openNative(settings: Settings, log: Logger): Promise<OpenFront> {
  const listening = await openListeners(settings);
  assumeUser(settings.user, log);
  return {
    manners: listening.map(({ manner }) => manner),
    start(common, workers) {
      const acceptor = startAcceptor(listening, common, workers);
      const close = (): void => {
        for (const { listener } of listening) listener?.close();
        acceptor.notify.close();
      };
      return Promise.resolve({ listening, acceptor, close });
    },
  };
}

/** The acceptor binds, since a listener cannot be handed to another thread. */
async function openRelay(settings: Settings, log: Logger): Promise<OpenFront> {
  const plans = await planListeners(settings);
  return {
    manners: plans.map(({ manner }) => manner),
    async start(common, workers) {
      const acceptor = startRelayAcceptor(common, plans, workers);
      const listening = await listeningOf(acceptor.thread);
      assumeUser(settings.user, log);
      return { listening, acceptor, close: () => acceptor.notify.close() };
    },
  };
}

/** Waits until the relay acceptor listens. */
function listeningOf({ worker }: ThreadHandle): Promise<readonly Listening[]> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "listening") return resolve(data.listening);
      if (data.type === "unusable") {
        reject(new SettingsError(data.message, data.exitCode as ExitCode));
      }
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(`acceptor: ${event.message}`));
    };
  });
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
