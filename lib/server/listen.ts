// Listening conns: one for each address, bound by Deno.listen, accepted from by descriptor.
//
// A connection must never be a Deno.TcpConn: closing one shuts the socket down for every duplicate,
// and one left open wakes Deno's reactor for each packet. So the listener's own descriptor is
// found, once, and connections are accepted from it directly.

import type { ListenManner } from "../config/listen_address.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import {
  type BoundAddress,
  listeningAddress,
  setNonBlocking,
  setTcpOptions,
} from "../sys/socket.ts";
import { bindListener, closeListener, planListeners } from "./listen_plan.ts";

/** A listening socket. */
export interface ListeningConn {
  /** Undefined for a socket that was open when the server started. */
  readonly listener: Deno.Listener | undefined;
  readonly fd: number;
  readonly address: BoundAddress;
  readonly manner: ListenManner;
}

/** Descriptors looked through for a listener: it is among the first that are open at start. */
const FD_SEARCH_MAX = 4096;

/** First descriptor that systemd passes on. Source: sd_listen_fds(3), SD_LISTEN_FDS_START. */
const INHERITED_FROM = 3;

/**
 * Opens every address that the settings name, or takes the sockets that systemd has opened.
 *
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export async function openListeners(settings: Settings): Promise<ListeningConn[]> {
  const { inherited } = settings;
  if (inherited.count > 0 && inherited.pid === Deno.pid) return takeInherited(settings);
  const conns: ListeningConn[] = [];
  using undo = new DisposableStack();
  undo.defer(() => closeListeners(conns));
  for (const plan of await planListeners(settings)) {
    const listener = bindListener(plan, conns.at(-1)?.listener?.addr, settings);
    if (listener !== undefined) conns.push(adopt(listener, plan.manner, conns));
  }
  undo.move();
  return conns;
}

/** Closes those that were opened here: the others are not ours to close. */
export function closeListeners(conns: readonly ListeningConn[]): void {
  for (const { listener } of conns) if (listener !== undefined) void closeListener(listener);
}

/** Finds the descriptor of a listener: a listening socket of its address that no other conn has. */
function adopt(
  listener: Deno.Listener,
  manner: ListenManner,
  open: readonly ListeningConn[],
): ListeningConn {
  for (let fd = INHERITED_FROM; fd < FD_SEARCH_MAX; fd++) {
    if (open.some((conn) => conn.fd === fd)) continue;
    const address = listeningAddress(fd);
    if (address !== undefined && isSame(address, listener.addr)) {
      if (address.family === "tcp") setTcpOptions(fd);
      return { listener, fd, address, manner };
    }
  }
  const text = JSON.stringify(listener.addr);
  throw new SettingsError(`cannot find the descriptor of ${text}`, ExitCode.OS_ERROR);
}

function isSame(bound: BoundAddress, address: Deno.Addr): boolean {
  if (bound.family === "unix") return "path" in address && bound.path === address.path;
  if (address.transport !== "tcp" || bound.port !== address.port) return false;
  if (bound.address.includes(":") !== address.hostname.includes(":")) return false;
  return bound.address === address.hostname || bound.address.includes(":");
}

/** The sockets that systemd has opened, in their order. */
function takeInherited(settings: Settings): ListeningConn[] {
  const { inherited, tls, bindingProtocol: protocol } = settings;
  return Array.from({ length: inherited.count }, (_, index) => {
    const fd = INHERITED_FROM + index;
    const address = listeningAddress(fd);
    if (address === undefined) {
      const reason = `descriptor ${fd} of LISTEN_FDS is not a listening stream socket`;
      throw new SettingsError(`failed to listen: ${reason}`, ExitCode.OS_ERROR);
    }
    setNonBlocking(fd);
    if (address.family === "tcp") setTcpOptions(fd);
    const isTls = tls && address.family === "tcp";
    const manner = { tls: isTls ? "server" : "none", protocol, tag: "" } as const;
    return { listener: undefined, fd, address, manner };
  });
}
