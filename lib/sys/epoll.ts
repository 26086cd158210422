// Readiness of many descriptors: add, change, remove, wait.
//
// `struct epoll_event` is packed on x86-64 (events at 0, data at 4, 12 bytes in all) and naturally
// aligned elsewhere (data at 8, 16 bytes). Source: sys/epoll.h, EPOLL_PACKED.

import { Errno, SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

/** Events to wait for, and those that came. Source: sys/epoll.h. */
export const EpollEvent = {
  IN: 0x001,
  /** Urgent data: a receive stops short there. */
  PRI: 0x002,
  OUT: 0x004,
  ERR: 0x008,
  HUP: 0x010,
  /** The peer has closed its sending side. */
  RDHUP: 0x2000,
  /** Of the threads that wait for this socket, wake one that is asleep, and not all. */
  EXCLUSIVE: 0x10000000,
  /** Edge-triggered: report a change once. */
  EDGE: 0x80000000,
} as const;

const EPOLL_CLOEXEC = 0x80000;
const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;

const PACKED = Deno.build.arch === "x86_64";
const WORDS_PER_EVENT = PACKED ? 3 : 4;
const DATA_WORD = PACKED ? 1 : 2;

/** Events taken by one wait. */
const EVENTS_MAX = 256;

/** One epoll instance, for one thread. */
export class Epoll {
  readonly #fd: number;
  /** Over 64 bytes, so that V8 keeps it where it is. */
  readonly #events = new Uint32Array(EVENTS_MAX * WORDS_PER_EVENT);
  readonly #change = new Uint32Array(16);

  constructor() {
    this.#fd = libc.epoll_create1(EPOLL_CLOEXEC);
    if (this.#fd < 0) throw new SysError("epoll_create1", -1, errno());
  }

  /** Starts watching `fd` for `events`. */
  add(fd: number, events: number): void {
    this.#control(CTL_ADD, fd, events);
  }

  /** Changes what `fd` is watched for. */
  change(fd: number, events: number): void {
    this.#control(CTL_MOD, fd, events);
  }

  /** Stops watching `fd`. */
  remove(fd: number): void {
    this.#control(CTL_DEL, fd, 0);
  }

  #control(op: number, fd: number, events: number): void {
    this.#change[0] = events;
    this.#change[DATA_WORD] = fd;
    if (libc.epoll_ctl(this.#fd, op, fd, this.#change) < 0) {
      throw new SysError("epoll_ctl", fd, errno());
    }
  }

  /**
   * Waits until a watched descriptor is ready.
   *
   * @param timeoutMs Milliseconds; -1 waits for ever, 0 not at all.
   * @returns How many are ready; read them by {@linkcode fdAt} and {@linkcode eventsAt}.
   * @hot
   */
  wait(timeoutMs: number): number {
    const count = libc.epoll_wait(this.#fd, this.#events, EVENTS_MAX, timeoutMs);
    if (count >= 0) return count;
    if (errno() === Errno.EINTR) return 0;
    return this.#fail();
  }

  #fail(): never {
    throw new SysError("epoll_wait", this.#fd, errno());
  }

  /** Descriptor of the ready event `index`. */
  fdAt(index: number): number {
    return this.#events[index * WORDS_PER_EVENT + DATA_WORD]!;
  }

  /** {@linkcode EpollEvent} bits of the ready event `index`. */
  eventsAt(index: number): number {
    return this.#events[index * WORDS_PER_EVENT]!;
  }

  /** Closes the instance. */
  close(): void {
    libc.close(this.#fd);
  }
}
