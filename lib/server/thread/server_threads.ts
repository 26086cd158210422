// All threads of one server: started together, and ended together when one of them cannot start.

import { storeWord } from "../../memory/atomic.ts";
import { type Control, Global, Stopping } from "../../memory/regions.ts";
import { wakeMaintainer } from "../../store/control/requests.ts";
import { closeFd } from "../../sys/socket.ts";
import { NotifySender } from "../channel/notify.ts";
import { RelaySender } from "../relay/relay_channel.ts";
import {
  type AcceptorHandle,
  startMaintainer,
  startWorker,
  type ThreadHandle,
  type WorkerCommon,
  type WorkerHandle,
} from "./threads.ts";

/** Workers that start at a time: more would only wait for each other, and for a core. */
const STARTING_MAX = 8;

/** The threads of a server, as far as they have been started. */
export class ServerThreads {
  readonly workers: WorkerHandle[] = [];
  /** Set by {@linkcode startAcceptor}. */
  #acceptor: AcceptorHandle | undefined;
  #maintainer: ThreadHandle | undefined;
  readonly #common: WorkerCommon;

  constructor(common: WorkerCommon) {
    this.#common = common;
  }

  /** Every thread that has been started. */
  get all(): readonly ThreadHandle[] {
    const handles = this.workers.map(({ thread }) => thread);
    if (this.#acceptor !== undefined) handles.push(this.#acceptor.thread);
    if (this.#maintainer !== undefined) handles.push(this.#maintainer);
    return handles;
  }

  /** The eventfds that wake threads; none with the relay transport. */
  get doorbells(): readonly number[] {
    const fds = this.workers.map(({ target: { doorbell } }) => doorbell);
    if (this.#acceptor !== undefined) fds.push(this.#acceptor.doorbell);
    return fds.filter((fd) => fd >= 0);
  }

  /**
   * Starts `count` workers, a few at a time, with a turn of this thread's loop between any two: a
   * signal that ends the process takes effect meanwhile, however many they are. A worker that dies
   * while it starts counts as one of them.
   *
   * @throws What the runtime or the system throws when a thread cannot be started.
   */
  async startWorkers(count: number): Promise<void> {
    for (let number = 1; number <= count; number++) {
      const oldest = this.workers[number - 1 - STARTING_MAX]?.thread;
      if (oldest !== undefined) await Promise.race([oldest.ready, oldest.died]);
      this.workers.push(startWorker(number, this.#common));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Takes the acceptor, which has just been started with {@linkcode workers}. */
  addAcceptor(acceptor: AcceptorHandle): void {
    this.#acceptor = acceptor;
  }

  /** Starts the thread that keeps the store in order. @throws As {@linkcode startWorkers}. */
  startMaintainer(): void {
    this.#maintainer = startMaintainer(this.#common);
  }

  /**
   * Ends every thread of a start that has failed, and closes what woke them.
   *
   * @param control The control memory of these threads.
   * @param limitMs Longest it waits, in milliseconds.
   * @returns Whether all of them have ended, so that none uses the shared memory any more.
   */
  async endAll(control: Control, limitMs: number): Promise<boolean> {
    storeWord(control.u32, Global.STOPPING, Stopping.AT_ONCE);
    wakeMaintainer(control);
    // With the acceptor the ways to the workers have gone to it.
    if (this.#acceptor === undefined) {
      for (const worker of this.workers) stopWorker(worker, control);
    } else this.#acceptor.notify.post({ type: "s" });
    const ends = this.all.map(({ stopped, died }) => Promise.race([stopped, died]));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), limitMs);
    });
    const haveEnded = await Promise.race([Promise.all(ends).then(() => true), late]);
    clearTimeout(timer);
    this.#acceptor?.notify.close();
    for (const handle of this.all) handle.terminate();
    if (haveEnded) { for (const fd of this.doorbells) closeFd(fd); }
    return haveEnded;
  }
}

/** Stops a worker to which no acceptor has the channel. */
function stopWorker({ number, target: { port, doorbell } }: WorkerHandle, control: Control): void {
  const notify = doorbell < 0
    ? new RelaySender(port, control, number)
    : new NotifySender(port, doorbell);
  notify.post({ type: "s" });
  notify.close();
}
