// TLS connections whose client has not sent its first message yet, with `-o ssl_session_cache`.
// Only the worker that made a ticket can resume its session, so the acceptor reads the first
// message before it deals the connection; the message stays in the socket. A client that sends
// nothing, or part of a message, for a second is dealt round robin.
//
// Times are milliseconds from any moment on.

import type { Control } from "../../memory/regions.ts";
import { type Epoll, EpollEvent } from "../../sys/epoll.ts";
import { peekInto } from "../../sys/socket.ts";
import { ticketThread } from "./ticket_names.ts";
import { Hello, ticketNameAt } from "./tls_messages.ts";

const WAIT_MS_MAX = 1000;
/** A first message that is longer is not looked at. */
const HELLO_BYTES_MAX = 4096;

/** Deals a connection to worker `thread`, from 1 on; 0: to the next one. */
export type Deal = (fd: number, listener: number, thread: number) => void;

interface Held {
  readonly listener: number;
  readonly deadline: number;
}

/** The connections that wait for their first message. */
export class HelloWait {
  readonly #epoll: Epoll;
  readonly #control: Control;
  readonly #workers: number;
  readonly #deal: Deal;
  readonly #hello = new Uint8Array(HELLO_BYTES_MAX);
  /** By descriptor, the oldest first. */
  readonly #held = new Map<number, Held>();

  constructor(epoll: Epoll, control: Control, workers: number, deal: Deal) {
    this.#epoll = epoll;
    this.#control = control;
    this.#workers = workers;
    this.#deal = deal;
  }

  /** Holds a connection until its client has spoken, or a second after `now`. */
  hold(fd: number, listener: number, now: number): void {
    this.#held.set(fd, { listener, deadline: now + WAIT_MS_MAX });
    this.#epoll.add(fd, EpollEvent.IN | EpollEvent.RDHUP | EpollEvent.EDGE);
  }

  /** `fd` is ready: deals it if its message is complete. Does nothing for one that is not held. */
  serve(fd: number): void {
    const held = this.#held.get(fd);
    if (held === undefined) return;
    const count = peekInto(fd, this.#hello, HELLO_BYTES_MAX);
    const at = count <= 0 ? Hello.NO_TICKET : ticketNameAt(this.#hello, count);
    if (at === Hello.PART) return;
    const isIn = at !== Hello.NO_TICKET;
    const thread = isIn ? ticketThread(this.#control, this.#workers, this.#hello, at) : 0;
    this.#end(fd, held.listener, thread);
  }

  #end(fd: number, listener: number, thread: number): void {
    this.#held.delete(fd);
    this.#epoll.remove(fd);
    this.#deal(fd, listener, thread);
  }

  /** Milliseconds until {@linkcode dealLate} deals one, at most `idleMs`; -1: for ever. */
  timeout(now: number, idleMs: number): number {
    for (const { deadline } of this.#held.values()) {
      const ms = Math.max(0, Math.ceil(deadline - now));
      return idleMs < 0 ? ms : Math.min(ms, idleMs);
    }
    return idleMs;
  }

  /** Deals those that have been held for a second. All of them at `now` Infinity. */
  dealLate(now: number): void {
    for (const [fd, { listener, deadline }] of this.#held) {
      if (deadline > now) return;
      this.#end(fd, listener, 0);
    }
  }
}
