// Linux error numbers that the server handles by name. Source: asm-generic/errno*.h.

/** Error numbers by name. */
export const Errno = {
  EINTR: 4,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EFAULT: 14,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  EPROTO: 71,
  ENOTSOCK: 88,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENETRESET: 102,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  EHOSTDOWN: 112,
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
