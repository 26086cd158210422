// A worker: opens this thread's views of the shared memory, reports in, runs its loop.
//
// Its entries are worker.ts and tls_worker.ts.

import { type Clock, CLOCK_START } from "../../base/clock.ts";
import { latin1 } from "../../base/ascii.ts";
import type { Settings } from "../../config/settings.ts";
import { Executor, type ServerView } from "../../command/executor.ts";
import { loadWord } from "../../memory/atomic.ts";
import { openArena } from "../../memory/arena.ts";
import { Global, Stopping } from "../../memory/regions.ts";
import { World } from "../../memory/world_lock.ts";
import { BufferPool, READ_BYTES, REPLY_BYTES } from "../../net/buffer_pool.ts";
import type { ConnShared } from "../../net/conn_record.ts";
import { ConnLoop, type Doorbell } from "../../net/conn_loop.ts";
import { UdpConn } from "../../net/udp_conn.ts";
import type { Poller, Transport } from "../../net/transport.ts";
import { ConnTable } from "../../stats/conn_table.ts";
import { Workload } from "../../stats/samples.ts";
import { openThread, type SharedMemory, type StoreThread } from "../../store/plan.ts";
import { EventLog } from "../../log/event_log.ts";
import { Store } from "../../store/store.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { cpuTimes, threadCpuSeconds } from "../../sys/limits.ts";
import { mapMemory, unmapMemory, viewMemory } from "../../sys/mmap.ts";
import { portOfSocket } from "../listen/bind_refusal.ts";
import { logConnClose } from "../listen/conn_events.ts";
import { connLines } from "../listen/conn_stats.ts";
import { openLog } from "../process/log_output.ts";
import { NativeDatagrams } from "../native/native_datagrams.ts";
import { MESSAGE_BYTES, NativeTransport } from "../native/native_transport.ts";
import { drainNotices, type Notice, type WorkerStart } from "../channel/notify.ts";
import { RELAY_DOORBELL, RelayTransport } from "../relay/relay_transport.ts";
import { addressesOf, viewShared } from "../channel/shared_views.ts";
import { addressesOfSocket, peerOfSocket } from "../listen/socket_addresses.ts";
import { publishTicketName } from "../tls/ticket_names.ts";
import type { ByteTransport } from "../tls/tls_link.ts";
import type { TlsTransport } from "../tls/tls_transport.ts";
import type { ReportFunction } from "../channel/thread_scope.ts";

/** Most bytes of buffers one worker may have. */
const BUFFERS_BYTES_MAX = 2 ** 32 - 2 ** 16;
/** The same where they cannot be mapped memory. */
const HEAP_BUFFERS_BYTES_MAX = 2 ** 30;
/** Fewest: `read_buf_mem_limit` leaves each worker so many connections that do something. */
const BUFFERS_BYTES_MIN = 16 * (READ_BYTES + REPLY_BYTES);
/** Watchers that one worker keeps at most when they send no more. */
const HALF_CLOSED_MAX = 20;
/** Level from which each command is written to the log. */
const VERBOSITY_TRACE = 2;
/** Opens the log for everything. */
const VERBOSITY_ALL = 3;

/** The module of TLS, where it is spoken. */
type Tls = typeof import("../tls/tls_transport.ts");

/** Bytes of buffers that one worker may have. Source: memcached threads.c, setup_thread. */
function bufferLimit({ maxconns, readBufMemLimit, threads }: Settings): number {
  const most = canCallLibc ? BUFFERS_BYTES_MAX : HEAP_BUFFERS_BYTES_MAX;
  const wanted = Math.min((maxconns + 1) * (READ_BYTES + REPLY_BYTES), most);
  if (readBufMemLimit === 0) return wanted;
  return Math.min(wanted, Math.max(Math.floor(readBufMemLimit / threads), BUFFERS_BYTES_MIN));
}

/** Watchers that send no more: of all connections that may be, a tenth, but one at least. */
function halfClosedLimit({ maxconns, threads }: Settings): number {
  return Math.max(1, Math.min(HALF_CLOSED_MAX, Math.floor(maxconns / 10 / threads)));
}

/** How this thread's connections reach it. */
interface Link {
  readonly transport: Transport;
  readonly poller: Poller;
  /** Hands out the notices that have come, each connection ready to be served. */
  readonly takeNotices: (take: (notice: Notice) => void) => void;
  /** What the poller gives out when there are notices. */
  readonly doorbell: number;
  /** Starts serving UDP, where there is any. */
  readonly startUdp: (loop: ConnLoop, shared: ConnShared) => void;
  /** Sends what is left when the loop has ended, and lets go of everything. */
  readonly finish: () => void;
}

/**
 * Serves connections until told to stop.
 *
 * @param tls What speaks TLS, for a server that has certificates.
 */
