// UDP sockets: opened and bound here, received from and sent to without blocking.

import { Errno, SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";
import { type Bytes, closeFd, Io, localAddress } from "./socket.ts";

// Source: bits/socket.h, asm-generic/socket.h, linux/in6.h.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

/** Asked for as room in the kernel; it gives what it may. Source: memcached, MAX_SENDBUF_SIZE. */
const SOCKET_BUFFER_BYTES = 256 * 2 ** 20;

const INT_BYTES = 4;
/** Room for any `struct sockaddr`. */
const ADDRESS_BYTES = 128;
// struct sockaddr_in: family 2, port 2, address 4, padding 8. struct sockaddr_in6: family 2,
// port 2, flow 4, address 16, scope 4. Source: netinet/in.h.
const IPV4_BYTES = 16;
const IPV6_BYTES = 28;

const one = new Int32Array(16).fill(1);
const bufferBytes = new Int32Array(16).fill(SOCKET_BUFFER_BYTES);
const bindAddress = new Uint8Array(ADDRESS_BYTES);
const parsedAddress = new Uint8Array(ADDRESS_BYTES);

/** Who sent a datagram, in the kernel's own form. */
export class Peer {
  readonly address: Bytes = new Uint8Array(ADDRESS_BYTES);
  /** Bytes of {@linkcode address} in use; one word, in memory that V8 does not move. */
  readonly length: Uint32Array<ArrayBuffer> = new Uint32Array(16);
}

/**
 * Opens a UDP socket, bound to `host` and `port`, with as much room for datagrams as it may have.
 *
 * SO_REUSEADDR is not set: it would let two servers have one UDP port, and neither know.
 *
 * @param host An IPv4 or IPv6 address as a number.
 * @param port 0 for one that the kernel chooses.
 * @returns The descriptor; when it cannot be had, its errno below zero.
 */
export function openDatagramSocket(host: string, port: number): number {
  const isIpv6 = host.includes(":");
  const family = isIpv6 ? AF_INET6 : AF_INET;
  const text = new TextEncoder().encode(host.padEnd(ADDRESS_BYTES, "\0"));
  if (libc.inet_pton(family, text, parsedAddress) !== 1) return -Errno.EINVAL;
  const fd = libc.socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno();
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, bufferBytes, INT_BYTES);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, bufferBytes, INT_BYTES);
  if (isIpv6) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, one, INT_BYTES);

  const view = new DataView(bindAddress.buffer);
  bindAddress.fill(0);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  bindAddress.set(parsedAddress.subarray(0, isIpv6 ? 16 : 4), isIpv6 ? 8 : 4);
  if (libc.bind(fd, bindAddress, isIpv6 ? IPV6_BYTES : IPV4_BYTES) === 0) return fd;
  const code = errno();
  closeFd(fd);
  return -code;
}

/** The port that a socket of {@linkcode openDatagramSocket} is bound to. */
export function datagramPort(fd: number): number {
  const bound = localAddress(fd);
  return bound?.family === "tcp" ? bound.port : 0;
}

/**
 * Receives one datagram into `buffer` from its start, and notes in `peer` who sent it.
 *
 * @returns Its bytes, as far as they fit; {@linkcode Io.AGAIN} when none waits. Whatever the
 * network has to say of datagrams sent earlier counts as none.
 * @throws {SysError} For an errno that means a bug here, such as EBADF.
 * @hot
 */
export function receiveDatagram(fd: number, buffer: Bytes, peer: Peer): number {
  peer.length[0] = ADDRESS_BYTES;
  const count = libc.recvfrom(fd, buffer, buffer.length, 0, peer.address, peer.length);
  return count >= 0 ? count : failure("recvfrom", fd, Io.AGAIN);
}

/**
 * Sends the first `count` bytes of `buffer` to `peer` as one datagram.
 *
 * @returns `count`; {@linkcode Io.AGAIN} when there is no room; {@linkcode Io.GONE} when it cannot
 * be sent: no route, a forbidden address, a peer that claims to have port 0.
 * @throws {SysError} For an errno that means a bug here, such as EBADF.
 * @hot
 */
export function sendDatagram(fd: number, buffer: Bytes, count: number, peer: Peer): number {
  const sent = libc.sendto(fd, buffer, count, MSG_NOSIGNAL, peer.address, peer.length[0]!);
  return sent >= 0 ? sent : failure("sendto", fd, Io.GONE);
}

/** The port that a datagram came from. */
export function peerPort({ address }: Peer): number {
  return address[2]! << 8 | address[3]!;
}

/**
 * Whether a peer's address is one of this machine: whether a socket can be bound to it. Where
 * net.ipv4.ip_nonlocal_bind is set, every address counts as one.
 */
export function isLocalPeer(peer: Peer): boolean {
  const family = peer.address[0]!; // Below 256, and this machine's order is the little end first.
  const fd = libc.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true; // No descriptor is left: better a datagram less than one for ever.
  bindAddress.set(peer.address);
  bindAddress.fill(0, 2, 4); // Any port.
  const isLocal = libc.bind(fd, bindAddress, peer.length[0]!) === 0;
  closeFd(fd);
  return isLocal;
}

/** @param otherwise What a failure is that nobody here is to blame for. */
function failure(call: string, fd: number, otherwise: number): number {
  const code = errno();
  switch (code) {
    case Errno.EAGAIN:
    case Errno.EINTR:
      return Io.AGAIN;
    case Errno.EBADF:
    case Errno.EFAULT:
    case Errno.ENOTSOCK:
      throw new SysError(call, fd, code);
    default:
      return otherwise;
  }
}
