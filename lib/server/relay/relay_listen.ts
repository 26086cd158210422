// Listening sockets of the relay transport: Deno.listen, on the thread that accepts from them.
//
// Deno.listen binds and listens at once, and leaves a socket of IPv6 to take IPv4 as well. So where
// the C library can be called a reservation holds each address from the start of the server on: a
// socket that is bound and never listens; both have SO_REUSEADDR, and Linux lets them stand beside
// each other. Any address of both families is one socket of IPv6.

import { sameListenerOptions } from "../../config/listen_address.ts";
import type { Settings } from "../../config/settings.ts";
import { bindInternet } from "../../sys/bind.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { type BoundAddress, closeFd } from "../../sys/socket.ts";
import { boundAddress, isMapped } from "../listen/address_text.ts";
import { portOfSocket, refusalOf, refusalOfError } from "../listen/bind_refusal.ts";
import {
  ANY_V4,
  ANY_V6,
  bindEach,
  cannotListen,
  type ListenPlan,
  nameOfPlan,
  planListeners,
  Refusal,
  type RelayListenPlan,
} from "../listen/listen_plan.ts";
import {
  IN_USE,
  inodeOf,
  isServed,
  removeIfAllowed,
  removeStale,
  SocketFile,
  withMode,
} from "../listen/unix_socket.ts";

/**
 * Every socket that the settings ask for, any address of both families as one.
 *
 * @param warn Learns which addresses are left out.
 * @throws {SettingsError} For a name that has no address, and a path that another server has.
 */
export async function planRelayListeners(
  settings: Settings,
  warn: (line: string) => void,
): Promise<RelayListenPlan[]> {
  const plans = await planListeners(settings, warn);
  for (const plan of plans) {
    const isTaken = "path" in plan.at && await isServed(plan.at.path);
    if (isTaken) throw cannotListen(nameOfPlan(plan), IN_USE);
  }
  return joinFamilies(plans);
}

/** Leaves out each any address of IPv4 where one of IPv6 for the same port takes its clients. */
export function joinFamilies(plans: readonly ListenPlan[]): RelayListenPlan[] {
  const joined = plans.map((plan): RelayListenPlan => ({ ...plan, isDual: false }));
  for (const v4 of plans.filter(({ at }) => isAt(at, ANY_V4))) {
    const index = joined.findIndex((plan) => isAt(plan.at, ANY_V6) && isPair(v4, plan));
    if (index < 0) continue;
    joined[index] = { ...joined[index]!, isDual: true };
    joined.splice(joined.findIndex((plan) => isAt(plan.at, ANY_V4) && isPair(v4, plan)), 1);
  }
  return joined;
}

function isAt(at: ListenPlan["at"], hostname: string): boolean {
  return "hostname" in at && at.hostname === hostname;
}

/** Whether two plans are for one port, which may be one that the kernel is yet to choose. */
function isPair(a: ListenPlan, b: ListenPlan): boolean {
  return a.port === b.port && (a.port !== 0 || a.entry === b.entry) &&
    sameListenerOptions(a.options, b.options);
}

/** Addresses that are held for the acceptor. */
export interface Reservation {
  /** What the acceptor is to listen on; with ports, where they are known by now. */
  readonly plans: readonly RelayListenPlan[];
  /** Gives the addresses up: the acceptor has them, or nobody wants them. */
  release(): void;
}

/**
 * Holds every address from now on, as far as that can be done.
 *
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export function reserve(plans: readonly RelayListenPlan[]): Reservation {
  if (!canCallLibc) return { plans, release: () => {} };
  const NOT_HELD = -1;
  const held: { readonly plan: RelayListenPlan; readonly fd: number }[] = [];
  using undo = new DisposableStack();
  undo.defer(() => {
    for (const { fd } of held) if (fd >= 0) closeFd(fd);
  });
  bindEach(plans, held, {
    bind: orV4((plan: RelayListenPlan, port: number) => {
      const { at, isDual } = plan;
      if ("path" in at) return { plan, fd: NOT_HELD };
      const isWide = isDual || at.hostname === ANY_V6; // As Deno.listen has it.
      const fd = bindInternet("stream", at.hostname, port, isWide);
      return fd < 0 ? refusalOf(-fd) : { plan: { ...plan, port: portOfSocket(fd) }, fd };
    }),
    portOf: ({ plan }) => plan.port,
    nameOf: nameOfPlan,
  });
  const all = undo.move();
  return { plans: held.map(({ plan }) => plan), release: () => all.dispose() };
}

/** `bind` that takes IPv4 alone where both families were meant, and this machine has no IPv6. */
function orV4<Bound>(
  bind: (plan: RelayListenPlan, port: number, index: number) => Bound | Refusal,
): typeof bind {
  return (plan, port, index) => {
    const socket = bind(plan, port, index);
    const isAbsent = socket instanceof Refusal && socket.cause === "absent";
    if (!isAbsent || !plan.isDual) return socket;
    return bind({ ...plan, at: { hostname: ANY_V4 }, isDual: false }, port, index);
  };
}

