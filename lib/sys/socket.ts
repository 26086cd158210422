// Non-blocking socket calls, with named results for the ordinary failures.

import { Errno, SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

/** Results of the calls below that are not a byte count or a descriptor. */
export const Io = {
  /** The call would block: wait for the next readiness event. */
  AGAIN: -1,
  /** The peer is gone: reset, broken pipe, timed out. */
  GONE: -2,
  /** No descriptor or kernel memory left for another socket. */
  FULL: -3,
} as const;

/** A received or sent buffer: memory that does not move while it is reachable. */
export type Bytes = Uint8Array<ArrayBuffer>;

// Source: bits/socket.h, asm-generic/socket.h, netinet/tcp.h.
const MSG_PEEK = 0x2;
const MSG_NOSIGNAL = 0x4000;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const F_GETFL = 3;
const F_SETFL = 4;
const SOL_SOCKET = 1;
const SO_KEEPALIVE = 9;
const SO_ACCEPTCONN = 30;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;

/**
 * Receives up to `count` bytes into `buffer` from its start.
 *
 * @returns Bytes received; 0 when the peer closed its side; otherwise an {@linkcode Io} value.
 * @throws {SysError} For an errno that means a bug here, such as EBADF.
 * @hot
 */
export function recvInto(fd: number, buffer: Bytes, count: number): number {
  const received = libc.recv(fd, buffer, count, 0);
  return received >= 0 ? received : failure("recv", fd);
}

/** Receives without removing the bytes from the socket; results as {@linkcode recvInto}. */
export function peekInto(fd: number, buffer: Bytes, count: number): number {
  const received = libc.recv(fd, buffer, count, MSG_PEEK);
  return received >= 0 ? received : failure("recv", fd);
}

/**
 * Sends the first `count` bytes of `buffer`; results as {@linkcode recvInto}, and never SIGPIPE.
 * @hot
 */
export function sendFrom(fd: number, buffer: Bytes, count: number): number {
  const sent = libc.send(fd, buffer, count, MSG_NOSIGNAL);
  return sent >= 0 ? sent : failure("send", fd);
}

/**
 * Sends what the `struct msghdr` in `message` describes; results as {@linkcode sendFrom}.
 * @hot
 */
export function sendMessage(fd: number, message: Bytes): number {
  const sent = libc.sendmsg(fd, message, MSG_NOSIGNAL);
  return sent >= 0 ? sent : failure("sendmsg", fd);
}

/**
 * Errors that mean a bug of the caller, not of the network. Any other one means that the peer
 * is gone: when the kernel gives up a connection it reports the last error that it has for it, such
 * as one from an ICMP message or a route.
 */
const BUGS: ReadonlySet<number> = new Set([Errno.EBADF, Errno.EFAULT, Errno.ENOTSOCK]);

/** Temporary errors. */
const PASSING: ReadonlySet<number> = new Set([
  Errno.EAGAIN,
  Errno.EINTR,
  Errno.ENOBUFS,
  Errno.ENOMEM,
]);

/** What an error of `call` on a connection means. @throws {SysError} For a bug here. */
export function outcomeOf(code: number, call: string, fd: number): number {
  if (PASSING.has(code)) return Io.AGAIN;
  if (BUGS.has(code)) throw new SysError(call, fd, code);
  return Io.GONE;
}

function failure(call: string, fd: number): number {
  return outcomeOf(errno(), call, fd);
}

/**
 * Accepts one connection, non-blocking and closed on exec.
 *
 * @returns Its descriptor; {@linkcode Io.AGAIN} when none waits; {@linkcode Io.GONE} when the
 * client went away first; {@linkcode Io.FULL} when descriptors have run out.
 */
export function accept(listenFd: number): number {
  const fd = libc.accept4(listenFd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) return fd;
  const code = errno();
  switch (code) {
    case Errno.EAGAIN:
      return Io.AGAIN;
    case Errno.EMFILE:
    case Errno.ENFILE:
    case Errno.ENOBUFS:
    case Errno.ENOMEM:
      return Io.FULL;
    case Errno.EBADF:
    case Errno.EFAULT:
    case Errno.EINVAL:
    case Errno.ENOTSOCK:
      throw new SysError("accept4", listenFd, code);
    default:
      // Pending errors of the new socket, and refusals of a firewall.
      // Source: accept(2), "Error handling".
      return Io.GONE;
  }
}

/** Makes a descriptor non-blocking that another program has opened. */
export function setNonBlocking(fd: number): void {
  const flags = libc.fcntl(fd, F_GETFL, 0n);
  if (flags < 0 || libc.fcntl(fd, F_SETFL, BigInt(flags | SOCK_NONBLOCK)) < 0) {
    throw new SysError("fcntl", fd, errno());
  }
}

/** Closes a descriptor. */
export function closeFd(fd: number): void {
  if (libc.close(fd) < 0 && errno() !== Errno.EINTR) throw new SysError("close", fd, errno());
}

const ONE = new Int32Array(16).fill(1);
const ONE_BYTES = 4;

/**
 * Sets what memcached sets on TCP: TCP_NODELAY and SO_KEEPALIVE. Connections inherit both from a
 * listening socket. Source: memcached.c, server_socket.
 */
export function setTcpOptions(fd: number): void {
  libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ONE, ONE_BYTES);
  libc.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, ONE, ONE_BYTES);
}

