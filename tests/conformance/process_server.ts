// A memden in this process, for the conversations as a unit test: the store, the commands and the
// loop of connections as a server has them, in one thread, without sockets.
//
//   client.write ─► ChunkTransport ─► ConnLoop ─► commands ─► store
//   client.read  ◄─ ChunkTransport ◄─┘             Maintainer, LogDrain: a turn after each write
//
// Time stands still but for tick(): a conversation that waits for another second does not wait.

import { type Clock, CLOCK_START } from "../../lib/base/clock.ts";
import { Executor } from "../../lib/command/executor.ts";
import { readOptions } from "../../lib/config/option_sources.ts";
import { type Settings, settingsFrom } from "../../lib/config/settings.ts";
import { AuthFile } from "../../lib/auth/auth_file.ts";
import { Logins } from "../../lib/auth/logins.ts";
import { LogDrain } from "../../lib/log/drain.ts";
import { addWord, storeWord } from "../../lib/memory/atomic.ts";
import { openArena } from "../../lib/memory/arena.ts";
import { Global } from "../../lib/memory/regions.ts";
import { BufferPool, READ_BYTES, REPLY_BYTES } from "../../lib/net/buffer_pool.ts";
import { ChunkTransport } from "../../lib/net/chunk_transport.ts";
import { ConnLoop } from "../../lib/net/conn_loop.ts";
import { ConnState } from "../../lib/net/conn_state.ts";
import type { ReplyBuffer } from "../../lib/protocol/reply.ts";
import { connLines } from "../../lib/server/listen/conn_stats.ts";
import { makeMemory, shapeOf } from "../../lib/server/server_memory.ts";
import { unmapShared, viewShared } from "../../lib/server/channel/shared_views.ts";
import { ConnTable } from "../../lib/stats/conn_table.ts";
import { Workload } from "../../lib/stats/samples.ts";
import { checkStore } from "../../lib/store/check.ts";
import { Maintainer } from "../../lib/store/maintenance/rounds.ts";
import { maintainerThread, openThread, planStore } from "../../lib/store/plan.ts";
import { Store } from "../../lib/store/store.ts";
import type { ByteConn, ProcessAddress } from "./link.ts";

const CONNS_MAX = 64;
const LISTENER_FD = 2;
const WORKER = 1;
const NOT_AT_ALL = 0;
/** How main.ts ends when a thread dies. */
const EX_SOFTWARE = 70;
/** States in which a connection that the transport does not call goes on in the next turn. */
const BUSY: readonly number[] = [ConnState.NEW_CMD, ConnState.READ, ConnState.PARSE_CMD];
/** Turns of the maintainer after each write. */
const MAINTAINER_TURNS = 4;

/** Counts its calls, so that it is seen when nothing moves any more. */
class CountingTransport extends ChunkTransport {
  calls = 0;

  override recv(fd: number, bytes: Uint8Array<ArrayBuffer>, from: number): number {
    this.calls++;
    return super.recv(fd, bytes, from);
  }

  override recvValue(fd: number, segment: number, from: number, to: number): number {
    this.calls++;
    return super.recvValue(fd, segment, from, to);
  }

  override send(fd: number, replies: ReplyBuffer): number {
    this.calls++;
    return super.send(fd, replies);
  }
}

/** Remembers what each connection does. */
class SeenTable extends ConnTable {
  readonly states: number[] = [];

  override setState(fd: number, state: number): void {
    this.states[fd] = state;
    super.setState(fd, state);
  }
}

/** A client's end of a connection to a {@linkcode ProcessServer}. */
class ProcessConn implements ByteConn {
  readonly localAddr: Deno.NetAddr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  readonly received: Uint8Array[] = [];
  isClosed = false;
  readonly #fd: number;
  readonly #server: ProcessServer;
  #isGone = false;
  #wake: () => void = () => {};

