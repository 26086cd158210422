// Addresses of sockets, read from the system on demand.

import { ConnState } from "../../net/conn_state.ts";
import type { ConnRow } from "../../stats/conn_table.ts";
import { localAddress, peerAddress } from "../../sys/socket.ts";
import { addressText } from "./address_text.ts";
import type { ConnAddresses } from "./conn_stats.ts";

/** The addresses of a connection's socket; undefined when it is not open any more. */
export function addressesOfSocket({ fd, state }: ConnRow): ConnAddresses | undefined {
  const local = localAddress(fd);
  if (local === undefined) return undefined;
  if (state === ConnState.LISTENING) return { peer: "", local: addressText(local) };
  const peer = peerAddress(fd);
  if (peer === undefined) return undefined;
  // The client's end of a Unix socket has no name.
  return { peer: addressText(peer.family === "unix" ? local : peer), local: addressText(local) };
}

/** The other end of a socket; undefined when that is gone. A Unix socket's is our own. */
export function peerOfSocket(fd: number): string | undefined {
  const peer = peerAddress(fd);
  if (peer === undefined) return undefined;
  return peer.family === "unix" ? "unix:" : addressText(peer);
}
