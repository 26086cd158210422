// UDP sockets: one for each address, shared by all workers. What comes in before the workers serve
// waits in the kernel.

import type { Settings } from "../../config/settings.ts";
import { openDatagramSocket } from "../../sys/datagram.ts";
import { closeFd } from "../../sys/socket.ts";
import { portOfSocket, refusalOf } from "./bind_refusal.ts";
import { bindEach, planAddresses } from "./listen_plan.ts";

/** A bound UDP socket. */
export interface UdpSocket {
  readonly fd: number;
  readonly port: number;
  readonly isIpv6: boolean;
}

/**
 * Binds UDP to every address that the settings name.
 *
 * @param warn Takes a line for each address that is left out.
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export async function openUdpSockets(
  settings: Settings,
  warn: (line: string) => void,
): Promise<UdpSocket[]> {
  const plans = await planAddresses(settings.udpListen, "UDP", warn);
  const sockets: UdpSocket[] = [];
  using undo = new DisposableStack();
  undo.defer(() => closeUdpSockets(sockets));
  bindEach(plans, sockets, {
    bind({ hostname }, port) {
      const fd = openDatagramSocket(hostname, port);
      if (fd < 0) return refusalOf(-fd);
      return { fd, port: portOfSocket(fd), isIpv6: hostname.includes(":") };
    },
    portOf: ({ port }) => port,
    nameOf: ({ port }) => `UDP port ${port}`,
  });
  undo.move();
  return sockets;
}

/** Closes what {@linkcode openUdpSockets} has opened. */
export function closeUdpSockets(sockets: readonly UdpSocket[]): void {
  for (const { fd } of sockets) closeFd(fd);
}
