// A worker's loop: wait, then let each ready connection have its turn.
//
// One reading of the clock per turn. A connection that used up its turn goes to the back of the
// line: the others that are ready come first, and the wait does not sleep while any is in line.

import type { Clock } from "../base/clock.ts";
import { Counter } from "../stats/names.ts";
import { drive } from "./conn.ts";
import { Conn, type ConnShared } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import type { Poller } from "./transport.ts";

/** Wakes the loop for something else than a connection. */
export interface Doorbell {
  readonly fd: number;
  /** Does what there is to do. */
  answer(): void;
}

/** What the store is used under: begun before a turn and ended after it. */
export interface TurnLock {
  /** @hot */
  enter(): void;
  /** @hot */
  leave(): void;
}

const FOR_EVER = -1;
const NOT_AT_ALL = 0;

/** Connection records kept for the next connection. */
const SPARE_CONNS_MAX = 1024;

/** The connections of one worker. */
export class NativeLoop {
  readonly #shared: ConnShared;
  readonly #poller: Poller;
  readonly #doorbell: Doorbell;
  readonly #turnLock: TurnLock;
  readonly #clock: Clock;
  readonly #readClock: () => number;
  /** By descriptor. */
  readonly #conns: (Conn | undefined)[] = [];
  readonly #spare: Conn[] = [];
  #yielded: Conn[] = [];
  #running = true;

  constructor(
    shared: ConnShared,
    poller: Poller,
    doorbell: Doorbell,
    turnLock: TurnLock,
    clock: Clock,
    readClock: () => number,
  ) {
    this.#shared = shared;
    this.#poller = poller;
    this.#doorbell = doorbell;
    this.#turnLock = turnLock;
    this.#clock = clock;
    this.#readClock = readClock;
  }

  /** Takes over a connection; the transport already knows it. */
  add(fd: number): void {
    const spare = this.#spare.pop();
    const conn = spare ?? new Conn(fd);
    if (spare === undefined) this.#shared.executor.counters.add(Counter.CONNECTION_STRUCTURES, 1);
    conn.fd = fd;
    conn.mayHaveMore = true; // The first request has often come before the connection got here.
    this.#conns[fd] = conn;
    this.#run(conn);
  }

  /** Runs until {@linkcode stop} is called, then closes every connection. */
  run(): void {
    while (this.#running) this.turn(this.#yielded.length > 0 ? NOT_AT_ALL : FOR_EVER);
    this.#turnLock.enter();
    for (const conn of this.#conns) {
      if (conn === undefined) continue;
      conn.state = ConnState.CLOSING;
      drive(conn, this.#shared);
    }
    this.#turnLock.leave();
  }

  /** Ends {@linkcode run} after the current turn. */
  stop(): void {
    this.#running = false;
  }

  /**
   * Waits once, up to `timeoutMs`, and serves whoever is ready.
   * @hot
   */
  turn(timeoutMs: number): void {
    const count = this.#poller.wait(timeoutMs);
    this.#turnLock.enter();
    this.#clock.now = this.#readClock();
    const inLine = this.#yielded.length;
    for (let index = 0; index < count; index++) {
      const fd = this.#poller.fdAt(index);
      if (fd === this.#doorbell.fd) {
        this.#doorbell.answer();
        continue;
      }
      const conn = this.#conns[fd];
      if (conn === undefined) continue;
      conn.mayHaveMore = true;
      if (this.#poller.isHangup(index)) conn.hungUp = true;
      if (conn.yielded) continue;
      if (conn.state === ConnState.WAITING) conn.state = ConnState.READ;
      this.#run(conn);
    }
    if (inLine > 0) {
      for (let index = 0; index < inLine; index++) this.#run(this.#yielded[index]!);
      this.#yielded.splice(0, inLine);
    }
    this.#shared.pool.countSpare();
    this.#turnLock.leave();
  }

  /** @hot */
  #run(conn: Conn): void {
    drive(conn, this.#shared);
    if (conn.yielded) this.#yielded.push(conn);
    if (conn.state === ConnState.CLOSED) this.#forget(conn);
  }

  #forget(conn: Conn): void {
    this.#conns[conn.fd] = undefined;
    if (this.#spare.length < SPARE_CONNS_MAX) {
      conn.reset();
      this.#spare.push(conn);
    } else {
      this.#shared.executor.counters.add(Counter.CONNECTION_STRUCTURES, -1);
    }
  }
}
