// UDP sockets: opened and bound here, received from and sent to without blocking.

import { bindInternet, isLocalAddress } from "./bind.ts";
import { Errno, SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";
import { type Bytes, Io } from "./socket.ts";

// Source: bits/socket.h, asm-generic/socket.h.
const MSG_NOSIGNAL = 0x4000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;

/** Buffer size that memden asks for; the kernel caps it. Source: memcached, MAX_SENDBUF_SIZE. */
const SOCKET_BUFFER_BYTES = 256 * 2 ** 20;

const INT_BYTES = 4;
/** Room for any `struct sockaddr`. */
const ADDRESS_BYTES = 128;

const bufferBytes = new Int32Array(16).fill(SOCKET_BUFFER_BYTES);

/** The sender of a datagram, as a `struct sockaddr`. */
export class Peer {
  readonly address: Bytes = new Uint8Array(ADDRESS_BYTES);
  /** Bytes of {@linkcode address} in use; one word, in memory that V8 does not move. */
  readonly length: Uint32Array<ArrayBuffer> = new Uint32Array(16);
}

/**
 * Opens a UDP socket, bound to `host` and `port`, with the largest buffers that the kernel allows.
 *
 * @param host A numeric IPv4 or IPv6 address.
 * @param port 0 for one that the kernel chooses.
 * @returns The descriptor; on failure the errno, negative.
 */
export function openDatagramSocket(host: string, port: number): number {
  const fd = bindInternet("datagram", host, port);
  if (fd < 0) return fd;
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, bufferBytes, INT_BYTES);
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, bufferBytes, INT_BYTES);
  return fd;
}

/**
 * Receives one datagram into `buffer` from its start, and writes its sender into `peer`.
 *
 * @returns Its bytes, as far as they fit; {@linkcode Io.AGAIN} when none waits. An error
 * that an earlier datagram caused counts as none.
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

/** The source port of a datagram. */
export function peerPort({ address }: Peer): number {
  return address[2]! << 8 | address[3]!;
}

/** Whether a peer's address is one of this machine: see {@linkcode isLocalAddress}. */
export function isLocalPeer({ address, length }: Peer): boolean {
  return isLocalAddress(address, length[0]!);
}

/** @param other The result for an errno that is neither temporary nor a bug here. */
function failure(call: string, fd: number, other: number): number {
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
      return other;
  }
}
