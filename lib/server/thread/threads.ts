// The threads of a server, as the main thread starts them and sees them.

import { MessageChannel } from "node:worker_threads";
import { threadModule } from "../../base/program.ts";
import { openEventFd } from "../../sys/eventfd.ts";
import { closeFd } from "../../sys/socket.ts";
import type { ListeningConn } from "../listen/bind_sockets.ts";
import type { RelayListenPlan } from "../listen/listen_plan.ts";
import {
  type AcceptorStart,
  type MaintainerStart,
  type Notice,
  NotifySender,
  type NotifyTarget,
  type RelayAcceptorStart,
  type Report,
  type WorkerStart,
} from "../channel/notify.ts";

/** What a thread asks of the main thread: every report but those of its start and end. */
export type ThreadRequest = Exclude<Report, { readonly type: "ready" | "stopped" }>;

/** One thread, as the main thread sees it: it is listened to from its first moment on. */
export class ThreadHandle {
  readonly name: string;
  readonly #worker: Worker;
  readonly #ready = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #died = Promise.withResolvers<string>();
  readonly #pending: ThreadRequest[] = [];
  #onRequest: ((request: ThreadRequest) => void) | undefined;

  /** @param ports What of `start` is handed over. */
  constructor(name: string, worker: Worker, start: object, ports: unknown[]) {
    this.name = name;
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (data.type === "ready") this.#ready.resolve();
      else if (data.type === "stopped") this.#stopped.resolve();
      else if (this.#onRequest === undefined) this.#pending.push(data);
      else this.#onRequest(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      this.#died.resolve(`${name}: ${event.message}`);
    };
    worker.postMessage(start, ports as Transferable[]);
  }

  /** Settles when the thread has reported in. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Settles when it has stopped in order. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Settles with the reason when it has died. */
  get died(): Promise<string> {
    return this.#died.promise;
  }

  /** Ends the thread, at the latest when it comes back from the system call that it is in. */
  terminate(): void {
    this.#worker.terminate();
  }

  /** Calls `take` for each request of the thread, those that have come before included. */
  onRequest(take: (request: ThreadRequest) => void): void {
    this.#onRequest = take;
    for (const request of this.#pending.splice(0)) take(request);
  }
}

/** The acceptor, and the channel to it. */
export interface AcceptorHandle {
  readonly thread: ThreadHandle;
  readonly notify: { post(notice: Notice): void; close(): void };
  /** An eventfd; -1 with the relay transport. */
  readonly doorbell: number;
}

/** A worker, and the channel by which the acceptor reaches it. */
export interface WorkerHandle {
  readonly thread: ThreadHandle;
  readonly number: number;
  readonly target: NotifyTarget;
}

/** Opens a channel, which `undo` closes. */
function openChannel(undo: DisposableStack): MessageChannel {
  return undo.adopt(new MessageChannel(), ({ port1, port2 }) => {
    port1.close();
    port2.close();
  });
}

/** Starts a thread from the module that the source has at `url`. */
function openThread(name: string, url: URL): Worker {
  return new Worker(threadModule(url), { type: "module", name });
}

/** What all workers are started with. */
export type WorkerCommon = Omit<WorkerStart, "thread" | "port" | "doorbell">;

/** Starts worker `number`; the acceptor reaches it by what comes with the handle. */
export function startWorker(number: number, common: WorkerCommon): WorkerHandle {
  using undo = new DisposableStack();
  const { port1, port2 } = openChannel(undo);
  const doorbell = common.settings.transport === "relay" ? -1 : undo.adopt(openEventFd(), closeFd);
  const name = `worker ${number}`;
  const worker = common.certificates === undefined
    ? openThread(name, new URL("./worker.ts", import.meta.url))
    : openThread(name, new URL("./tls_worker.ts", import.meta.url));
  const start: WorkerStart = { ...common, thread: number, port: port2, doorbell };
  undo.move();
  return {
    thread: new ThreadHandle(name, worker, start, [port2]),
    number,
    target: { port: port1, doorbell },
  };
}

/** Starts the acceptor, and hands it the ways to all workers. */
export function startAcceptor(
  listening: readonly ListeningConn[],
  { settings, plan, memory: { control } }: WorkerCommon,
  workers: readonly WorkerHandle[],
): AcceptorHandle {
  using undo = new DisposableStack();
  const { port1, port2 } = openChannel(undo);
  const doorbell = undo.adopt(openEventFd(), closeFd);
  const name = "acceptor";
  const worker = openThread(name, new URL("./acceptor.ts", import.meta.url));
  const targets = workers.map(({ target }) => target);
  const start: AcceptorStart = {
    settings,
    plan,
    control,
    listening: listening.map(({ fd, address: { family }, options: { tls } }) => {
      return { fd, family, hasSessions: settings.sslSessionCache && tls !== "none" };
    }),
    workers: targets,
    port: port2,
    doorbell,
  };
  undo.move();
  return {
    thread: new ThreadHandle(name, worker, start, [port2, ...targets.map(({ port }) => port)]),
    notify: new NotifySender(port1, doorbell),
    doorbell,
  };
}

/** Starts the acceptor that also has all connections; it listens by itself. */
export function startRelayAcceptor(
  { settings, plan, memory: { control } }: WorkerCommon,
  listen: readonly RelayListenPlan[],
  workers: readonly WorkerHandle[],
): AcceptorHandle {
  using undo = new DisposableStack();
  const { port1, port2 } = openChannel(undo);
  const name = "acceptor";
  const url = new URL("./relay_acceptor.ts", import.meta.url);
  const worker = openThread(name, url);
  const targets = workers.map(({ number, target: { port } }) => ({ port, thread: number }));
  const start: RelayAcceptorStart = {
    settings,
    plan,
    control,
    listen,
    workers: targets,
    port: port2,
  };
  undo.move();
  return {
    thread: new ThreadHandle(name, worker, start, [port2, ...targets.map(({ port }) => port)]),
    notify: {
      post: (notice) => port1.postMessage(notice),
      close: () => port1.close(),
    },
    doorbell: -1,
  };
}

/** Starts the thread that keeps the store in order. */
export function startMaintainer(start: MaintainerStart): ThreadHandle {
  const name = "maintainer";
  const worker = openThread(name, new URL("./maintenance_thread.ts", import.meta.url));
  return new ThreadHandle(name, worker, start, []);
}
