// The server as a whole: binds, makes the shared memory, starts the threads, ticks, stops.

import { MessageChannel } from "node:worker_threads";
import type { Logger } from "@logtape/logtape";
import { type Clock, CLOCK_START } from "../base/clock.ts";
import type { Settings } from "../config/settings.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Control, Global, makeControlMemory } from "../memory/regions.ts";
import { tuningOf } from "../command/tuned_settings.ts";
import { wakeMaintainer } from "../store/maintenance.ts";
import { openThread, planStore, type StorePlan, type StoreThread } from "../store/memory.ts";
import { SlabClasses, type SlabShape } from "../store/slab_class.ts";
import { Store } from "../store/store.ts";
import { openEventFd } from "../sys/eventfd.ts";
import { raiseDescriptorLimit } from "../sys/limits.ts";
import { closeFd } from "../sys/socket.ts";
import { adviseLargePages, canMapMemory, lockMemory, mapMemory } from "../sys/mmap.ts";
import { type ListeningConn, openListeners } from "./listen.ts";
import { openUdpSockets, type UdpSocket } from "./listen_udp.ts";
import { viewShared } from "./shared_views.ts";
import { assumeUser } from "./privileges.ts";
import {
  type AcceptorStart,
  type MaintainerStart,
  type MemoryMap,
  NotifySender,
  type NotifyTarget,
  type Report,
  type WorkerStart,
} from "./notify.ts";

/** How a server came to its end. */
export type Ending =
  /** Somebody asked for it. */
  | { readonly cause: "asked" }
  /** A worker died; nothing it shared can be trusted. */
  | { readonly cause: "failed"; readonly reason: string };

/** Descriptors beyond those of clients: listeners, epoll, doorbells, the runtime's own. */
const FDS_SPARE = 64;
/** Longest a worker may take to close its connections, in milliseconds. */
const STOP_MS_MAX = 10_000;
const SECOND_MS = 1000;

/** A running server. */
export class Server {
  readonly listening: readonly ListeningConn[];
  /** UDP sockets. */
  readonly udp: readonly UdpSocket[];
  /** Settles when the server has ended, every thread joined. */
  readonly ended: Promise<Ending>;
  readonly #log: Logger;
  readonly #clock: ServerClock;
  readonly #threads: readonly ThreadHandle[];
  readonly #acceptor: NotifySender;
  readonly #control: Control;
  #end: (ending: Ending) => void = () => {};
  #stopping = false;

  private constructor(
    listening: readonly ListeningConn[],
    udp: readonly UdpSocket[],
    threads: readonly ThreadHandle[],
    acceptor: NotifySender,
    clock: ServerClock,
    control: Control,
    log: Logger,
  ) {
    this.#control = control;
    this.listening = listening;
    this.udp = udp;
    this.#log = log;
    this.#clock = clock;
    this.#threads = threads;
    this.#acceptor = acceptor;
    this.ended = new Promise((resolve) => this.#end = resolve);
  }

  /**
   * Binds, starts every thread, and accepts once all have reported in.
   *
   * @throws {SettingsError} When an address cannot be bound.
   */
  static async start(settings: Settings, log: Logger): Promise<Server> {
    const wanted = settings.maxconns + FDS_SPARE + 4 * settings.threads;
    const limit = raiseDescriptorLimit(wanted);
    if (limit < wanted) {
      log.warn(`descriptor limit is ${limit}; -c ${settings.maxconns} needs ${wanted}`);
    }
    const listening = await openListeners(settings);
    const udp = await openUdpSockets(settings);
    assumeUser(settings.user, log);
    const plan = planStore(shapeOf(settings, Math.min(wanted, limit)));
    logClasses(plan.shape, log);
    const clock = new ServerClock();
    const { thread, map } = makeMemory(plan, clock.clock);
    adviseMemory(settings, plan, map, log);
    storeWord(thread.control.u32, Global.VERBOSITY, settings.verbosity);
    clock.start(thread.control);

    const { startUnix } = clock.clock;
    const common = {
      settings,
      plan,
      memory: map,
      startUnix,
      manners: listening.map(({ manner }) => manner),
      udp: udp.map(({ fd }) => fd),
    };
    const workers = Array.from(
      { length: settings.threads },
      (_, index) => startWorker(index + 1, common),
    );
    const acceptor = startAcceptor(listening, settings, plan, map, workers);
    const maintainer = startMaintainer({ settings, plan, memory: map, startUnix });
    const threads = [...workers.map(({ thread }) => thread), acceptor.thread, maintainer];
    const server = new Server(listening, udp, threads, acceptor.notify, clock, thread.control, log);
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
      else void this.stop();
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

  /** Stops accepting, closes every connection, joins every thread. */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#acceptor.post({ type: "s" });
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
    for (const { listener } of this.listening) listener?.close();
    if (outcome !== "late") { for (const { fd } of this.udp) closeFd(fd); }
    this.#acceptor.close();
    if (outcome === "late") return this.#end({ cause: "failed", reason: "a thread did not stop" });
    this.#log.debug("all threads joined");
    this.#end({ cause: "asked" });
  }
}

/** {@linkcode Server.start}, for a caller that loads this module late. */
export function startServer(settings: Settings, log: Logger): Promise<Server> {
  return Server.start(settings, log);
}

/** One thread, as the main thread sees it. */
interface ThreadHandle {
  readonly name: string;
  readonly worker: Worker;
  readonly ready: PromiseWithResolvers<void>;
  readonly stopped: PromiseWithResolvers<void>;
}

function startThread(name: string, worker: Worker, start: object, ports: unknown[]): ThreadHandle {
  worker.postMessage(start, ports as Transferable[]);
  return {
    name,
    worker,
    ready: Promise.withResolvers<void>(),
    stopped: Promise.withResolvers<void>(),
  };
}

/** Starts worker `number`; the acceptor reaches it by what comes with the handle. */
function startWorker(
  number: number,
  common: Omit<WorkerStart, "thread" | "port" | "doorbell">,
): { thread: ThreadHandle; target: NotifyTarget } {
  const { port1, port2 } = new MessageChannel();
  const doorbell = openEventFd();
  const name = `worker ${number}`;
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name });
  const start: WorkerStart = { ...common, thread: number, port: port2, doorbell };
  return {
    thread: startThread(name, worker, start, [port2]),
    target: { port: port1, doorbell },
  };
}

