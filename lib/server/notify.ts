// The channel to a thread: memcached's notify pipe and connection queue in one.
//
// The acceptor has one to each worker, the main thread one to the acceptor. A thread sleeps in
// epoll_wait and cannot see a message, so each post rings its doorbell, an eventfd in its epoll
// set; the thread then takes the messages off the port one by one.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { drain, ring } from "../sys/eventfd.ts";
import type { ListenManner } from "../config/listen_address.ts";
import type { Settings } from "../config/settings.ts";
import type { StorePlan } from "../store/memory.ts";

/** What a thread is told. Letters are memcached's where it has one. */
export type Notice =
  /** A new connection. */
  | { readonly type: "c"; readonly fd: number; readonly listener: number }
  /** Stop: close every connection and report. */
  | { readonly type: "s" };

/** What a thread tells the main thread. */
export type Report =
  | { readonly type: "ready" }
  | { readonly type: "stopped" }
  | { readonly type: "shutdown"; readonly graceful: boolean };

/** Where the shared memory is mapped, in a form that travels in a message. */
export interface MemoryMap {
  readonly control: SharedArrayBuffer;
  /** Address of each segment of the arena. */
  readonly segments: readonly number[];
  readonly buckets: number;
}

/** What a worker is started with. */
export interface WorkerStart {
  /** 1 for the first worker: its counters' place. */
  readonly thread: number;
  readonly settings: Settings;
  readonly plan: StorePlan;
  readonly memory: MemoryMap;
  readonly startUnix: number;
  /** How the connections of each listener are served. */
  readonly manners: readonly ListenManner[];
  /** Descriptors of the UDP sockets, which all workers share. */
  readonly udp: readonly number[];
  readonly port: MessagePort;
  readonly doorbell: number;
}

/** What the maintenance thread is started with. */
export interface MaintainerStart {
  readonly settings: Settings;
  readonly plan: StorePlan;
  readonly memory: MemoryMap;
  readonly startUnix: number;
}

/** One channel's far end, as the acceptor needs it. */
export interface NotifyTarget {
  readonly port: MessagePort;
  readonly doorbell: number;
}

/** A listening socket, as the acceptor needs it. */
export interface AcceptorSocket {
  readonly fd: number;
  readonly family: "tcp" | "unix";
}

/** What the acceptor is started with. */
export interface AcceptorStart {
  readonly settings: Settings;
  readonly plan: StorePlan;
  readonly control: SharedArrayBuffer;
  readonly listening: readonly AcceptorSocket[];
  readonly workers: readonly NotifyTarget[];
  readonly port: MessagePort;
  readonly doorbell: number;
}

/** The sending end of a channel. */
export class NotifySender {
  readonly #port: MessagePort;
  readonly #doorbell: number;

  constructor(port: MessagePort, doorbell: number) {
    this.#port = port;
    this.#doorbell = doorbell;
  }

  /** Posts a notice and rings. */
  post(notice: Notice): void {
    this.#port.postMessage(notice);
    ring(this.#doorbell);
  }

  /** Lets go of the port, so that it does not keep the process alive. */
  close(): void {
    this.#port.close();
  }
}

/** The receiving end of a channel: calls `take` for each notice that has come. */
export function drainNotices(
  port: MessagePort,
  doorbell: number,
  take: (notice: Notice) => void,
): void {
  drain(doorbell);
  for (
    let received = receiveMessageOnPort(port);
    received !== undefined;
    received = receiveMessageOnPort(port)
  ) {
    take(received.message as Notice);
  }
}
