// The acceptor's loop: takes connections off the listening sockets, refuses those over the limit,
// and deals the rest to the workers round robin. A connection stays with its worker for life.
//
// It has its own thread: the main thread could only wait through Deno's thread pool, which costs
// each connection two thread switches (docs/decisions/0009-acceptor-thread.md).

import type { Settings } from "../../config/settings.ts";
import { addWord, loadWord, storeWord } from "../../memory/atomic.ts";
import { type Control, Global } from "../../memory/regions.ts";
import { ConnState } from "../../net/conn_state.ts";
import { Reply } from "../../protocol/reply.ts";
import { ConnTable } from "../../stats/conn_table.ts";
import type { Counters } from "../../stats/counters.ts";
import { Counter } from "../../stats/names.ts";
import { EventLog, Watched } from "../../log/event_log.ts";
import { Epoll, EpollEvent } from "../../sys/epoll.ts";
import { DOORBELL_EVENTS, openSpareFd } from "../../sys/eventfd.ts";
import { accept, closeFd, Io, sendFrom, setTcpOptions } from "../../sys/socket.ts";
import { logConnNew } from "../listen/conn_events.ts";
import { connRoom } from "../listen/descriptors.ts";
import { type Deal, HelloWait } from "../tls/hello_wait.ts";
import { type AcceptorStart, drainNotices, type Notice, NotifySender } from "../channel/notify.ts";
import { peerOfSocket } from "../listen/socket_addresses.ts";

/** Connections taken from one socket before the next socket gets its turn. */
const ACCEPTS_PER_TURN = 512;
/** Rest while it does not accept, in milliseconds. Source: memcached, maxconns timer. */
const FULL_PAUSE_MS = 10;
/** After so many milliseconds it looks for descriptors even if no connection has closed. */
const RETRY_MS = 1000;
const FOR_EVER = -1;
const US_PER_MS = 1000;

/** What the loop needs to know of the server. */
export type AcceptLoopStart = Omit<AcceptorStart, "plan" | "control">;

/** The loop of the acceptor's thread. */
export class AcceptLoop {
  readonly #start: AcceptLoopStart;
  readonly #now: () => number;
  readonly #workers: readonly NotifySender[];
  readonly #settings: Settings;
  readonly #control: Control;
  readonly #counters: Counters;
  readonly #table: ConnTable;
  readonly #log: EventLog;
  readonly #epoll = new Epoll();
  /** Index of each listening socket, by descriptor. */
  readonly #listeners = new Map<number, number>();
  /** Listening sockets from which nothing was taken yet. */
  readonly #unserved = new Set<number>();
  /** Closed to take a connection that must be refused when no descriptor is left; -1: none. */
  #spareFd = openSpareFd();
  readonly #hellos: HelloWait;
  #next = 0;
  #running = true;
  /** Most connections; 0 until the server is open, and the sockets listen. */
  #connsMax = 0;
  #paused = false;
  #pausedAt = 0;
  #countedAt = 0;
  /** A pause ends when fewer connections are open than these. */
  #connsAtPause = 0;

  /** @param now The time in milliseconds, from any moment on. */
  constructor(start: AcceptLoopStart, control: Control, counters: Counters, now: () => number) {
    this.#start = start;
    this.#now = now;
    this.#workers = start.workers.map(({ port, doorbell }) => new NotifySender(port, doorbell));
    this.#settings = start.settings;
    this.#control = control;
    this.#counters = counters;
    this.#table = new ConnTable(control);
    this.#log = new EventLog(control, 0, counters);
    this.#hellos = new HelloWait(this.#epoll, control, this.#workers.length, this.#deal);
    this.#epoll.add(start.doorbell, DOORBELL_EVENTS);
    const second = loadWord(control.u32, Global.NOW);
    start.listening.forEach(({ fd }, index) => {
      this.#listeners.set(fd, index);
      this.#unserved.add(fd);
      this.#table.open(fd, ConnState.LISTENING, second, index);
    });
  }

