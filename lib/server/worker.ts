// Worker entry: opens this thread's views of the shared memory, reports in, runs its loop.

import { type Clock, CLOCK_START } from "../base/clock.ts";
import { latin1 } from "../base/ascii.ts";
import type { Settings } from "../config/settings.ts";
import { Executor, type ServerView } from "../command/executor.ts";
import { loadWord } from "../memory/atomic.ts";
import { Global } from "../memory/regions.ts";
import { BufferPool, READ_BYTES, REPLY_BYTES } from "../net/buffer_pool.ts";
import type { ConnShared } from "../net/conn_record.ts";
import { NativeLoop } from "../net/native_loop.ts";
import { UdpConn } from "../net/udp_conn.ts";
import { openThread } from "../store/memory.ts";
import { Store } from "../store/store.ts";
import { cpuTimes } from "../sys/limits.ts";
import { mapMemory, viewMemory } from "../sys/mmap.ts";
import { ConnTable } from "../stats/conn_table.ts";
import { connLines } from "./conn_stats.ts";
import { addressesOfSocket } from "./socket_addresses.ts";
import { openLog } from "./log.ts";
import { NativeDatagrams } from "./native_datagrams.ts";
import { MESSAGE_BYTES, NativeTransport } from "./native_transport.ts";
import { drainNotices, type Notice, type WorkerStart } from "./notify.ts";
import { viewShared } from "./shared_views.ts";
import { type ReportFunction, serveThread } from "./thread_scope.ts";

/** Most bytes of buffers one worker may have. */
const BUFFERS_BYTES_MAX = 2 ** 32 - 2 ** 16;
/** Fewest: `read_buf_mem_limit` leaves each worker so many connections that do something. */
const BUFFERS_BYTES_MIN = 16 * (READ_BYTES + REPLY_BYTES);
/** Level from which each command is written to the log. */
const VERBOSITY_TRACE = 2;
/** Opens the log for everything. */
const VERBOSITY_ALL = 3;

serveThread(runWorker);

/** Bytes of buffers that one worker may have. Source: memcached threads.c, setup_thread. */
function bufferLimit({ maxconns, readBufMemLimit, threads }: Settings): number {
  const wanted = Math.min((maxconns + 1) * (READ_BYTES + REPLY_BYTES), BUFFERS_BYTES_MAX);
  if (readBufMemLimit === 0) return wanted;
  return Math.min(wanted, Math.max(Math.floor(readBufMemLimit / threads), BUFFERS_BYTES_MIN));
}

/** Serves connections until told to stop. */
function runWorker(start: WorkerStart, report: ReportFunction): void {
  const { settings, plan, memory } = start;
  const clock: Clock = { startUnix: start.startUnix, now: CLOCK_START };
  const views = viewShared(memory, plan);
  const thread = openThread(plan, views, start.thread, clock);
  const buffersBytes = bufferLimit(settings);
  const buffers = mapMemory(buffersBytes);
  const message = mapMemory(MESSAGE_BYTES);
  const transport = new NativeTransport(
    thread.control,
    views.segments,
    viewMemory(message, MESSAGE_BYTES),
    { segments: memory.segments, buffers, message },
  );
  const table = new ConnTable(thread.control);
  const server: ServerView = {
    pid: Deno.pid,
    cpuTimes,
    conns: () => connLines(table, clock.now, addressesOfSocket),
    shutdown: (graceful) => report({ type: "shutdown", graceful }),
  };
  const shared: ConnShared = {
    transport,
    executor: new Executor(new Store(thread), settings, server),
    pool: new BufferPool(viewMemory(buffers, buffersBytes), thread.counters),
    reqsPerEvent: settings.reqsPerEvent,
    protocols: start.manners.map(({ protocol }) => protocol),
    table,
    idleTimeout: settings.idleTimeout,
    trace: undefined,
  };
  serve(start, shared, transport, clock, report);
}

function serve(
  { port, doorbell, udp }: WorkerStart,
  shared: ConnShared,
  transport: NativeTransport,
  clock: Clock,
  report: ReportFunction,
): void {
  const { control } = shared.executor.store;
  const log = openLog(VERBOSITY_ALL); // What is written is decided here, at each command.
  const trace = (fd: number, bytes: Uint8Array, from: number, to: number) =>
    log.debug(`<${fd} ${latin1(bytes, from, to)}`);
  const take = (notice: Notice): void => {
    if (notice.type === "s") return loop.stop();
    if (shared.trace !== undefined) {
      log.debug(`<${notice.fd} new auto-negotiating client connection`);
    }
    transport.watch(notice.fd);
    loop.add(notice.fd, notice.listener);
  };
  const loop = new NativeLoop(
    shared,
    transport,
    { fd: doorbell, answer: () => drainNotices(port, doorbell, take) },
    clock,
    () => {
      const verbose = loadWord(control.u32, Global.VERBOSITY) >= VERBOSITY_TRACE;
      shared.trace = verbose ? trace : undefined;
      return loadWord(control.u32, Global.NOW);
    },
  );
  transport.watchDoorbell(doorbell);
  for (const fd of udp) {
    loop.udp.add(fd, new UdpConn(fd, new NativeDatagrams(fd, transport), shared));
  }
  report({ type: "ready" });
  loop.run();
  port.close();
}
