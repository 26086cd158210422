// Sockets that are bound, and listen later: memden takes an address before a client can connect.

import { cString } from "./c_string.ts";
import { Errno } from "./errno.ts";
import { errno, libc } from "./libc.ts";
import { type Bytes, closeFd } from "./socket.ts";

// Source: bits/socket.h, asm-generic/socket.h, linux/in6.h.
const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0x800;
const SOCK_CLOEXEC = 0x80000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;

const INT_BYTES = 4;
// struct sockaddr_in: family 2, port 2, address 4, padding 8. struct sockaddr_in6: family 2,
// port 2, flow 4, address 16, scope 4. struct sockaddr_un: family 2, path 108, its end included.
// Source: netinet/in.h, sys/un.h.
const IPV4_BYTES = 16;
const IPV6_BYTES = 28;
const PATH_AT = 2;
const PATH_BYTES_MAX = 107;
/** Room for any of them. */
const ADDRESS_BYTES = 128;

const bindAddress: Bytes = new Uint8Array(ADDRESS_BYTES);
const parsedAddress: Bytes = new Uint8Array(ADDRESS_BYTES);
const switchWord = new Int32Array(16);

/** What kind of socket is bound. */
export type SocketKind = "stream" | "datagram";

/**
 * Opens a socket and binds it to `host` and `port`; it does not listen. An IPv6
 * socket accepts IPv6 only, so that an IPv4 socket can have the same port.
 *
 * @param host A numeric address; after an IPv6 address may be `%` and an interface.
 * @param port 0 for one that the kernel chooses.
 * @param isDual Whether an IPv6 socket accepts IPv4, too.
 * @returns The descriptor; on failure the errno, negative.
 */
export function bindInternet(
  kind: SocketKind,
  host: string,
  port: number,
  isDual = false,
): number {
  const length = writeAddress(host, port);
  if (length < 0) return length;
  const isIpv6 = length === IPV6_BYTES;
  const fd = openSocket(isIpv6 ? AF_INET6 : AF_INET, kind);
  if (fd < 0) return fd;
  // Connections of a server that has ended would hold the port for a minute. Not for UDP, where two
  // servers could then bind the same port unnoticed.
  if (kind === "stream") setSwitch(fd, SOL_SOCKET, SO_REUSEADDR, true);
  if (isIpv6) setSwitch(fd, IPPROTO_IPV6, IPV6_V6ONLY, !isDual);
  return bindTo(fd, length);
}

/** The same for a Unix socket at `path`, which must not exist yet. */
export function bindUnix(path: string): number {
  const bytes = new TextEncoder().encode(path);
  if (bytes.length > PATH_BYTES_MAX) return -Errno.ENAMETOOLONG;
  bindAddress.fill(0);
  new DataView(bindAddress.buffer).setUint16(0, AF_UNIX, true);
  bindAddress.set(bytes, PATH_AT);
  const fd = openSocket(AF_UNIX, "stream");
  return fd < 0 ? fd : bindTo(fd, PATH_AT + bytes.length + 1);
}

/**
 * Lets clients connect to a bound socket.
 *
 * @param backlog Connections that the kernel queues before they are accepted.
 * @returns 0; on failure the errno, negative: EADDRINUSE when another socket that is bound to the
 * same address listens by now.
 */
export function listenOn(fd: number, backlog: number): number {
  return libc.listen(fd, backlog) === 0 ? 0 : -errno();
}

/**
 * Whether `address`, a `struct sockaddr` of `length` bytes, is one of this machine: whether a
 * socket can be bound to it. Where net.ipv4.ip_nonlocal_bind is set, every address counts as one;
 * where no descriptor is left, too.
 */
export function isLocalAddress(address: Bytes, length: number): boolean {
  const family = address[0]!; // Below 256, and the machine is little-endian.
  const fd = openSocket(family, "datagram");
  if (fd < 0) return true;
  bindAddress.set(address);
  bindAddress.fill(0, 2, 4); // Any port.
  const bound = bindTo(fd, length);
  if (bound >= 0) closeFd(bound);
  return bound >= 0;
}

function openSocket(family: number, kind: SocketKind): number {
  const type = kind === "stream" ? SOCK_STREAM : SOCK_DGRAM;
  const fd = libc.socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  return fd < 0 ? -errno() : fd;
}

/** Binds to what is in `bindAddress`; closes the socket when that fails. */
function bindTo(fd: number, length: number): number {
  if (libc.bind(fd, bindAddress, length) === 0) return fd;
  const code = errno();
  closeFd(fd);
  return -code;
}

function setSwitch(fd: number, level: number, option: number, on: boolean): void {
  switchWord[0] = on ? 1 : 0;
  libc.setsockopt(fd, level, option, switchWord, INT_BYTES);
}

/** Writes a `struct sockaddr`; returns its length, or the errno, negative. */
function writeAddress(host: string, port: number): number {
  const [address = "", scope] = host.split("%");
  const isIpv6 = address.includes(":");
  const family = isIpv6 ? AF_INET6 : AF_INET;
  if (libc.inet_pton(family, cString(address), parsedAddress) !== 1) return -Errno.EINVAL;
  const view = new DataView(bindAddress.buffer);
  bindAddress.fill(0);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  bindAddress.set(parsedAddress.subarray(0, isIpv6 ? 16 : 4), isIpv6 ? 8 : 4);
  if (!isIpv6) return IPV4_BYTES;
  if (scope === undefined) return IPV6_BYTES;
  const index = /^\d+$/.test(scope) ? Number(scope) : libc.if_nametoindex(cString(scope));
  if (index === 0) return -Errno.ENODEV;
  view.setUint32(24, index, true);
  return IPV6_BYTES;
}
