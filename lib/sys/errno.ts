// Linux error numbers that the server handles by name. Source: asm-generic/errno*.h.

/** Error numbers by name. */
export const Errno = {
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  EHOSTUNREACH: 113,
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
