// Addresses of sockets as `stats conns` writes them.

import type { BoundAddress } from "../../sys/socket.ts";

/** Stands in front of an address of IPv4 that came to a socket of IPv6. Source: RFC 4291, 2.5.5. */
const MAPPED = "::ffff:";

/** Whether an address of IPv6 stands for one of IPv4. */
export function isMapped(hostname: string): boolean {
  return hostname.startsWith(MAPPED) && hostname.includes(".");
}

/**
 * An address of the runtime in the form that system calls give it; of IPv4 if it stands for one.
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
