// The channel to a thread: memcached's notify pipe and connection queue in one.
//
// The acceptor has one to each worker, the main thread one to the acceptor. A thread sleeps in
// epoll_wait and cannot see a message, so each post rings its doorbell, an eventfd in its epoll
// set; the thread then takes the messages off the port one by one.

import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import type { ExitCode } from "../../config/settings_error.ts";
import type { BoundAddress } from "../../sys/socket.ts";
import type { RelayListenPlan } from "../listen/listen_plan.ts";
import type { Certificates } from "../tls/tls_context.ts";
import { ring } from "../../sys/eventfd.ts";
import type { ListenerOptions } from "../../config/listen_address.ts";
import type { Settings } from "../../config/settings.ts";
import type { StorePlan } from "../../store/plan.ts";

/** What a thread is told. Letters are memcached's where it has one. */
export type Notice =
  /** A new connection. */
  | { readonly type: "c"; readonly fd: number; readonly listener: number }
  /** The locks are to be global from the next turn on; or granular, as they were. */
  | { readonly type: "g" }
  | { readonly type: "l" }
  /** Listen, and report where: to the relay acceptor alone, which has no other way to know. */
  | { readonly type: "b" }
  /** Clients are served from now on; where none can connect by then, the sockets listen. */
  | { readonly type: "o" }
  /** Certificates for the connections from now on. */
  | { readonly type: "t"; readonly certificates: Certificates }
  /** Stop: close every connection and report. */
  | { readonly type: "s" };

/** What a thread tells the main thread. */
export type Report =
  | { readonly type: "ready" }
  | { readonly type: "stopped" }
  | { readonly type: "shutdown"; readonly graceful: boolean }
  /** A client had the certificates read again, and they are good. */
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

/** Where the shared memory is, in a form that travels in a message. */
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
  /** What each listener is. */
  readonly families: readonly BoundAddress["family"][];
  /** How the connections of each listener are served. */
  readonly listenerOptions: readonly ListenerOptions[];
  /** Nothing without TLS. */
  readonly certificates: Certificates | undefined;
  /** Descriptors of the UDP sockets, which all workers share. */
  readonly udp: readonly number[];
  readonly port: MessagePort;
  /** An eventfd; nothing with the relay transport. */
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
  /** Its clients are looked at before they are dealt: they may have the session of a worker. */
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
 * New connections, as they travel: a number for each, `fd * LISTENERS_MAX + listener`. An object
 * costs three times as much to copy (16 against 5.5 µs for both ends), and this is paid for every
 * connection.
 */
type ConnNumbers = number | readonly number[];

/** Listeners that a number can tell apart. */
const LISTENERS_MAX = 65536;

/** The sending end of a channel. */
export class NotifySender {
  readonly #port: MessagePort;
  readonly #doorbell: number;
  /** Connections to be handed over together. */
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

  /** Lets go of the port, so that it does not keep the process alive. */
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
