// Linux error numbers that the server handles by name. Source: asm-generic/errno*.h.

/** Error numbers by name. */
export const Errno = {
  ENOENT: 2,
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EFAULT: 14,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENAMETOOLONG: 36,
  ENOTSOCK: 88,
  EPROTONOSUPPORT: 93,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENOBUFS: 105,
} as const;

/** A system call failed in a way no caller handles. */
export class SysError extends Error {
  override name = "SysError";
  readonly errno: number;

  constructor(call: string, fd: number, errno: number) {
    super(`Cannot ${call} on descriptor ${fd}: errno ${errno}`);
    this.errno = errno;
  }
}
