// Acceptor entry: a thread of its own that takes connections off the listening sockets, refuses
// those over the limit, and deals the rest to the workers round robin. A connection stays with its
// worker for life.
//
// Not on the main thread: there it could only wait through Deno's pool of threads, and each
// connection paid two thread switches for it (docs/decisions/0009-acceptor-thread.md).

import type { Settings } from "../config/settings.ts";
import { addWord, loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, Global } from "../memory/regions.ts";
import { Reply } from "../protocol/reply.ts";
import type { Counters } from "../stats/counters.ts";
import { Counter } from "../stats/names.ts";
import { CLOCK_START } from "../base/clock.ts";
import { openThread } from "../store/memory.ts";
import { Epoll, EpollEvent } from "../sys/epoll.ts";
import { accept, closeFd, Io, sendFrom, setTcpOptions } from "../sys/socket.ts";
import { type AcceptorStart, drainNotices, type Notice, NotifySender } from "./notify.ts";
import { serveThread } from "./thread_scope.ts";

/** Connections taken from one socket before the next socket gets its turn. */
const ACCEPTS_PER_TURN = 512;
/** Pause after the descriptors have run out, in milliseconds. Source: memcached, maxconns timer. */
const FULL_PAUSE_MS = 10;
const FOR_EVER = -1;

serveThread<AcceptorStart>((start, report) => {
  const { plan, control: memory, settings } = start;
  const thread = openThread(
    plan,
    { control: memory, segments: [], buckets: new ArrayBuffer(0) },
    0,
    { startUnix: 0, now: CLOCK_START },
  );
  const acceptor = new Acceptor(start, settings, thread.control, thread.counters);
  report({ type: "ready" });
  acceptor.run();
});

/** The thread's loop. */
class Acceptor {
  readonly #start: AcceptorStart;
  readonly #workers: readonly NotifySender[];
  readonly #settings: Settings;
  readonly #control: Control;
  readonly #counters: Counters;
  readonly #epoll = new Epoll();
  #next = 0;
  #running = true;
  #paused = false;

  constructor(start: AcceptorStart, settings: Settings, control: Control, counters: Counters) {
    this.#start = start;
    this.#workers = start.workers.map(({ port, doorbell }) => new NotifySender(port, doorbell));
    this.#settings = settings;
    this.#control = control;
    this.#counters = counters;
    this.#epoll.add(start.doorbell, EpollEvent.IN);
  }

  /** Accepts until told to stop, then tells every worker. */
  run(): void {
    this.#listen();
    while (this.#running) {
      const count = this.#epoll.wait(this.#paused ? FULL_PAUSE_MS : FOR_EVER);
      if (this.#paused) this.#listen();
      for (let index = 0; index < count; index++) this.#serve(this.#epoll.fdAt(index));
    }
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    for (const worker of this.#workers) {
      worker.post({ type: "s" });
      worker.close();
    }
    this.#start.port.close();
    this.#epoll.close();
  }

  #serve(fd: number): void {
    if (fd === this.#start.doorbell) {
      drainNotices(this.#start.port, fd, (notice: Notice) => {
        if (notice.type === "s") this.#running = false;
        else if (notice.type !== "c") { for (const worker of this.#workers) worker.post(notice); }
      });
    } else if (!this.#acceptFrom(fd)) this.#pause();
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

  /** Watches the listening sockets. */
  #listen(): void {
    this.#paused = false;
    for (const fd of this.#start.listening) this.#epoll.add(fd, EpollEvent.IN);
    storeWord(this.#control.u32, Global.ACCEPTING, 1);
  }

  /** Leaves the listening sockets alone until connections may have closed. */
  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    for (const fd of this.#start.listening) this.#epoll.remove(fd);
    storeWord(this.#control.u32, Global.ACCEPTING, 0);
    this.#counters.add(Counter.LISTEN_DISABLED_NUM, 1);
  }
}
