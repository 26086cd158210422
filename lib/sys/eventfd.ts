// A doorbell between threads: a descriptor whose watcher is woken when another thread rings it.

import { EpollEvent } from "./epoll.ts";
import { SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;
const COUNT_BYTES = 8;

/** Over 64 bytes, so that V8 keeps it where it is; the first 8 are the count, 1. */
const one = new BigUint64Array(16).fill(1n);

/** How to watch a doorbell: edge-triggered, so that no read is needed after a ring. */
export const DOORBELL_EVENTS = (EpollEvent.IN | EpollEvent.EDGE) >>> 0;

/** Makes a doorbell. */
export function openEventFd(): number {
  const fd = libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw new SysError("eventfd", -1, errno());
  return fd;
}

/** Opens a spare descriptor, to close when another one is needed; -1 when none is left. */
export function openSpareFd(): number {
  return libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/** Rings. The count that nobody reads is full after 2^64 - 2 rings. */
export function ring(fd: number): void {
  libc.write(fd, one, COUNT_BYTES);
}
