// Addresses of sockets as `stats conns` writes them.

import type { BoundAddress } from "../../sys/socket.ts";

/** Prefix of an IPv4-mapped IPv6 address. Source: RFC 4291, 2.5.5.2. */
const MAPPED = "::ffff:";

/** Whether an IPv6 address is IPv4-mapped. */
export function isMapped(hostname: string): boolean {
  return hostname.startsWith(MAPPED) && hostname.includes(".");
}

/**
 * An address of the runtime in the form of {@linkcode BoundAddress}; an IPv4-mapped one as IPv4.
 */
export function boundAddress(address: Deno.Addr): BoundAddress {
  if ("path" in address) return { family: "unix", path: address.path };
  if (!("hostname" in address)) throw new TypeError("An address of no family that is listened on");
  const { hostname, port } = address;
  const number = isMapped(hostname) ? hostname.slice(MAPPED.length) : hostname;
  return { family: "tcp", port, address: number };
}

/** `tcp:127.0.0.1:11211`, `tcp6:[::1]:11211`, `unix:/path` */
export function addressText(address: BoundAddress): string {
  if (address.family === "unix") return `unix:${address.path}`;
  const { address: host, port } = address;
  return host.includes(":") ? `tcp6:[${host}]:${port}` : `tcp:${host}:${port}`;
}