export function runWorker(start: WorkerStart, report: ReportFunction, tls?: Tls): void {
  const { settings, plan, memory } = start;
  const clock: Clock = { startUnix: start.startUnix, now: CLOCK_START };
  const views = viewShared(memory, plan);
  const thread = openThread(plan, views, start.thread, clock);
  const buffersBytes = bufferLimit(settings);
  const mapped = canCallLibc ? mapMemory(buffersBytes) : undefined;
  const buffers = mapped === undefined
    ? new ArrayBuffer(buffersBytes)
    : viewMemory(mapped, buffersBytes);
  const link = settings.transport === "relay" || mapped === undefined
    ? relayLink(start, views, thread, tls)
    : nativeLink(start, views, thread, mapped, tls);
  const table = new ConnTable(thread.control);
  const peerOf = (fd: number): string | undefined =>
    settings.transport === "relay" ? table.namesOf(fd).peer : peerOfSocket(fd);
  const server: ServerView = {
    pid: Deno.pid,
    cpuTimes,
    conns: () =>
      connLines(
        table,
        clock.now,
        settings.transport === "relay" ? ({ fd }) => table.namesOf(fd) : addressesOfSocket,
      ),
    shutdown: (graceful) => report({ type: "shutdown", graceful }),
    refreshCertificates: () => {
      const loaded = tls?.loadCertificates(settings);
      if (loaded?.certificates === undefined) return loaded?.reason;
      report({ type: "certificates", certificates: loaded.certificates });
      return undefined;
    },
  };
  const store = new Store(thread);
  const shared: ConnShared = {
    transport: link.transport,
    executor: new Executor(store, settings, server),
    onClose: (fd, reason) => logConnClose(store.log, fd, peerOf(fd), reason),
    pool: new BufferPool(buffers, thread.counters),
    reqsPerEvent: settings.reqsPerEvent,
    comesShort: start.families.map((family) => family === "unix"),
    protocols: start.listenerOptions.map(({ protocol }) => protocol),
    table,
    workload: new Workload(thread.control, start.thread, threadCpuSeconds),
    idleTimeout: settings.idleTimeout,
    halfClosedMax: halfClosedLimit(settings),
    trace: undefined,
  };
  serve(shared, link, clock, report);
  if (mapped !== undefined) unmapMemory(mapped, buffersBytes);
  start.port.close();
}

/** Connections that come as descriptors. */
function nativeLink(
  start: WorkerStart,
  views: SharedMemory,
  thread: StoreThread,
  buffers: number,
  tls: Tls | undefined,
): Link {
  const { memory, port, doorbell, udp } = start;
  const message = mapMemory(MESSAGE_BYTES);
  const native = new NativeTransport(
    thread.control,
    views.segments,
    viewMemory(message, MESSAGE_BYTES),
    { segments: addressesOf(memory.segments), buffers, message },
  );
  native.watchDoorbell(doorbell);
  const encrypted = encryptedOver(native, start, views, thread, tls);
  const transport = encrypted ?? native;
  const takeNotices = (take: (notice: Notice) => void): void =>
    drainNotices(port, (notice) => {
      if (notice.type === "t") return encrypted?.useCertificates(notice.certificates);
      if (notice.type === "c") transport.watch(notice.fd, notice.listener);
      take(notice);
    });
  const startUdp = (loop: ConnLoop, shared: ConnShared): void => {
    const ports = new Set(udp.map(portOfSocket));
    for (const fd of udp) {
      loop.udp.add(fd, new UdpConn(fd, new NativeDatagrams(fd, ports, native), shared));
    }
  };
  const finish = (): void => {
    native.stopWatching();
    unmapMemory(message, MESSAGE_BYTES);
  };
  return { transport, poller: transport, takeNotices, doorbell, startUdp, finish };
}

/** Connections whose bytes come as messages. */
function relayLink(
  start: WorkerStart,
  views: SharedMemory,
  thread: StoreThread,
  tls: Tls | undefined,
): Link {
  const { blocks } = openArena(views.segments);
  const relay = new RelayTransport(start.port, thread.control, blocks, start.thread);
  const encrypted = encryptedOver(relay, start, views, thread, tls);
  const transport = encrypted ?? relay;
  const takeNotices = (take: (notice: Notice) => void): void =>
    relay.takeNotices((notice) => {
      if (notice.type === "t") return encrypted?.useCertificates(notice.certificates);
      if (notice.type === "c") transport.watch(notice.fd, notice.listener);
      take(notice);
    });
  return {
    transport,
    poller: transport,
    takeNotices,
    doorbell: RELAY_DOORBELL,
    startUdp: () => {},
    finish: () => relay.finish(),
  };
}

/** TLS over a transport; undefined where there is none. */
function encryptedOver(
  inner: ByteTransport,
  start: WorkerStart,
  views: SharedMemory,
  { counters, control, thread }: StoreThread,
  tls: Tls | undefined,
): TlsTransport | undefined {
  const { certificates } = start;
  if (tls === undefined || certificates === undefined) return undefined;
  const log = new EventLog(control, thread, counters);
  const tlsStart = {
    ...start,
    certificates,
    publishTicketName: (name: Uint8Array) => publishTicketName(control, thread, name),
  };
  return new tls.TlsTransport(inner, views.segments, counters, log, tlsStart);
}

function serve(shared: ConnShared, link: Link, clock: Clock, report: ReportFunction): void {
  const { control, locks } = shared.executor.store;
  const world = new World(control, locks);
  const log = openLog(VERBOSITY_ALL); // What is written is decided here, at each command.
  const trace = (fd: number, bytes: Uint8Array, from: number, to: number) =>
    log.debug(`<${fd} ${latin1(bytes, from, to)}`);
  const take = (notice: Notice): void => {
    if (notice.type === "s") return loop.stop();
    if (notice.type === "o") return link.startUdp(loop, shared);
    if (notice.type !== "c") return world.switchAtTurnEnd();
    if (shared.trace !== undefined) {
      log.debug(`<${notice.fd} new auto-negotiating client connection`);
    }
    loop.add(notice.fd, notice.listener);
  };
  const answer = (): void => {
    link.takeNotices(take);
    if (loadWord(control.u32, Global.STOPPING) === Stopping.AT_ONCE) loop.stop();
  };
  const doorbell: Doorbell = { fd: link.doorbell, answer };
  const loop = new ConnLoop(shared, link.poller, doorbell, world, clock, () => {
    const verbose = loadWord(control.u32, Global.VERBOSITY) >= VERBOSITY_TRACE;
    shared.trace = verbose ? trace : undefined;
    return loadWord(control.u32, Global.NOW);
  });
  report({ type: "ready" });
  loop.run();
  link.finish();
}
