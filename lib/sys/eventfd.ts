// A doorbell between threads: a descriptor that becomes readable when another thread rings it.

import { SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;
const COUNT_BYTES = 8;

/** Over 64 bytes, so that V8 keeps it where it is; the first 8 are the count, 1. */
const one = new BigUint64Array(16).fill(1n);
const drained = new BigUint64Array(16);

/** Makes a doorbell. */
export function openEventFd(): number {
  const fd = libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw new SysError("eventfd", -1, errno());
  return fd;
}

/** Opens a descriptor that does nothing, to have one to close; -1 when there is none to be had. */
export function openSpareFd(): number {
  return libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

/** Rings: `fd` becomes readable. A full counter means that it is readable already. */
export function ring(fd: number): void {
  libc.write(fd, one, COUNT_BYTES);
}

/** Takes the ring back, so that `fd` is quiet again. */
export function drain(fd: number): void {
  libc.read(fd, drained, COUNT_BYTES);
}
