// Relay acceptor entry: the thread that has the listening sockets and all connections where they
// cannot be handed over as descriptors. It reads and writes; the workers serve.
// Limits, order and counters are those of acceptor.ts.

import { addWord, loadWord, storeWord } from "../../memory/atomic.ts";
import { type Control, Global } from "../../memory/regions.ts";
import { ConnState } from "../../net/conn_state.ts";
import { BlockStore } from "../../net/block_store.ts";
import { Reply } from "../../protocol/reply.ts";
import { ConnTable } from "../../stats/conn_table.ts";
import type { Counters } from "../../stats/counters.ts";
import { Counter } from "../../stats/names.ts";
import { CLOCK_START } from "../../base/clock.ts";
import { SettingsError } from "../../config/settings_error.ts";
import { EventLog, Watched } from "../../log/event_log.ts";
import { openThread } from "../../store/plan.ts";
import { logConnNew } from "../listen/conn_events.ts";
import { addressText } from "../listen/address_text.ts";
import { connRoom } from "../listen/descriptors.ts";
import type { Listening, Notice, RelayAcceptorStart } from "../channel/notify.ts";
import { onMessage, RelaySender } from "../relay/relay_channel.ts";
import { Frame, type FrameMessage, readFrames, type TakeFrame } from "../relay/relay_frames.ts";
import { RelayListener } from "../relay/relay_listen.ts";
import { PlainSocket, type RelaySocket } from "../relay/relay_socket.ts";
import { RELAY_DOORBELL } from "../relay/relay_transport.ts";
import { ticketThread } from "../tls/ticket_names.ts";
import { ticketNameAt } from "../tls/tls_messages.ts";
import { type ReportFunction, serveThread } from "../channel/thread_scope.ts";

/** Rest while it does not accept, in milliseconds. Source: memcached, maxconns timer. */
const FULL_PAUSE_MS = 10;
/** How long clients have to take their last replies when the server stops, in milliseconds. */
const STOP_MS_MAX = 1000;
const US_PER_MS = 1000;
/** How long a client may keep its session to itself, in milliseconds. */
const HELLO_MS_MAX = 1000;
const NO_BYTES = new Uint8Array(0);

serveThread<RelayAcceptorStart>(async (start, report) => {
  const thread = openThread(
    start.plan,
    { control: start.control, segments: [], buckets: new ArrayBuffer(0) },
    0,
    { startUnix: 0, now: CLOCK_START },
  );
  await new RelayAcceptor(start, thread.control, thread.counters).run(report);
});

/** The thread's state. */
class RelayAcceptor {
  readonly #start: RelayAcceptorStart;
  readonly #control: Control;
  readonly #counters: Counters;
  readonly #table: ConnTable;
  readonly #log: EventLog;
  readonly #workers: readonly RelaySender[];
  readonly #bound: RelayListener[] = [];
  readonly #conns = new Map<number, RelaySocket>();
  readonly #store = new BlockStore();
  /** Numbers of closed connections: the next ones take them. */
  readonly #free: number[] = [];
  #nextFd = RELAY_DOORBELL + 1;
  #nextWorker = 0;
  /** Most connections; 0 until the server is open. */
  #connsMax = 0;
  #stopping = false;
  #pausing: Promise<void> | undefined;
  /** When listeners are closed for good. */
  #unbound: (Promise<void> | undefined)[] = [];
  #allClosed: () => void = () => {};

  constructor(start: RelayAcceptorStart, control: Control, counters: Counters) {
    this.#start = start;
    this.#control = control;
    this.#counters = counters;
    this.#table = new ConnTable(control);
    this.#log = new EventLog(control, 0, counters);
    this.#workers = start.workers.map(({ port, thread }) => {
      onMessage<FrameMessage>(port, (message) => readFrames(message, this.#takeFrame));
      return new RelaySender(port, control, thread);
    });
  }