  constructor(server: ProcessServer, fd: number) {
    this.#server = server;
    this.#fd = fd;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.#server.arrived(this.#fd, bytes.slice());
    this.#wake();
    return Promise.resolve(bytes.length);
  }

  /** Waits, if nothing has come, until something does or {@linkcode close} is called. */
  async read(target: Uint8Array): Promise<number | null> {
    while (true) {
      const bytes = this.received.shift();
      if (bytes !== undefined) {
        const taken = bytes.subarray(0, target.length);
        target.set(taken);
        if (taken.length < bytes.length) this.received.unshift(bytes.subarray(taken.length));
        this.#server.taken(this.#fd, taken.length);
        return taken.length;
      }
      if (this.isClosed || this.#isGone) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  closeWrite(): Promise<void> {
    this.#server.ended(this.#fd, false);
    return Promise.resolve();
  }

  close(): void {
    this.#isGone = true;
    if (!this.isClosed) this.#server.ended(this.#fd, true);
    this.#wake();
  }
}

/** One server. */
export class ProcessServer {
  readonly name = "memden";
  readonly address: ProcessAddress = { connect: () => Promise.resolve(this.#connect()) };
  readonly exited: Promise<number>;
  /** What a check of the whole store has found when the server was stopped. */
  problems: readonly string[] = [];
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #transport: CountingTransport;
  readonly #table: SeenTable;
  readonly #loop: ConnLoop;
  readonly #maintainer: Maintainer;
  readonly #drain: LogDrain;
  readonly #conns: (ProcessConn | undefined)[] = [];
  readonly #unmap: () => void;
  #ms = 0;
  #failure: unknown;
  #exit: (code: number) => void = () => {};

  private constructor(settings: Settings) {
    const plan = planStore(shapeOf(settings, CONNS_MAX));
    const startUnix = Math.floor(Date.now() / 1000) - CLOCK_START;
    this.#clock = { startUnix, now: CLOCK_START };
    const { map, store: first } = makeMemory(plan, { ...this.#clock });
    this.#unmap = () => unmapShared(map, plan);
    const views = viewShared(map, plan);
    const open = (thread: number): Store => new Store(openThread(plan, views, thread, this.#clock));
    const store = open(WORKER);
    const { control } = first;
    storeWord(control.u32, Global.NOW, this.#clock.now);
    storeWord(control.u32, Global.VERBOSITY, settings.verbosity);
    storeWord(control.u32, Global.ACCEPTING, 1);
    this.#store = store;
    this.#table = new SeenTable(control);
    this.#table.open(LISTENER_FD, ConnState.LISTENING, this.#clock.now, 0);
    this.#transport = new CountingTransport(openArena(views.segments).blocks, {
      send: (fd, bytes) => void this.#conns[fd]?.received.push(bytes.slice()),
      taken: () => {},
      close: (fd) => this.#closed(fd),
    });
    this.#maintainer = new Maintainer(
      open(maintainerThread(plan.shape)),
      settings.lruMaintainer,
      () => {},
    );
    this.#drain = new LogDrain(control, store.lines);
    this.exited = new Promise((resolve) => this.#exit = resolve);
    this.#loop = this.#makeLoop(settings);
  }

  /** Starts a server with `args`, memcached's flags. */
  static async start(args: readonly string[]): Promise<ProcessServer> {
    const line = readOptions(["-l", "127.0.0.1", ...args], {});
    if (line.action !== "serve") throw new Error(`Cannot play to ${args.join(" ")}`);
    const settings = settingsFrom(line.raw, {});
    const server = new ProcessServer(settings);
    if (settings.authFile !== null) {
      const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
      await new AuthFile(
        settings.authFile,
        "text",
        new Logins(server.#store.control, server.#store.locks),
        log,
      ).load();
    }
    return server;
  }

  #makeLoop(settings: Settings): ConnLoop {
    const store = this.#store;
    const table = this.#table;
    const addresses = { peer: "tcp:127.0.0.1:1", local: "tcp:127.0.0.1:2" };
    const server = {
      pid: Deno.pid,
      cpuTimes: () => ({ user: "0.000001", system: "0.000001" }),
      conns: () => connLines(table, this.#clock.now, () => addresses),
      shutdown: () => this.#exit(0),
      refreshCertificates: () => "no certificates",
    };
    const shared = {
      transport: this.#transport,
      executor: new Executor(store, settings, server),
      pool: new BufferPool(
        new ArrayBuffer(CONNS_MAX * (READ_BYTES + REPLY_BYTES)),
        store.counters,
      ),
      reqsPerEvent: settings.reqsPerEvent,
      comesShort: [false],
      protocols: [settings.bindingProtocol],
      table,
      workload: new Workload(store.control, WORKER, () => NaN),
      idleTimeout: settings.idleTimeout,
      halfClosedMax: 20,
      trace: undefined,
    };
    return new ConnLoop(
      shared,
      this.#transport,
      { fd: -1, answer: () => {} },
      { enter: () => {}, leave: () => {} },
      this.#clock,
      () => this.#clock.now,
    );
  }

  /** Unix time, in seconds. */
  now(): number {
    return this.#clock.startUnix + this.#clock.now;
  }

  /** Lets a second pass. */
  tick(): void {
    this.#clock.now++;
    storeWord(this.#store.control.u32, Global.NOW, this.#clock.now);
    this.#maintain();
  }

  stderr(): string {
    return "";
  }

  stop(): Promise<number> {
    if (this.#failure === undefined) {
      for (const conn of this.#conns) conn?.close();
      this.problems = checkStore(this.#store).problems;
    }
    this.#exit(0);
    this.#unmap();
    return this.exited;
  }

  #connect(): ProcessConn {
    let fd = LISTENER_FD + 1;
    while (this.#conns[fd] !== undefined) fd++;
    const conn = new ProcessConn(this, fd);
    this.#conns[fd] = conn;
    addWord(this.#store.control.u32, Global.CURR_CONNS, 1);
    this.#table.open(fd, ConnState.NEW_CMD, this.#clock.now, 0);
    this.#transport.open(fd);
    this.#loop.add(fd, 0);
    return conn;
  }

  #closed(fd: number): void {
    const conn = this.#conns[fd];
    this.#conns[fd] = undefined;
    addWord(this.#store.control.u32, Global.CURR_CONNS, -1);
    if (conn !== undefined) conn.isClosed = true;
  }

  /** Bytes have come from a client. */
  arrived(fd: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#transport.arrived(fd, bytes);
    this.#settle(fd);
    this.#maintain();
    this.#settle(fd);
  }

  /** A client has taken `count` bytes. */
  taken(fd: number, count: number): void {
    this.#transport.sent(fd, count);
    this.#settle(fd);
  }

  /** A client sends no more, or is gone. */
  ended(fd: number, isLost: boolean): void {
    this.#transport.ended(fd, isLost);
    if (this.#failure === undefined) this.#settle(fd);
  }

  /** Turns until the connection waits for its client. */
  #settle(fd: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#turn(fd);
    } catch (error) {
      // What it held stays locked: another turn would wait for ever.
      this.#failure = error;
      this.#exit(EX_SOFTWARE);
      throw error;
    }
  }

  #turn(fd: number): void {
    for (let quiet = 0; quiet < 2;) {
      this.#transport.calls = 0;
      this.#loop.turn(NOT_AT_ALL);
      const isBusy = this.#conns[fd] !== undefined && BUSY.includes(this.#table.states[fd] ?? -1);
      quiet = this.#transport.calls > 0 || isBusy ? 0 : quiet + 1;
    }
  }

  #maintain(): void {
    for (let turn = 0; turn < MAINTAINER_TURNS; turn++) {
      this.#ms += Math.max(0.1, this.#maintainer.turn(this.#ms));
    }
    while (this.#drain.turn());
  }
}
