// The acceptor: takes connections off the listening sockets, refuses those over the limit, and
// deals the rest to the workers round robin. A connection stays with its worker for life.

import type { Settings } from "../config/settings.ts";
import { addWord, loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, Global } from "../memory/regions.ts";
import { Reply } from "../protocol/reply.ts";
import type { Counters } from "../stats/counters.ts";
import { Counter } from "../stats/names.ts";
import { drain, openEventFd, ring } from "../sys/eventfd.ts";
import { PollSet } from "../sys/poll.ts";
import { accept, closeFd, Io, sendFrom, setTcpOptions } from "../sys/socket.ts";
import type { ListeningConn } from "./listen.ts";
import type { NotifySender } from "./notify.ts";

/** Connections taken in one go before timers and signals get their turn. */
const ACCEPTS_PER_TURN = 512;
/** Pause after the descriptors have run out, in milliseconds. Source: memcached, maxconns timer. */
const FULL_PAUSE_MS = 10;

/** The main thread's accepting half. */
export class Acceptor {
  readonly #listening: readonly ListeningConn[];
  readonly #workers: readonly NotifySender[];
  readonly #settings: Settings;
  readonly #control: Control;
  readonly #counters: Counters;
  readonly #wake = openEventFd();
  #next = 0;
  #running = true;

  constructor(
    listening: readonly ListeningConn[],
    workers: readonly NotifySender[],
    settings: Settings,
    control: Control,
    counters: Counters,
  ) {
    this.#listening = listening;
    this.#workers = workers;
    this.#settings = settings;
    this.#control = control;
    this.#counters = counters;
  }

  /** Accepts until {@linkcode stop} is called. */
  async run(): Promise<void> {
    const poll = new PollSet([this.#wake, ...this.#listening.map((conn) => conn.fd)]);
    storeWord(this.#control.u32, Global.ACCEPTING, 1);
    while (this.#running) {
      const ready = await poll.wait();
      for (const fd of ready) {
        if (fd === this.#wake) drain(fd);
        else if (!this.#acceptFrom(fd)) await this.#pause();
      }
    }
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    closeFd(this.#wake);
  }

  /** Ends {@linkcode run}. */
  stop(): void {
    this.#running = false;
    ring(this.#wake);
  }

  /** Takes what waits on one socket. Returns false when descriptors have run out. */
  #acceptFrom(listenFd: number): boolean {
    for (let count = 0; count < ACCEPTS_PER_TURN; count++) {
      const fd = accept(listenFd);
      if (fd === Io.AGAIN) return true;
      if (fd === Io.FULL) return false;
      if (fd === Io.GONE) continue;
      this.#admit(fd);
    }
    return true;
  }

  #admit(fd: number): void {
    const open = loadWord(this.#control.u32, Global.CURR_CONNS);
    if (open >= this.#settings.maxconns) {
      this.#counters.add(Counter.REJECTED_CONNECTIONS, 1);
      sendFrom(fd, Reply.TOO_MANY_CONNECTIONS.bytes, Reply.TOO_MANY_CONNECTIONS.bytes.length);
      closeFd(fd);
      return;
    }
    setTcpOptions(fd);
    addWord(this.#control.u32, Global.CURR_CONNS, 1);
    this.#counters.add(Counter.TOTAL_CONNECTIONS, 1);
    this.#workers[this.#next]!.post({ type: "c", fd });
    this.#next = (this.#next + 1) % this.#workers.length;
  }

  /** Lets connections close before the next try. */
  #pause(): Promise<void> {
    this.#counters.add(Counter.LISTEN_DISABLED_NUM, 1);
    return new Promise((resolve) => setTimeout(resolve, FULL_PAUSE_MS));
  }
}
