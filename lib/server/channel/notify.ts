// The channel to a thread: memcached's notify pipe and connection queue in one.
//
// The acceptor has one to each worker, the main thread one to the acceptor. A thread that sleeps in
// epoll_wait does not see messages, so each post rings its doorbell, an eventfd in its epoll set;
// the thread then takes the messages off the port.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { ExitCode } from "../../config/settings_error.ts";
import type { BoundAddress } from "../../sys/socket.ts";
import type { RelayListenPlan } from "../listen/listen_plan.ts";
import type { Certificates } from "../tls/tls_context.ts";
import { ring } from "../../sys/eventfd.ts";
import type { ListenerOptions } from "../../config/listen_address.ts";
import type { Settings } from "../../config/settings.ts";
import type { StorePlan } from "../../store/plan.ts";

/**
 * A message to a thread. Letters are memcached's where it has one.
 * Source: memcached thread.c, thread_libevent_process and notify_worker.
 */
export type Notice =
  /** A new connection. */
  | { readonly type: "c"; readonly fd: number; readonly listener: number }
  /** Switch to global locks at the end of the turn; back to granular ones. */
  | { readonly type: "g" }
  | { readonly type: "l" }
  /** Listen, and report where. For the relay acceptor only. */
  | { readonly type: "b" }
  /** Serve clients from now on. */
  | { readonly type: "o" }
  /** Certificates for the connections from now on. */
  | { readonly type: "t"; readonly certificates: Certificates }
  /** Stop: close every connection and report. */
  | { readonly type: "s" };

/** A message of a thread to the main thread. */
export type Report =
  | { readonly type: "ready" }
  | { readonly type: "stopped" }
  | { readonly type: "shutdown"; readonly graceful: boolean }
  /** A client's `refresh_certs` has read new certificates, which can be used. */
  | { readonly type: "certificates"; readonly certificates: Certificates }
  /** The relay acceptor listens. */
  | { readonly type: "listening"; readonly listening: readonly Listening[] }
  /** The relay acceptor cannot listen. */
  | { readonly type: "unusable"; readonly message: string; readonly exitCode: ExitCode };

/** Where a server listens. */
export interface Listening {
  readonly address: BoundAddress;
  readonly options: ListenerOptions;
}

/** Memory that all threads share: the address it is mapped at, or a buffer without system calls. */
export type Mapping = number | SharedArrayBuffer;

/** Where the shared memory is, in a form that a message can carry. */
export interface MemoryMap {
  readonly control: SharedArrayBuffer;
  /** Each segment of the arena. */
  readonly segments: readonly Mapping[];
  readonly buckets: Mapping;
}

/** What a worker is started with. */
export interface WorkerStart {
  /** 1 for the first worker: its counters' place. */
  readonly thread: number;
  readonly settings: Settings;
  readonly plan: StorePlan;
  readonly memory: MemoryMap;
  readonly startUnix: number;
  /** By listener: the kind of its address. */
  readonly families: readonly BoundAddress["family"][];
  /** By listener: how its connections are served. */
  readonly listenerOptions: readonly ListenerOptions[];
  /** Undefined without TLS. */
  readonly certificates: Certificates | undefined;
  /** Descriptors of the UDP sockets, which all workers share. */
  readonly udp: readonly number[];
  readonly port: MessagePort;
  /** An eventfd; -1 with the relay transport. */
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
  /** Whether its clients may have a session ticket, which decides on the worker. */
  readonly hasSessions: boolean;
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

/** What the relay acceptor is started with. */
export interface RelayAcceptorStart {
  readonly settings: Settings;
  readonly plan: StorePlan;
  readonly control: SharedArrayBuffer;
  readonly listen: readonly RelayListenPlan[];
  readonly workers: readonly { readonly port: MessagePort; readonly thread: number }[];
  readonly port: MessagePort;
}

/**
 * New connections in a message: a number for each, `fd * LISTENERS_MAX + listener`. An object costs
 * three times as much to copy: 16 against 5.5 µs for both ends, for every connection.
 */
type ConnNumbers = number | readonly number[];

/** Most listeners that such a number has room for. */
const LISTENERS_MAX = 65536;

/** The sending end of a channel. */
export class NotifySender {
  readonly #port: MessagePort;
  readonly #doorbell: number;
  /** Connections that the next flush() hands over together. */
  readonly #conns: number[] = [];

  constructor(port: MessagePort, doorbell: number) {
    this.#port = port;
    this.#doorbell = doorbell;
  }

  /** Hands a connection over with the next {@linkcode flush}. */
  queue(fd: number, listener: number): void {
    this.#conns.push(fd * LISTENERS_MAX + listener);
  }

  /** Posts the connections that were queued, and rings. */
  flush(): void {
    if (this.#conns.length === 0) return;
    const numbers: ConnNumbers = this.#conns.length === 1 ? this.#conns[0]! : this.#conns;
    this.#port.postMessage(numbers);
    this.#conns.length = 0;
    ring(this.#doorbell);
  }

  /** Posts a notice and rings. */
  post(notice: Notice): void {
    this.flush();
    this.#port.postMessage(notice);
    ring(this.#doorbell);
  }

  /** Closes the port, which would keep the process alive. */
  close(): void {
    this.#port.close();
  }
}

/** The receiving end of a channel: calls `take` for each notice that has come. */
export function drainNotices(
  port: MessagePort,
  take: (notice: Notice) => void,
): void {
  for (
    let received = receiveMessageOnPort(port);
    received !== undefined;
    received = receiveMessageOnPort(port)
  ) {
    const message = received.message as Notice | ConnNumbers;
    if (typeof message === "number") take(connOf(message));
    else if (isNumbers(message)) message.forEach((number) => take(connOf(number)));
    else take(message);
  }
}

function isNumbers(message: Notice | readonly number[]): message is readonly number[] {
  return Array.isArray(message);
}

function connOf(number: number): Notice {
  return { type: "c", fd: Math.floor(number / LISTENERS_MAX), listener: number % LISTENERS_MAX };
}