/** A listening socket of the relay. */
export class RelayListener {
  readonly listener: Deno.Listener;
  readonly plan: RelayListenPlan;
  /** Which plan of all that is. */
  readonly index: number;
  readonly #file: SocketFile | undefined;

  private constructor(listener: Deno.Listener, plan: RelayListenPlan, index: number) {
    this.listener = listener;
    this.plan = plan;
    this.index = index;
    this.#file = "path" in plan.at ? new SocketFile(plan.at.path) : undefined;
  }

  /**
   * Listens on all of `plans`; the sockets go into `bound`, also those before one that fails.
   *
   * @throws {SettingsError} With memcached's exit code when one cannot be bound.
   */
  static async open(
    plans: readonly RelayListenPlan[],
    bound: RelayListener[],
    settings: Settings,
  ): Promise<void> {
    for (const plan of plans) {
      if (!("path" in plan.at)) continue;
      if (await isServed(plan.at.path)) throw cannotListen(nameOfPlan(plan), IN_USE);
      removeStale(plan.at.path);
    }
    bindEach(plans, bound, {
      bind: orV4((plan: RelayListenPlan, port: number, index: number) => {
        const listener = listenAt(plan, port, settings);
        return listener instanceof Refusal ? listener : new RelayListener(listener, plan, index);
      }),
      portOf: ({ listener: { addr } }) => addr.transport === "tcp" ? addr.port : 0,
      nameOf: nameOfPlan,
    });
  }

  /** Addresses at which clients reach it: two where one socket takes both families. */
  get addresses(): readonly BoundAddress[] {
    const address = boundAddress(this.listener.addr);
    if (!this.plan.isDual || address.family !== "tcp") return [address];
    return [{ ...address, address: ANY_V4 }, address];
  }

  /** Whether a client came by IPv4 to a socket that was meant for IPv6 alone. */
  isStranger(conn: Deno.Conn): boolean {
    const { at, isDual } = this.plan;
    if (isDual || !("hostname" in at) || at.hostname !== ANY_V6) return false;
    return conn.remoteAddr.transport === "tcp" && isMapped(conn.remoteAddr.hostname);
  }

  /**
   * Closes it. With a Unix socket Deno removes its path, whoever has it by now: what another server
   * has bound there since is put aside, and back.
   *
   * @returns When that is done, where it takes time: Deno ends what waits for connections first.
   */
  close(): Promise<void> | undefined {
    const file = this.#file;
    if (!file?.isReplaced) {
      this.listener.close();
      return undefined;
    }
    const aside = `${file.path}.${Deno.pid}`;
    const isAside = link(file.path, aside);
    this.listener.close();
    return isAside ? putBack(aside, file.path, performance.now() + REMOVAL_MS_MAX) : undefined;
  }
}

function listenAt(
  { at }: RelayListenPlan,
  port: number,
  { backlog: tcpBacklog, socketMask }: Settings,
): Deno.Listener | Refusal {
  try {
    if (!("path" in at)) return Deno.listen({ hostname: at.hostname, port, tcpBacklog });
    return withMode(socketMask, () => Deno.listen({ transport: "unix", path: at.path }));
  } catch (error) {
    return refusalOfError(error as Error);
  }
}

/** Gives the file at `path` a second name; false where it cannot have one. */
function link(path: string, name: string): boolean {
  try {
    Deno.linkSync(path, name);
    return true;
  } catch {
    return false;
  }
}

/** How long Deno may take to remove the path of a socket, in milliseconds. */
const REMOVAL_MS_MAX = 200;

/** Puts a socket back in its place once Deno has removed it there. */
async function putBack(aside: string, path: string, deadline: number): Promise<void> {
  while (inodeOf(path) !== undefined && performance.now() <= deadline) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  try {
    Deno.renameSync(aside, path);
  } catch {
    // The folder is gone, or not ours any more.
  }
  removeIfAllowed(aside); // rename(2) does nothing where both names are of one file.
}
