// Which sockets the settings ask for, and the order in which they are bound. Both transports listen
// by these.

import { lookup } from "node:dns/promises";
import type { ListenAddress, ListenerOptions } from "../../config/listen_address.ts";
import type { Settings } from "../../config/settings.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";

/** What an address can be bound for. */
type IpProtocol = "TCP" | "UDP";

/** What sockets of any kind have. */
interface SocketPlan {
  /** 0 for one that the kernel chooses: one for all of an entry. Nothing for a Unix socket. */
  readonly port: number;
  readonly options: ListenerOptions;
  /**
   * Which entry of `-l` it comes from. Of several addresses of one entry, as a name has and all of
   * the machine are, those that this machine does not have may be left out.
   */
  readonly entry: number;
}

/** One address to bind. */
export interface AddressPlan extends SocketPlan {
  /** As a number. */
  readonly hostname: string;
}

/** One socket to listen on. */
export interface ListenPlan extends SocketPlan {
  /** Where: an address as a number, or the path of a Unix socket. */
  readonly at: { readonly hostname: string } | { readonly path: string };
}

/** A socket of the relay to listen on. */
export interface RelayListenPlan extends ListenPlan {
  /** An address of IPv6 for which one of IPv4 is not to be bound: it takes both. */
  readonly isDual: boolean;
}

/** Any address, once for each family. */
export const ANY_V4 = "0.0.0.0";
export const ANY_V6 = "::";
const ANY: readonly string[] = [ANY_V4, ANY_V6];

/** A Unix socket is never encrypted. Source: memcached memcached.c, server_socket_unix. */
const PLAIN: ListenerOptions = { tls: "none", protocol: "auto", tag: "" };
/** The entry of the Unix socket: none of `-l`. */
const NO_ENTRY = -1;

/** Takes a line for the operator. */
type Warn = (line: string) => void;

/** Every address of a host name, as numbers; none for a name that has none. */
type Resolve = (host: string) => Promise<readonly string[]>;

/**
 * Every socket that the settings ask for. Names are looked up, and all their addresses taken.
 *
 * @param warn Learns which addresses are left out.
 * @throws {SettingsError} With memcached's exit code for a name that has no address.
 */
export async function planListeners(settings: Settings, warn: Warn): Promise<ListenPlan[]> {
  const plans: ListenPlan[] = [];
  const { socketPath, bindingProtocol: protocol } = settings;
  if (socketPath !== null) {
    const options = { ...PLAIN, protocol };
    plans.push({ at: { path: socketPath }, port: 0, options, entry: NO_ENTRY });
  }
  for (const { hostname, ...plan } of await planAddresses(settings.listen, "TCP", warn)) {
    plans.push({ at: { hostname }, ...plan });
  }
  return plans;
}

/**
 * Every address that is meant by `listen`, as a number.
 *
 * @param warn As in {@linkcode planListeners}.
 * @throws {SettingsError} With memcached's exit code for a name that has no address.
 */
export async function planAddresses(
  listen: readonly ListenAddress[],
  protocol: IpProtocol,
  warn: Warn,
  resolve: Resolve = lookUp,
): Promise<AddressPlan[]> {
  const plans: AddressPlan[] = [];
  for (const [entry, { host, port, ...options }] of listen.entries()) {
    const what = `${protocol} port ${port}`;
    const names = host === null ? ANY : await addressesOf(host, what, warn, resolve);
    for (const hostname of names) plans.push({ hostname, port, options, entry });
  }
  return plans;
}

/** A link-local address without its interface: no socket can be bound to it. Source: ipv6(7). */
const NO_SCOPE = /^fe[89ab][^%]*$/i;

/**
 * Every address of `host` that a socket can be bound to.
 *
 * @param what What the message of a failure calls the socket.
 */
async function addressesOf(
  host: string,
  what: string,
  warn: Warn,
  resolve: Resolve,
): Promise<string[]> {
  if (isNumeric(host)) return [host];
  const found = [...new Set(await resolve(host))];
  if (found.length === 0) throw cannotListen(what, `${host} has no address`);
  const usable = found.filter((address) => !NO_SCOPE.test(address));
  if (usable.length === 0) {
    throw cannotListen(what, `${host} has only link-local addresses, without an interface`);
  }
  for (const address of found) {
    if (usable.includes(address)) continue;
    warn(`not listening on ${address} of ${host}: a link-local address needs an interface`);
  }
  return usable;
}

async function lookUp(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

function isNumeric(host: string): boolean {
  return host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/** Why a socket could not be bound. */
export class Refusal {
  /** `absent`: this machine does not have the address, or not its family. */
  readonly cause: "taken" | "absent" | "other";
  /** What the system says of it. */
  readonly reason: string;

  constructor(cause: Refusal["cause"], reason: string) {
    this.cause = cause;
    this.reason = reason;
  }
}

/** How {@linkcode bindEach} binds. */
export interface Binding<Plan, Bound> {
  /** Binds `plan`, number `index` of all, to `port`; 0 for one that the kernel chooses. */
  bind(plan: Plan, port: number, index: number): Bound | Refusal;
  portOf(bound: Bound): number;
  /** What the message of a failure calls it: `TCP port 11211`. */
  nameOf(plan: Plan): string;
}

/**
 * Binds all of `plans`, in order. The sockets go into `bound`, also those before one that fails.
 *
 * @throws {SettingsError} With memcached's exit code when one cannot be bound.
 */
export function bindEach<Plan extends SocketPlan, Bound>(
  plans: readonly Plan[],
  bound: Bound[],
  { bind, portOf, nameOf }: Binding<Plan, Bound>,
): void {
  let entry = NaN;
  let port = 0;
  let absent: Refusal | undefined;
  for (const [index, plan] of plans.entries()) {
    if (plan.entry !== entry) port = 0;
    entry = plan.entry;
    let socket = bind(plan, plan.port || port, index);
    // The port that the kernel chose for the address before is somebody else's on this one.
    if (socket instanceof Refusal && socket.cause === "taken" && plan.port === 0 && port !== 0) {
      socket = bind(plan, 0, index);
    }
    if (!(socket instanceof Refusal)) {
      bound.push(socket);
      port = portOf(socket);
    } else if (socket.cause !== "absent") throw cannotListen(nameOf(plan), socket.reason);
    else absent = socket;
    const isLast = plans[index + 1]?.entry !== entry;
    if (isLast && port === 0 && absent !== undefined) {
      throw cannotListen(nameOf(plan), absent.reason);
    }
    if (isLast) absent = undefined;
  }
}

/** What stops a server that cannot listen. @param what `TCP port 11211`, `UNIX socket: /path` */
export function cannotListen(what: string, reason: string): SettingsError {
  return new SettingsError(`failed to listen on ${what}: ${reason}`, ExitCode.OS_ERROR);
}

/** What the message of a failure calls a socket to listen on. */
export function nameOfPlan({ at, port }: ListenPlan): string {
  return "path" in at ? `UNIX socket: ${at.path}` : `TCP port ${port}`;
}