  /** Accepts, once told to, until told to stop; ends when every connection has. */
  async run(report: ReportFunction): Promise<void> {
    const { port } = this.#start;
    const closed = new Promise<void>((resolve) => this.#allClosed = resolve);
    onMessage<Notice>(port, (notice) => {
      if (notice.type === "b") return void this.#listen(report);
      for (const worker of this.#workers) worker.post(notice);
      if (notice.type === "s") this.#stop();
      if (notice.type === "o") this.#open();
    });
    report({ type: "ready" });
    await closed;
    await Promise.all(this.#unbound);
    port.close(); // An open port keeps the thread alive.
    for (const worker of this.#workers) worker.close();
  }

  /** Binds, and says where, or why not. */
  async #listen(report: ReportFunction): Promise<void> {
    const { settings, listen } = this.#start;
    try {
      await RelayListener.open(listen, this.#bound, settings);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return report({ type: "unusable", message: error.message, exitCode: error.exitCode });
    }
    if (this.#stopping) return this.#unbind();
    const now = loadWord(this.#control.u32, Global.NOW);
    const listening: Listening[] = [];
    for (const { addresses, plan: { options }, index } of this.#bound) {
      for (const address of addresses) {
        const fd = this.#nextFd++;
        this.#table.open(fd, ConnState.LISTENING, now, index);
        this.#table.setNames(fd, "", addressText(address));
        listening.push({ address, options });
      }
    }
    report({ type: "listening", listening });
  }

  /** Takes clients; who has connected since the sockets listen has waited for it. */
  #open(): void {
    this.#connsMax = connRoom(this.#start.settings);
    storeWord(this.#control.u32, Global.ACCEPTING, 1);
    for (const listener of this.#bound) void this.#acceptAll(listener);
  }

  async #acceptAll(socket: RelayListener): Promise<void> {
    const { listener, index } = socket;
    while (!this.#stopping) {
      if (this.#isFull() && !this.#start.settings.maxconnsFast) await this.#pause();
      const conn = await acceptFrom(listener);
      if (this.#stopping) return conn?.close();
      if (conn === undefined) await rest(FULL_PAUSE_MS);
      else if (socket.isStranger(conn)) conn.close();
      else if (!this.#isFull()) this.#admit(conn, index);
      else if (this.#start.settings.maxconnsFast) await this.#refuse(conn);
      else {
        // Of several listeners that waited, one may have taken the place.
        while (this.#isFull() && !this.#stopping) await this.#pause();
        this.#admit(conn, index);
      }
    }
  }

  #isFull(): boolean {
    return loadWord(this.#control.u32, Global.CURR_CONNS) >= this.#connsMax;
  }

  /** Waits until a connection has closed; one pause for all listeners. */
  #pause(): Promise<void> {
    this.#pausing ??= this.#waitForRoom().finally(() => this.#pausing = undefined);
    return this.#pausing;
  }

  async #waitForRoom(): Promise<void> {
    if (!this.#isFull() || this.#stopping) return;
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    this.#counters.add(Counter.LISTEN_DISABLED_NUM, 1);
    while (this.#isFull() && !this.#stopping) {
      const from = performance.now();
      await rest(FULL_PAUSE_MS);
      const passed = Math.round((performance.now() - from) * US_PER_MS);
      this.#counters.add(Counter.TIME_IN_LISTEN_DISABLED_US, passed);
    }
    storeWord(this.#control.u32, Global.ACCEPTING, 1);
  }

  /** Settles when it is closed, so that refused clients do not take the last descriptors. */
  async #refuse(conn: Deno.Conn): Promise<void> {
    this.#counters.add(Counter.REJECTED_CONNECTIONS, 1);
    try {
      await conn.write(Reply.TOO_MANY_CONNECTIONS.bytes);
    } catch {
      // The client is gone: there is nobody to refuse.
    }
    conn.close();
  }

  #admit(conn: Deno.Conn, listener: number): void {
    if (isTcp(conn)) setOptions(conn);
    const socket = new PlainSocket(conn, this.#store);
    const fd = this.#free.pop() ?? this.#nextFd++;
    addWord(this.#control.u32, Global.CURR_CONNS, 1);
    this.#counters.add(Counter.TOTAL_CONNECTIONS, 1);
    this.#table.setNames(fd, socket.peer, socket.local);
    this.#table.open(fd, ConnState.NEW_CMD, loadWord(this.#control.u32, Global.NOW), listener);
    if (this.#log.wants(Watched.CONNEVENTS)) logConnNew(this.#log, fd, socket.peer);
    this.#conns.set(fd, socket);
    let worker: RelaySender | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const dealt = (hello = NO_BYTES): RelaySender => {
      if (worker !== undefined) return worker;
      clearTimeout(timer);
      worker = this.#workerFor(hello);
      worker.frames.write(Frame.CONN, fd, listener);
      return worker;
    };
    socket.start({
      data: (bytes) => dealt(bytes).frames.writeData(fd, bytes),
      ended: (lost) => dealt().frames.write(lost ? Frame.LOST : Frame.END, fd, 0),
      sent: (count) => dealt().frames.write(Frame.COUNT, fd, count),
      closed: () => {
        clearTimeout(timer);
        this.#forget(fd);
      },
    });
    // A client that may have a session is dealt by what it says first, if it says it soon.
    if (!this.#hasSessions(listener)) dealt();
    else timer = setTimeout(dealt, HELLO_MS_MAX);
  }

  #hasSessions(listener: number): boolean {
    const { settings, listen } = this.#start;
    return settings.sslSessionCache && listen[listener]!.options.tls !== "none";
  }

  /** The worker that can go on with a client's session; the next one where there is none. */
  #workerFor(hello: Uint8Array): RelaySender {
    const at = ticketNameAt(hello, hello.length);
    const thread = at < 0 ? 0 : ticketThread(this.#control, this.#workers.length, hello, at);
    if (thread > 0) return this.#workers[thread - 1]!;
    const worker = this.#workers[this.#nextWorker]!;
    this.#nextWorker = (this.#nextWorker + 1) % this.#workers.length;
    return worker;
  }

  readonly #takeFrame: TakeFrame = (type, fd, number, bytes) => {
    const socket = this.#conns.get(fd);
    if (type === Frame.DATA) socket?.send(bytes);
    else if (type === Frame.COUNT) socket?.taken(number);
    else if (type === Frame.CLOSE) socket?.close(false);
  };

  #forget(fd: number): void {
    this.#conns.delete(fd);
    addWord(this.#control.u32, Global.CURR_CONNS, -1);
    this.#free.push(fd);
    if (this.#stopping && this.#conns.size === 0) this.#allClosed();
  }

  #unbind(): void {
    this.#unbound = this.#bound.map((listener) => listener.close());
  }

  /** The workers close their connections; those whose clients do not read are cut off. */
  #stop(): void {
    this.#stopping = true;
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    this.#unbind();
    if (this.#conns.size === 0) return this.#allClosed();
    setTimeout(() => {
      for (const socket of this.#conns.values()) socket.close(true);
    }, STOP_MS_MAX);
  }
}

/** The next connection; undefined where no descriptor is left, or the client was gone first. */
async function acceptFrom(listener: Deno.Listener): Promise<Deno.Conn | undefined> {
  try {
    return await listener.accept();
  } catch {
    return undefined;
  }
}

function isTcp(conn: Deno.Conn): conn is Deno.TcpConn {
  return "setNoDelay" in conn && conn.localAddr.transport === "tcp";
}

function setOptions(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
    conn.setKeepAlive(true);
  } catch {
    return; // Some systems refuse it once the client is gone; the first read reports that.
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
