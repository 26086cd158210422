// UDP sockets: one for each address, shared by all workers.

import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { datagramPort, openDatagramSocket } from "../sys/datagram.ts";
import { errorText } from "../sys/libc.ts";
import { closeFd } from "../sys/socket.ts";
import { planAddresses } from "./listen_plan.ts";

/** A bound UDP socket. */
export interface UdpSocket {
  readonly fd: number;
  readonly port: number;
  readonly isIpv6: boolean;
}

/**
 * Binds UDP to every address that the settings name.
 *
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export async function openUdpSockets(settings: Settings): Promise<UdpSocket[]> {
  const sockets: UdpSocket[] = [];
  using undo = new DisposableStack();
  undo.defer(() => closeUdpSockets(sockets));
  for (const { hostname, port, optional } of await planAddresses(settings.udpListen, "UDP")) {
    const wanted = optional ? sockets.at(-1)?.port ?? port : port;
    const fd = openDatagramSocket(hostname, wanted);
    if (fd >= 0) sockets.push({ fd, port: datagramPort(fd), isIpv6: hostname.includes(":") });
    else if (!optional) {
      const message = `failed to listen on UDP port ${port}: ${errorText(-fd)}`;
      throw new SettingsError(message, ExitCode.OS_ERROR);
    }
  }
  undo.move();
  return sockets;
}

/** Closes what {@linkcode openUdpSockets} has opened. */
export function closeUdpSockets(sockets: readonly UdpSocket[]): void {
  for (const { fd } of sockets) closeFd(fd);
}
