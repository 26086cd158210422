// Listening conns: one for each address, bound by Deno.listen, accepted from by descriptor.
//
// A connection must never be a Deno.TcpConn: closing one shuts the socket down for every duplicate,
// and one left open wakes Deno's reactor for each packet. So the listener's own descriptor is
// found, once, and connections are accepted from it directly.

import type { ListenAddress } from "../config/listen_address.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { ConnState } from "../net/conn_state.ts";
import { type BoundAddress, listeningAddress } from "../sys/socket.ts";

/** A listening socket. */
export interface ListeningConn {
  readonly listener: Deno.Listener;
  readonly fd: number;
  readonly state: typeof ConnState.LISTENING;
  readonly address: Deno.NetAddr;
}

/** Descriptors looked through for a listener: it is among the first that are open at start. */
const FD_SEARCH_MAX = 4096;

/** Any address, once for each family. */
const ANY_V4 = "0.0.0.0";
const ANY_V6 = "::";

/**
 * Opens every address that the settings name.
 *
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export function openListeners(settings: Settings): ListeningConn[] {
  const conns: ListeningConn[] = [];
  for (const address of settings.listen) {
    if (address.host !== null) {
      conns.push(openOne(address.host, address, settings, conns));
    } else {
      const first = openOne(ANY_V4, address, settings, conns);
      conns.push(first);
      // Where IPv6 is off, or takes IPv4 too, one socket is enough.
      const second = listen(ANY_V6, first.address.port, settings);
      if (!(second instanceof Error)) conns.push(adopt(second, conns));
    }
  }
  return conns;
}

/** @throws {SettingsError} When the address cannot be bound. */
function openOne(
  host: string,
  { port }: ListenAddress,
  settings: Settings,
  open: readonly ListeningConn[],
): ListeningConn {
  const listener = listen(host, port, settings);
  if (!(listener instanceof Error)) return adopt(listener, open);
  const reason = listener.message.replace(/ \(os error \d+\)$/, "");
  throw new SettingsError(`failed to listen on TCP port ${port}: ${reason}`, ExitCode.OS_ERROR);
}

/** Binds one address; an address in use, or none of this machine's, is an ordinary outcome. */
function listen(host: string, port: number, settings: Settings): Deno.Listener | Error {
  try {
    return Deno.listen({
      hostname: host,
      port: Math.max(port, 0),
      transport: "tcp",
      tcpBacklog: settings.backlog,
    });
    // deno-lint-ignore house/catch-place -- Deno.listen reports an address in use by throwing.
  } catch (error) {
    return error as Error;
  }
}

/** Finds the descriptor of a listener: a listening socket on its port that no other conn has. */
function adopt(listener: Deno.Listener, open: readonly ListeningConn[]): ListeningConn {
  const address = listener.addr as Deno.NetAddr;
  for (let fd = 3; fd < FD_SEARCH_MAX; fd++) {
    if (open.some((conn) => conn.fd === fd)) continue;
    const bound = listeningAddress(fd);
    if (bound !== undefined && isSame(bound, address)) {
      return { listener, fd, state: ConnState.LISTENING, address };
    }
  }
  throw new SettingsError(`cannot find the descriptor of port ${address.port}`, ExitCode.OS_ERROR);
}

function isSame(bound: BoundAddress, address: Deno.NetAddr): boolean {
  if (bound.family !== "tcp" || bound.port !== address.port) return false;
  return bound.address.includes(":") === address.hostname.includes(":");
}
