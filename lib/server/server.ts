// The server as a whole: makes the shared memory, starts the workers, accepts, ticks, stops.

import { MessageChannel } from "node:worker_threads";
import type { Logger } from "@logtape/logtape";
import { type Clock, CLOCK_START } from "../base/clock.ts";
import type { Settings } from "../config/settings.ts";
import { storeWord } from "../memory/atomic.ts";
import { type Control, Global, makeControlMemory } from "../memory/regions.ts";
import { openThread, planStore, type StorePlan, type StoreThread } from "../store/memory.ts";
import { Store } from "../store/store.ts";
import { openEventFd } from "../sys/eventfd.ts";
import { raiseDescriptorLimit } from "../sys/limits.ts";
import { mapMemory, viewMemory } from "../sys/mmap.ts";
import { Acceptor } from "./acceptor.ts";
import { type ListeningConn, openListeners } from "./listen.ts";
import { assumeUser } from "./privileges.ts";
import { type MemoryMap, NotifySender, type Report, type WorkerStart } from "./notify.ts";

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
  /** Settles when the server has ended, every thread joined. */
  readonly ended: Promise<Ending>;
  readonly #log: Logger;
  readonly #control: Control;
  readonly #clock: ServerClock;
  readonly #workers: WorkerHandle[] = [];
  readonly #acceptor: Acceptor;
  #end: (ending: Ending) => void = () => {};
  #stopping = false;

  private constructor(
    settings: Settings,
    listening: readonly ListeningConn[],
    thread: StoreThread,
    workers: WorkerHandle[],
    clock: ServerClock,
    log: Logger,
  ) {
    this.listening = listening;
    this.#log = log;
    this.#control = thread.control;
    this.#clock = clock;
    this.#workers = workers;
    this.#acceptor = new Acceptor(
      listening,
      workers.map((worker) => worker.notify),
      settings,
      thread.control,
      thread.counters,
    );
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
    const listening = openListeners(settings);
    assumeUser(settings.user, log);
    const plan = planStore(shapeOf(settings));
    const clock = new ServerClock();
    const { thread, map } = makeMemory(plan, clock.clock);
    storeWord(thread.control.u32, Global.VERBOSITY, settings.verbosity);
    clock.start(thread.control);

    const workers = Array.from(
      { length: settings.threads },
      (_, index) => startWorker(index + 1, settings, plan, map, clock.clock.startUnix),
    );
    const server = new Server(settings, listening, thread, workers, clock, log);
    for (const worker of workers) server.#supervise(worker);
    await Promise.race([
      Promise.all(workers.map((worker) => worker.ready.promise)),
      server.ended,
    ]);
    server.#acceptor.run().catch((error: unknown) => server.#fail(`acceptor: ${error}`));
    return server;
  }

  /** Watches a worker: its wishes, and its death. */
  #supervise(worker: WorkerHandle): void {
    worker.thread.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "ready") worker.ready.resolve();
      else if (data.type === "stopped") worker.stopped.resolve();
      else void this.stop();
    };
    worker.thread.onerror = (event) => {
      event.preventDefault();
      this.#fail(`worker ${worker.number}: ${event.message}`);
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
    this.#acceptor.stop();
    for (const { notify } of this.#workers) notify.post({ type: "s" });
    const all = Promise.all(this.#workers.map((worker) => worker.stopped.promise));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), STOP_MS_MAX);
    });
    const outcome = await Promise.race([all, late]);
    clearTimeout(timer);
    this.#clock.stop();
    for (const { listener } of this.listening) listener.close();
    for (const worker of this.#workers) worker.notify.close();
    if (outcome === "late") return this.#end({ cause: "failed", reason: "a worker did not stop" });
    this.#log.debug("all threads joined");
    this.#end({ cause: "asked" });
  }

  /** The control memory, for tests. */
  get control(): Control {
    return this.#control;
  }
}

/** One worker, as the main thread sees it. */
interface WorkerHandle {
  readonly number: number;
  readonly thread: Worker;
  readonly notify: NotifySender;
  readonly ready: PromiseWithResolvers<void>;
  readonly stopped: PromiseWithResolvers<void>;
}

function startWorker(
  number: number,
  settings: Settings,
  plan: StorePlan,
  memory: MemoryMap,
  startUnix: number,
): WorkerHandle {
  const { port1, port2 } = new MessageChannel();
  const doorbell = openEventFd();
  const thread = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
    name: `worker ${number}`,
  });
  const start: WorkerStart = {
    thread: number,
    settings,
    plan,
    memory,
    startUnix,
    port: port2,
    doorbell,
  };
  thread.postMessage(start, [port2 as unknown as Transferable]);
  return {
    number,
    thread,
    notify: new NotifySender(port1, doorbell),
    ready: Promise.withResolvers<void>(),
    stopped: Promise.withResolvers<void>(),
  };
}

/** What the store needs of the settings. */
export function shapeOf(settings: Settings): StorePlan["shape"] {
  return {
    maxbytes: settings.maxbytes,
    threads: settings.threads,
    useCas: settings.cas,
    evictions: settings.evictions,
    itemSizeMax: settings.itemSizeMax,
    hashpowerInit: settings.hashpowerInit,
    hashExpand: true,
    factor: settings.factor,
    chunkSize: settings.chunkSize,
    slabChunkMax: settings.slabChunkMax,
  };
}

/** Maps all shared memory and makes the store in it ready for every thread. */
function makeMemory(plan: StorePlan, clock: Clock): { thread: StoreThread; map: MemoryMap } {
  const control = makeControlMemory(plan.regions);
  const segments = plan.segmentBytes.map(mapMemory);
  const buckets = mapMemory(plan.bucketBytes);
  const thread = openThread(
    plan,
    {
      control,
      segments: segments.map((address, index) => viewMemory(address, plan.segmentBytes[index]!)),
      buckets: viewMemory(buckets, plan.bucketBytes),
    },
    0,
    clock,
  );
  const store = new Store(thread);
  store.assoc.start(plan.assoc);
  store.slabs.setPageLimit(plan.pageLimit);
  return { thread, map: { control, segments, buckets } };
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
