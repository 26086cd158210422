// Which sockets the settings ask for, and how one is bound. Both transports listen by these.

import { lookup } from "node:dns/promises";
import type { ListenAddress, ListenManner } from "../config/listen_address.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";

/** What an address can be bound for. */
type IpProtocol = "TCP" | "UDP";

/** What sockets of any kind have. */
interface SocketPlan {
  /** 0 for one that the kernel chooses, or that of the plan before. Nothing for a Unix socket. */
  readonly port: number;
  readonly manner: ListenManner;
  /** Where it cannot be bound the plan before is enough. */
  readonly optional: boolean;
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

/** Any address, once for each family. */
const ANY_V4 = "0.0.0.0";
const ANY_V6 = "::";

/** A Unix socket is never encrypted. Source: memcached memcached.c, server_socket_unix. */
const PLAIN: ListenManner = { tls: "none", protocol: "auto", tag: "" };

/**
 * Every socket that the settings ask for. Names are looked up, and all their addresses taken.
 *
 * @throws {SettingsError} With memcached's exit code for a name that has no address.
 */
export async function planListeners(settings: Settings): Promise<ListenPlan[]> {
  const plans: ListenPlan[] = [];
  const { socketPath, bindingProtocol: protocol } = settings;
  if (socketPath !== null) {
    const manner = { ...PLAIN, protocol };
    plans.push({ at: { path: socketPath }, port: 0, manner, optional: false });
  }
  for (const { hostname, ...plan } of await planAddresses(settings.listen, "TCP")) {
    plans.push({ at: { hostname }, ...plan });
  }
  return plans;
}

/**
 * Every address that is meant by `listen`, as a number.
 *
 * @throws {SettingsError} With memcached's exit code for a name that has no address.
 */
export async function planAddresses(
  listen: readonly ListenAddress[],
  protocol: IpProtocol,
): Promise<AddressPlan[]> {
  const plans: AddressPlan[] = [];
  for (const { host, port, ...manner } of listen) {
    const names = host === null ? [ANY_V4, ANY_V6] : await addressesOf(host, port, protocol);
    for (const hostname of names) {
      // Where IPv6 is off, or takes IPv4 too, one socket is enough.
      plans.push({ hostname, port, manner, optional: host === null && hostname === ANY_V6 });
    }
  }
  return plans;
}

/** Every address of a name, as numbers. */
async function addressesOf(host: string, port: number, protocol: IpProtocol): Promise<string[]> {
  if (isNumeric(host)) return [host];
  const found = await lookup(host, { all: true }).then(
    (addresses) => addresses.map(({ address }) => address),
    () => [],
  );
  if (found.length === 0) throw cannotListen(port, `${host} has no address`, protocol);
  return [...new Set(found)];
}

function isNumeric(host: string): boolean {
  return host.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

/**
 * Binds one socket.
 *
 * @param last The plan's listener before it, whose port an address of the same name shares.
 * @returns undefined for one that is optional and cannot be had.
 * @throws {SettingsError} When it cannot be bound.
 */
export function bindListener(
  { at, port, optional }: ListenPlan,
  last: Deno.Addr | undefined,
  settings: Settings,
): Deno.Listener | undefined {
  if ("path" in at) return bindUnix(at.path, settings);
  const shared = optional && last?.transport === "tcp" ? last.port : port;
  const listener = tryListen(() =>
    Deno.listen({
      hostname: at.hostname,
      port: shared,
      transport: "tcp",
      tcpBacklog: settings.backlog,
    })
  );
  if (!(listener instanceof Error)) return listener;
  if (optional) return undefined;
  throw cannotListen(port, reasonOf(listener));
}

/** Binds the Unix socket, in place of one that is left from before. */
function bindUnix(path: string, settings: Settings): Deno.Listener {
  if (isSocket(path)) Deno.removeSync(path);
  const before = Deno.umask(~settings.socketMask & 0o777);
  const listener = tryListen(() => Deno.listen({ transport: "unix", path }));
  Deno.umask(before);
  if (!(listener instanceof Error)) {
    inodes.set(listener, inodeOf(path));
    return listener;
  }
  const message = `failed to listen on UNIX socket: ${path}: ${reasonOf(listener)}`;
  throw new SettingsError(message, ExitCode.OS_ERROR);
}

/** The inode of each Unix socket that was bound here. */
const inodes = new WeakMap<Deno.Listener, number | undefined>();

/** The inode at `path`; undefined when nothing is there. */
function inodeOf(path: string): number | undefined {
  const found = tryListen(() => Deno.lstatSync(path));
  return found instanceof Error ? undefined : found.ino ?? undefined;
}

/** How long Deno may take to remove the path of a socket, in milliseconds. */
const REMOVAL_MS_MAX = 200;

/**
 * Closes a listener. With a Unix socket Deno removes its path, whoever has it by now: what another
 * server has bound there since is put aside, and back.
 *
 * @returns When that is done, where it takes time: Deno ends what waits for connections first.
 */
export function closeListener(listener: Deno.Listener): Promise<void> | undefined {
  const path = "path" in listener.addr ? listener.addr.path : undefined;
  const now = path === undefined ? undefined : inodeOf(path);
  if (path === undefined || now === undefined || now === inodes.get(listener)) {
    listener.close();
    return undefined;
  }
  const aside = `${path}.${Deno.pid}`;
  const isAside = !(tryListen(() => Deno.linkSync(path, aside)) instanceof Error);
  listener.close();
  return isAside ? putBack(aside, path, performance.now() + REMOVAL_MS_MAX) : undefined;
}

/** Puts a socket back in its place once Deno has removed it there. */
function putBack(aside: string, path: string, deadline: number): Promise<void> | undefined {
  if (inodeOf(path) === undefined || performance.now() > deadline) {
    tryListen(() => Deno.renameSync(aside, path));
    tryListen(() => Deno.removeSync(aside)); // Two names of one file are not renamed.
    return undefined;
  }
  return new Promise<void>((resolve) => setTimeout(resolve, 1)).then(() =>
    putBack(aside, path, deadline)
  );
}

/** What the system said, without its number. */
function reasonOf({ message }: Error): string {
  return message.replace(/ \(os error \d+\)$/, "");
}

function isSocket(path: string): boolean {
  const found = tryListen(() => Deno.lstatSync(path));
  return !(found instanceof Error) && found.isSocket === true;
}

/** What a call gives or throws: an address in use, or a missing file, is an ordinary outcome. */
function tryListen<T>(call: () => T): T | Error {
  try {
    return call();
    // deno-lint-ignore house/catch-place -- Deno reports an address in use by throwing.
  } catch (error) {
    return error as Error;
  }
}

function cannotListen(port: number, reason: string, protocol: IpProtocol = "TCP"): SettingsError {
  const message = `failed to listen on ${protocol} port ${port}: ${reason}`;
  return new SettingsError(message, ExitCode.OS_ERROR);
}
