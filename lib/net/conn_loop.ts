// A worker's loop: wait, then let each ready connection have its turn.
//
// One reading of the clock per turn. A connection that used up its turn goes to the back of the
// line: the others that are ready come first, and the wait does not sleep while any is in line.

import type { Clock } from "../base/clock.ts";
import { hasLines } from "../command/admin/watch.ts";
import { assert } from "../base/assert.ts";
import { Verb } from "../protocol/text/commands.ts";
import { Counter } from "../stats/names.ts";
import { closeConn, drive } from "./conn.ts";
import { CloseReason, Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState, moveTo } from "./conn_state.ts";
import type { Poller } from "./transport.ts";
import { UdpConns } from "./udp_conn.ts";

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
/** Longest rest where idle connections are closed. */
const IDLE_CHECK_MS = 1000;

/** Longest rest where log lines are to be sent. */
const LINES_MS = 20;

/** Connection records kept for the next connection. */
const SPARE_CONNS_MAX = 1024;

/** The connections of one worker. */
export class ConnLoop {
  /** What else it serves. */
  readonly udp: UdpConns = new UdpConns();
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
  /** Those that are sent log lines. */
  #watchers: Conn[] = [];
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
  add(fd: number, listener: number): void {
    assert(this.#conns[fd] === undefined, "Connection taken over twice");
    const spare = this.#spare.pop();
    const conn = spare ?? new Conn(fd);
    if (spare === undefined) this.#shared.executor.counters.add(Counter.CONNECTION_STRUCTURES, 1);
    conn.fd = fd;
    conn.listener = listener;
    conn.lastCommand = this.#clock.now;
    conn.untilEmpty = this.#shared.comesShort[listener] ?? false;
    conn.mayHaveMore = true; // The first request has often come before the connection got here.
    this.#conns[fd] = conn;
    this.#shared.workload.countConnection(1);
    this.#run(conn);
  }

  /** Runs until {@linkcode stop} is called, then closes every connection. */
  run(): void {
    const rest = this.#shared.idleTimeout > 0 ? IDLE_CHECK_MS : FOR_EVER;
    while (this.#running) {
      const pause = this.#watchers.length > 0 ? LINES_MS : rest;
      this.turn(this.#yielded.length > 0 || this.udp.hasLine ? NOT_AT_ALL : pause);
    }
    this.#turnLock.enter();
    this.udp.close();
    for (const conn of this.#conns) {
      if (conn !== undefined) closeConn(conn, this.#shared, CloseReason.SHUTDOWN);
    }
    this.#endTurn();
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
    this.#shared.workload.latency.beginTurn();
    this.#turnLock.enter();
    const now = this.#readClock();
    if (now !== this.#clock.now) this.#tick(now);
    const inLine = this.#yielded.length;
    this.udp.advance();
    for (let index = 0; index < count; index++) {
      const fd = this.#poller.fdAt(index);
      if (fd === this.#doorbell.fd) {
        this.#doorbell.answer();
        continue;
      }
      const conn = this.#conns[fd];
      if (conn === undefined) {
        this.udp.wake(fd);
        continue;
      }
      conn.mayHaveMore = true;
      if (this.#poller.isHangup(index)) conn.untilEmpty = true;
      // A watcher's end of input is nothing new: that of its connection must be.
      if (conn.state === ConnState.WATCH && this.#poller.isGone(index)) {
        moveTo(conn, ConnState.CLOSING);
      }
      if (conn.progress === Progress.YIELDED) continue;
      if (conn.state === ConnState.WAITING) moveTo(conn, ConnState.READ);
      this.#run(conn);
    }
    if (inLine > 0) {
      this.#shared.workload.latency.isTiming = false; // These began in a turn before this one.
      for (let index = 0; index < inLine; index++) this.#run(this.#yielded[index]!);
      this.#yielded.splice(0, inLine);
    }
    if (this.#watchers.length > 0) this.#serveWatchers();
    this.#shared.pool.countSpare();
    this.#endTurn();
  }

  /** @hot */
  #endTurn(): void {
    this.#turnLock.leave();
    assert(this.#shared.executor.store.locks.idle, "Turn of the loop ended with a lock held");
  }

  /** @hot */
  #run(conn: Conn): void {
    this.#shared.table.setState(conn.fd, ConnState.PARSE_CMD);
    drive(conn, this.#shared);
    this.#driven(conn);
  }

  /**
   * Enters where `conn` is after its turn.
   * @hot
   */
  #driven(conn: Conn): void {
    const { table, workload } = this.#shared;
    if (workload.latency.isTiming || conn.timedWeight > 0) this.#time(conn);
    if (conn.state === ConnState.CLOSED) return this.#forget(conn);
    table.setState(conn.fd, conn.state);
    table.setLastCommand(conn.fd, conn.lastCommand);
    if (conn.progress === Progress.YIELDED) this.#yielded.push(conn);
    if (conn.state === ConnState.WATCH && !conn.isWatcher) {
      conn.isWatcher = true;
      this.#watchers.push(conn);
    }
  }

  /**
   * Records how long it took to answer all that a connection has asked for, once that is done; over
   * several turns if it had to give way. Nothing, if it waits for its client in between.
   */
  #time(conn: Conn): void {
    const { executor: { turn }, workload: { latency } } = this.#shared;
    if (conn.timedWeight === 0) {
      conn.timedWeight = latency.weight;
      conn.timedSinceMs = latency.startMs;
      conn.timedCount = 0;
    }
    conn.timedCount += turn.commands;
    if (conn.progress === Progress.YIELDED) return;
    if (turn.verb !== Verb.NONE && conn.state === ConnState.WAITING) {
      latency.record(turn.verb, conn.timedCount, conn.timedSinceMs, conn.timedWeight);
    }
    conn.timedWeight = 0;
  }

  /** Sends lines to those that have not had them. */
  #serveWatchers(): void {
    for (const conn of this.#watchers) {
      if (conn.progress === Progress.YIELDED || conn.waitsWritable) continue;
      if (hasLines(this.#shared.executor, conn.session)) this.#run(conn);
    }
  }

  /** A new second has begun. */
  #tick(now: number): void {
    const seconds = now - this.#clock.now;
    this.#clock.now = now;
    const { idleTimeout, halfClosedMax, executor, workload } = this.#shared;
    workload.tick(seconds);
    executor.store.hotKeys.tick(now, seconds);
    if (this.#watchers.length > halfClosedMax) this.#closeHalfClosed();
    if (idleTimeout === 0) return;
    for (const conn of this.#conns) {
      if (conn?.state !== ConnState.WAITING || now - conn.lastCommand <= idleTimeout) continue;
      executor.counters.add(Counter.IDLE_KICKS, 1);
      this.#close(conn, CloseReason.IDLE_TIMEOUT);
    }
  }

  /**
   * Closes the watchers that came first of those that send no more, but for the last few: a client
   * that is gone looks the same until there is a line to send, which may be never.
   */
  #closeHalfClosed(): void {
    const { halfClosedMax } = this.#shared;
    const halfClosed = this.#watchers.filter((conn) => conn.session.watches?.isHalfClosed);
    for (const conn of halfClosed.slice(0, -halfClosedMax)) {
      if (conn.progress === Progress.YIELDED) continue; // It comes again in this turn.
      this.#close(conn, CloseReason.NORMAL);
    }
  }

  #close(conn: Conn, reason: CloseReason): void {
    closeConn(conn, this.#shared, reason);
    this.#driven(conn);
  }

  #forget(conn: Conn): void {
    this.#conns[conn.fd] = undefined;
    this.#shared.workload.countConnection(-1);
    if (conn.isWatcher) this.#watchers = this.#watchers.filter((watcher) => watcher !== conn);
    if (this.#spare.length < SPARE_CONNS_MAX) {
      conn.reset();
      this.#spare.push(conn);
    } else {
      this.#shared.executor.counters.add(Counter.CONNECTION_STRUCTURES, -1);
    }
  }
}
