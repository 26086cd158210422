// Listening conns of the native transport: bound by system calls, one for each address, and
// accepted from by descriptor. They are bound before anything else is done, as root may have to,
// and listen when there is nothing left that could keep the server from answering.
//
// Not by Deno.listen, which cannot bind without listening, nor keep a socket of IPv6 to IPv6
// (docs/decisions/0034-bind-early-listen-last.md).

import { assert } from "../../base/assert.ts";
import type { ListenerOptions } from "../../config/listen_address.ts";
import type { Settings } from "../../config/settings.ts";
import { bindInternet, bindUnix, listenOn } from "../../sys/bind.ts";
import { errorText } from "../../sys/libc.ts";
import {
  type BoundAddress,
  closeFd,
  listeningAddress,
  localAddress,
  setNonBlocking,
  setTcpOptions,
} from "../../sys/socket.ts";
import { portOfSocket, refusalOf } from "./bind_refusal.ts";
import {
  bindEach,
  cannotListen,
  type ListenPlan,
  nameOfPlan,
  planListeners,
  type Refusal,
} from "./listen_plan.ts";
import { IN_USE, isServed, removeStale, SocketFile, withMode } from "./unix_socket.ts";

/** A socket to listen on. */
export interface ListeningConn {
  readonly fd: number;
  readonly address: BoundAddress;
  readonly options: ListenerOptions;
  /** What the message of a failure calls it; undefined where somebody else has it listen. */
  readonly name: string | undefined;
  /** Of a Unix socket that was bound here. */
  readonly file: SocketFile | undefined;
}

/** First descriptor that systemd passes on. Source: sd_listen_fds(3), SD_LISTEN_FDS_START. */
const INHERITED_FROM = 3;

/**
 * Binds every address that the settings name, or takes the sockets that systemd has opened. Those
 * listen already: who connects to one waits until connections are accepted.
 *
 * @param warn Learns which addresses are left out.
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export async function openListeners(
  settings: Settings,
  warn: (line: string) => void,
): Promise<ListeningConn[]> {
  const { inherited } = settings;
  if (inherited.count > 0 && inherited.pid === Deno.pid) return takeInherited(settings);
  const plans = await planListeners(settings, warn);
  for (const plan of plans) if ("path" in plan.at) await claimPath(plan, plan.at.path);
  const conns: ListeningConn[] = [];
  using undo = new DisposableStack();
  undo.defer(() => closeListeners(conns));
  bindEach(plans, conns, {
    bind: (plan, port) => bindPlan(plan, port, settings),
    portOf: ({ fd }) => portOfSocket(fd),
    nameOf: nameOfPlan,
  });
  undo.move();
  return conns;
}

/** Makes room for a Unix socket. @throws {SettingsError} When another server has the path. */
async function claimPath(plan: ListenPlan, path: string): Promise<void> {
  if (await isServed(path)) throw cannotListen(nameOfPlan(plan), IN_USE);
  removeStale(path);
}

function bindPlan(plan: ListenPlan, port: number, settings: Settings): ListeningConn | Refusal {
  const { at, options } = plan;
  const fd = "path" in at
    ? withMode(settings.socketMask, () => bindUnix(at.path))
    : bindInternet("stream", at.hostname, port);
  if (fd < 0) return refusalOf(-fd);
  if (!("path" in at)) setTcpOptions(fd);
  const file = "path" in at ? new SocketFile(at.path) : undefined;
  const address = localAddress(fd);
  assert(address !== undefined, "A socket that is bound has no address");
  return { fd, address, options, name: nameOfPlan(plan), file };
}

/**
 * Lets clients connect.
 *
 * @throws {SettingsError} With memcached's exit code when another server was faster: two that are
 * started at one time can both bind, and the path of a Unix socket can be taken away.
 */
export function startListening(conns: readonly ListeningConn[], backlog: number): void {
  for (const { fd, name, file } of conns) {
    if (name === undefined) continue;
    if (file?.isLost) throw cannotListen(name, IN_USE);
    const result = listenOn(fd, backlog);
    if (result < 0) throw cannotListen(name, errorText(-result));
  }
}

/** Closes those that were bound here: the others are not ours to close. */
export function closeListeners(conns: readonly ListeningConn[]): void {
  for (const { fd, name, file } of conns) {
    if (name === undefined) continue;
    file?.remove();
    closeFd(fd);
  }
}

/** The sockets that systemd has opened, in their order. */
function takeInherited(settings: Settings): ListeningConn[] {
  const { inherited, tls, bindingProtocol: protocol } = settings;
  return Array.from({ length: inherited.count }, (_, index) => {
    const fd = INHERITED_FROM + index;
    const address = listeningAddress(fd);
    if (address === undefined) {
      const reason = "it is not a listening stream socket";
      throw cannotListen(`descriptor ${fd} of LISTEN_FDS`, reason);
    }
    setNonBlocking(fd);
    if (address.family === "tcp") setTcpOptions(fd);
    const isTls = tls && address.family === "tcp";
    const options = { tls: isTls ? "server" : "none", protocol, tag: "" } as const;
    return { fd, address, options, name: undefined, file: undefined };
  });
}
