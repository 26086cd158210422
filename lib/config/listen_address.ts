// The values of -l: where to listen.
//
// A value is a list, separated by commas or semicolons, of `*`, `host`, `host:port`, `[v6]:port` or
// a bare IPv6 address, each behind any of the prefixes below.
// Source: memcached memcached.c, server_sockets().

import { ExitCode, notAvailable, SettingsError } from "./settings_error.ts";

/** What a connection may speak; `auto` tells by its first byte. */
export type BindingProtocol = "auto" | "ascii" | "binary";

/**
 * Whether a listener speaks TLS. `server` asks for a client's certificate as ssl_verify_mode says,
 * `basic` never does, and `mutual` demands it.
 */
export type TlsMode = "none" | "server" | "basic" | "mutual";

/** How the connections of one listener are served. */
export interface ListenerOptions {
  readonly tls: TlsMode;
  readonly protocol: BindingProtocol;
  /** A name for these connections; empty for none. */
  readonly tag: string;
}

/** Whether connections are served alike. */
export function sameListenerOptions(a: ListenerOptions, b: ListenerOptions): boolean {
  return a.tls === b.tls && a.protocol === b.protocol && a.tag === b.tag;
}

/** One address to listen on. */
export interface ListenAddress extends ListenerOptions {
  /** A name or a number, IPv6 without brackets; null for every address of the machine. */
  readonly host: string | null;
  /** 1..65535, or 0 for one that the kernel chooses. */
  readonly port: number;
}

/** What `proto[…]:` may name, by memcached's word for it. */
const PROTOCOLS: Readonly<Record<string, BindingProtocol>> = {
  ascii: "ascii",
  binary: "binary",
  negotiating: "auto",
};

const TLS_PREFIXES: Readonly<Record<string, TlsMode>> = {
  notls: "none",
  btls: "basic",
  mtls: "mutual",
};

/** Most characters of a tag. Source: memcached, restart.h and proto_proxy.h, conntag. */
const TAG_MAX = 8;

const PREFIX = /^(?:(notls|btls|mtls)|proto\[([^\]]*)\]|tag\[([^\]]*)\]|tag_([^_:]*)_):/;

/**
 * Reads the values of `-l`; an address named twice counts once.
 *
 * @param port For addresses that name none; 0 lets the kernel choose.
 * @param options Of addresses without a prefix.
 * @throws {SettingsError} With memcached's exit code for a socket that cannot be opened.
 */
export function parseListen(
  values: readonly string[],
  port: number,
  options: ListenerOptions,
): readonly ListenAddress[] {
  if (values.length === 0) return [{ host: null, port, ...options }];
  const addresses = new Map<string, ListenAddress>();
  for (const text of values.join(",").split(/[;,]/)) {
    if (text.trim() === "") continue; // A comma too many, as memcached has it.
    const address = parseAddress(text.trim(), port, options);
    addresses.set(`${address.host} ${address.port}`, Object.freeze(address));
  }
  if (addresses.size === 0) throw badAddress(`Invalid address: "${values.join(",")}"`);
  return [...addresses.values()];
}

function parseAddress(text: string, port: number, options: ListenerOptions): ListenAddress {
  let rest = text;
  const own = { ...options };
  for (let match = PREFIX.exec(rest); match !== null; match = PREFIX.exec(rest)) {
    const [prefix, tls, protocol, tag, oldTag] = match;
    rest = rest.slice(prefix.length);
    if (tls !== undefined) own.tls = tlsOf(tls, prefix, options);
    else if (protocol !== undefined) own.protocol = protocolOf(protocol);
    else own.tag = tagOf(tag ?? oldTag ?? "");
  }
  return { ...parseHostAndPort(rest, port), ...own };
}

function parseHostAndPort(text: string, port: number): { host: string | null; port: number } {
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1]!, port: parsePort(bracketed[2], port) };
  if (text === "" || text.startsWith("[")) throw badAddress(`Invalid address: "${text}"`);

  const [host, ownPort, ...more] = text.split(":");
  if (more.length > 0) return { host: text, port }; // Two colons or more: IPv6 without a port.
  if (host === "" || host === undefined) throw badAddress(`Invalid address: "${text}"`);
  return { host: host === "*" ? null : host, port: parsePort(ownPort, port) };
}

function tlsOf(word: string, prefix: string, { tls }: ListenerOptions): TlsMode {
  const mode = TLS_PREFIXES[word]!;
  if (mode !== "none" && tls === "none") throw badAddress(`Cannot use ${prefix} without -Z`);
  return mode;
}

function protocolOf(word: string): BindingProtocol {
  const protocol = PROTOCOLS[word];
  if (word === "proxy") throw notAvailable("-l (listen) proto[proxy]:");
  if (protocol === undefined) throw badAddress(`Invalid protocol: "${word}"`);
  return protocol;
}

function tagOf(tag: string): string {
  if (tag.length >= 1 && tag.length <= TAG_MAX) return tag;
  throw badAddress(`Invalid tag: "${tag}" (1 to ${TAG_MAX} characters)`);
}

function parsePort(text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const port = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535)) throw badAddress(`Invalid port number: "${text}"`);
  return port;
}

function badAddress(message: string): SettingsError {
  return new SettingsError(message, ExitCode.OS_ERROR);
}