/** Keepalive: seconds before the first probe, between probes, and the number of probes. */
const KEEPALIVE = [
  [TCP_KEEPIDLE, 30],
  [TCP_KEEPINTVL, 10],
  [TCP_KEEPCNT, 3],
] as const;

/**
 * Turns on keepalive probes after 30 s, instead of two hours. A peer that has closed the
 * connection, and not only its half, answers with a reset a minute later (tcp_fin_timeout). Does
 * nothing on a Unix socket.
 */
export function probePeer(fd: number): void {
  for (const [option, value] of KEEPALIVE) {
    optval[0] = value;
    libc.setsockopt(fd, IPPROTO_TCP, option, optval, ONE_BYTES);
  }
}

/** Where one end of a socket is. */
export type BoundAddress =
  | { readonly family: "tcp"; readonly port: number; readonly address: string }
  | { readonly family: "unix"; readonly path: string };

const optval = new Int32Array(16);
const optlen = new Uint32Array(16);
const sockaddr = new Uint8Array(128);

/** Where `fd` listens; undefined when it is not a listening socket. */
export function listeningAddress(fd: number): BoundAddress | undefined {
  optlen[0] = 4;
  if (libc.getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, optval, optlen) < 0) return undefined;
  if (optval[0] !== 1) return undefined;
  return localAddress(fd);
}

/** Where this end of a socket is; undefined when `fd` is no socket, or not open. */
export function localAddress(fd: number): BoundAddress | undefined {
  optlen[0] = sockaddr.length;
  if (libc.getsockname(fd, sockaddr, optlen) < 0) return undefined;
  return parseAddress(sockaddr, optlen[0]!);
}

/** Where the other end of a connection is; undefined when `fd` is none, or not open. */
export function peerAddress(fd: number): BoundAddress | undefined {
  optlen[0] = sockaddr.length;
  if (libc.getpeername(fd, sockaddr, optlen) < 0) return undefined;
  return parseAddress(sockaddr, optlen[0]!);
}

function parseAddress(raw: Uint8Array, length: number): BoundAddress | undefined {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  const family = view.getUint16(0, true);
  const port = view.getUint16(2);
  if (family === AF_INET) {
    return { family: "tcp", port, address: `${raw[4]}.${raw[5]}.${raw[6]}.${raw[7]}` };
  }
  if (family === AF_INET6) {
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i));
    return { family: "tcp", port, address: ipv6Text(groups) };
  }
  if (family === AF_UNIX) {
    const end = raw.indexOf(0, 2);
    const path = raw.slice(2, Math.max(2, end === -1 ? length : Math.min(end, length)));
    return { family: "unix", path: new TextDecoder().decode(path) };
  }
  return undefined;
}

/** An IPv6 address as text, its longest run of zeroes left out. Source: RFC 5952, section 4.2. */
function ipv6Text(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(":");
  if (text.startsWith("0:0:0:0:0:ffff:")) return `::ffff:${ipv4Text(groups.slice(6))}`;
  const runs = text.match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? [];
  const lengthOf = (run: string) => run.replace(/^:/, "").length;
  const longest = runs.reduce((best, run) => lengthOf(run) > lengthOf(best) ? run : best, "");
  if (longest === "") return text;
  return text.replace(longest, ":").replace(/^:(?!:)/, "::").replace(/(?<!:):$/, "::");
}

/** Two groups of an IPv6 address as an IPv4 address. */
function ipv4Text(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join(".");
}