  /** Accepts from the notice `o` until the notice `s`, which then goes to every worker. */
  run(): void {
    while (this.#running) this.turn();
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    this.#hellos.dealLate(Infinity);
    for (const worker of this.#workers) {
      worker.post({ type: "s" });
      worker.close();
    }
    this.#start.port.close();
    this.#epoll.close();
    if (this.#spareFd >= 0) closeFd(this.#spareFd);
  }

  /** Waits until a descriptor is ready or a connection has been held for too long; serves them. */
  turn(): void {
    const idleMs = this.#paused ? FULL_PAUSE_MS : FOR_EVER;
    const count = this.#epoll.wait(this.#hellos.timeout(this.#now(), idleMs));
    if (this.#paused) this.#goOn();
    for (let index = 0; index < count; index++) this.#serve(this.#epoll.fdAt(index));
    // Afterwards: a connection that is dealt here may be among the ready ones.
    this.#hellos.dealLate(this.#now());
    for (const worker of this.#workers) worker.flush();
  }

  #serve(fd: number): void {
    if (fd === this.#start.doorbell) {
      drainNotices(this.#start.port, (notice: Notice) => {
        if (notice.type === "s") this.#running = false;
        if (notice.type === "o") this.#open();
        if (notice.type !== "s" && notice.type !== "c") {
          for (const worker of this.#workers) worker.post(notice);
        }
      });
    } else if (this.#listeners.has(fd)) {
      if (!this.#paused && !this.#acceptFrom(fd)) this.#pause();
    } else this.#hellos.serve(fd);
  }

  /** Takes what waits on one socket. Returns false when no more can be taken for now. */
  #acceptFrom(listenFd: number): boolean {
    const listener = this.#listeners.get(listenFd) ?? 0;
    // Later ones have the listener's options; these may have come before it had them itself.
    const isFirst = this.#unserved.delete(listenFd);
    for (let count = 0; count < ACCEPTS_PER_TURN; count++) {
      const isFull = this.#isFull();
      if (isFull && !this.#settings.maxconnsFast) {
        this.#connsAtPause = this.#connsMax;
        return false;
      }
      const fd = accept(listenFd);
      if (fd === Io.AGAIN) return true;
      if (fd === Io.GONE) continue;
      if (fd === Io.FULL) {
        if (this.#settings.maxconnsFast && this.#refuseWithSpare(listenFd)) continue;
        this.#connsAtPause = this.#currConns;
        return false;
      }
      if (isFull) this.#refuse(fd);
      else {
        if (isFirst && this.#start.listening[listener]!.family === "tcp") setTcpOptions(fd);
        this.#admit(fd, listener);
      }
    }
    return true;
  }

  #isFull(): boolean {
    return this.#currConns >= this.#connsMax;
  }

  get #currConns(): number {
    return loadWord(this.#control.u32, Global.CURR_CONNS);
  }

  #refuse(fd: number): void {
    this.#counters.add(Counter.REJECTED_CONNECTIONS, 1);
    sendFrom(fd, Reply.TOO_MANY_CONNECTIONS.bytes, Reply.TOO_MANY_CONNECTIONS.bytes.length);
    closeFd(fd);
  }

  /** No descriptor is left: accepts one connection with the spare one, and refuses it. */
  #refuseWithSpare(listenFd: number): boolean {
    if (this.#spareFd < 0) this.#spareFd = openSpareFd();
    if (this.#spareFd < 0) return false;
    closeFd(this.#spareFd);
    const fd = accept(listenFd);
    if (fd >= 0) this.#refuse(fd);
    this.#spareFd = openSpareFd();
    return fd >= 0;
  }

  #admit(fd: number, listener: number): void {
    addWord(this.#control.u32, Global.CURR_CONNS, 1);
    this.#counters.add(Counter.TOTAL_CONNECTIONS, 1);
    this.#table.open(fd, ConnState.NEW_CMD, loadWord(this.#control.u32, Global.NOW), listener);
    if (this.#log.wants(Watched.CONNEVENTS)) logConnNew(this.#log, fd, peerOfSocket(fd));
    if (this.#start.listening[listener]!.hasSessions) this.#hellos.hold(fd, listener, this.#now());
    else this.#deal(fd, listener, 0);
  }

  #open(): void {
    this.#connsMax = connRoom(this.#settings);
    this.#listen();
  }

  readonly #deal: Deal = (fd, listener, thread) => {
    const worker = thread === 0 ? this.#next : thread - 1;
    this.#workers[worker]!.queue(fd, listener);
    if (thread === 0) this.#next = (this.#next + 1) % this.#workers.length;
  };

  /** Watches the listening sockets. */
  #listen(): void {
    this.#paused = false;
    for (const fd of this.#listeners.keys()) this.#epoll.add(fd, EpollEvent.IN);
    storeWord(this.#control.u32, Global.ACCEPTING, 1);
  }

  /** Leaves the listening sockets alone until a connection has closed. */
  #pause(): void {
    this.#paused = true;
    this.#pausedAt = this.#now();
    this.#countedAt = this.#pausedAt;
    for (const fd of this.#listeners.keys()) this.#epoll.remove(fd);
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    this.#counters.add(Counter.LISTEN_DISABLED_NUM, 1);
  }

  /** Counts the time of the pause, and ends it where a connection could be taken. */
  #goOn(): void {
    const now = this.#now();
    const passed = Math.round((now - this.#countedAt) * US_PER_MS);
    this.#counters.add(Counter.TIME_IN_LISTEN_DISABLED_US, passed);
    this.#countedAt = now;
    // The descriptors may be taken by others than connections: try now and then.
    const isLong = now - this.#pausedAt >= RETRY_MS;
    if (!this.#isFull() && (isLong || this.#currConns < this.#connsAtPause)) this.#listen();
  }
}
