// Addresses of sockets as `stats conns` writes them.

import type { BoundAddress } from "../sys/socket.ts";

/** An address of the runtime in the form that system calls give it. */
export function boundAddress(address: Deno.Addr): BoundAddress {
  if ("path" in address) return { family: "unix", path: address.path };
  if (!("hostname" in address)) throw new TypeError("An address of no family that is listened on");
  return { family: "tcp", port: address.port, address: address.hostname };
}

/** `tcp:127.0.0.1:11211`, `tcp6:[::1]:11211`, `unix:/path` */
export function addressText(address: BoundAddress): string {
  if (address.family === "unix") return `unix:${address.path}`;
  const { address: host, port } = address;
  return host.includes(":") ? `tcp6:[${host}]:${port}` : `tcp:${host}:${port}`;
}