/** Starts the acceptor, and hands it the ways to all workers. */
function startAcceptor(
  listening: readonly ListeningConn[],
  settings: Settings,
  plan: StorePlan,
  { control }: MemoryMap,
  workers: readonly { target: NotifyTarget }[],
): { thread: ThreadHandle; notify: NotifySender } {
  const { port1, port2 } = new MessageChannel();
  const doorbell = openEventFd();
  const name = "acceptor";
  const worker = new Worker(new URL("./acceptor.ts", import.meta.url), { type: "module", name });
  const targets = workers.map(({ target }) => target);
  const start: AcceptorStart = {
    settings,
    plan,
    control,
    listening: listening.map(({ fd, address: { family } }) => ({ fd, family })),
    workers: targets,
    port: port2,
    doorbell,
  };
  return {
    thread: startThread(name, worker, start, [port2, ...targets.map(({ port }) => port)]),
    notify: new NotifySender(port1, doorbell),
  };
}

/** Starts the thread that keeps the store in order. */
function startMaintainer(start: MaintainerStart): ThreadHandle {
  const name = "maintainer";
  const worker = new Worker(new URL("./maintainer.ts", import.meta.url), { type: "module", name });
  return startThread(name, worker, start, []);
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

/** Most megabytes that references reach, less the pages beyond `-m`. */
const MEMORY_MAX = 32_000 * 2 ** 20;

/**
 * Most that `cache_memlimit` may ask for: the machine's memory, as far as so much address space can
 * be had. Where it cannot, `-m` is the most.
 */
function memoryCeiling(maxbytes: number): number {
  const ceiling = Math.max(maxbytes, Math.min(Deno.systemMemoryInfo().total, MEMORY_MAX));
  return canMapMemory(ceiling) ? ceiling : maxbytes;
}

/** Applies `-k` and `-L`, or says that they cannot be. */
function adviseMemory(settings: Settings, plan: StorePlan, map: MemoryMap, log: Logger): void {
  if (settings.largePages) {
    const had = map.segments.every((address, index) =>
      adviseLargePages(address, plan.segmentBytes[index]!)
    );
    if (!had) log.warn("-L: the kernel gives no large pages to shared memory");
  }
  if (!settings.lockMemory) return;
  const isLocked = lockMemory(map.buckets, plan.bucketBytes) &&
    map.segments.every((address, index) => lockMemory(address, plan.segmentBytes[index]!));
  if (!isLocked) log.warn("-k: not allowed to lock memory; see ulimit -l");
}

/**
 * What the store needs of the settings.
 *
 * @param conns Descriptors that connections and listeners may have.
 */
export function shapeOf(settings: Settings, conns: number): StorePlan["shape"] {
  return {
    conns,
    maxbytes: settings.maxbytes,
    threads: settings.threads,
    useCas: settings.cas,
    evictions: settings.evictions,
    itemSizeMax: settings.itemSizeMax,
    hashpowerInit: settings.hashpowerInit,
    hashExpand: settings.hashExpand,
    maxbytesCeiling: memoryCeiling(settings.maxbytes),
    slabReassign: settings.slabReassign,
    trackSizes: settings.trackSizes,
    tailRepairTime: settings.tailRepairTime,
    tuning: tuningOf(settings),
    slabSizes: settings.slabSizes,
    factor: settings.factor,
    chunkSize: settings.chunkSize,
    slabChunkMax: settings.slabChunkMax,
  };
}

/** Maps all shared memory and makes the store in it ready for every thread. */
function makeMemory(plan: StorePlan, clock: Clock): { thread: StoreThread; map: MemoryMap } {
  const map: MemoryMap = {
    control: makeControlMemory(plan.regions),
    segments: plan.segmentBytes.map(mapMemory),
    buckets: mapMemory(plan.bucketBytes),
  };
  const thread = openThread(plan, viewShared(map, plan), 0, clock);
  const store = new Store(thread);
  store.start(plan);
  return { thread, map };
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
