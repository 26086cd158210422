// The values of -l: where to listen.
//
// A value is a list, separated by commas or semicolons, of `*`, `host`, `host:port`, `[v6]:port` or
// a bare IPv6 address. memcached also allows a prefix per address, such as `notls:`.
// Source: memcached memcached.c, server_sockets().

import { ExitCode, notAvailable, SettingsError } from "./settings_error.ts";

/** One address to listen on. */
export interface ListenAddress {
  /** A name or a number, IPv6 without brackets; null for every address of the machine. */
  readonly host: string | null;
  /** 1..65535, or 0 for one that the kernel chooses. */
  readonly port: number;
}

const PREFIX = /^(?:notls|btls|mtls|proto\[[^\]]*\]|tag\[[^\]]*\]|tag_[^_]{1,8}_):/;

/**
 * Reads the values of `-l`; an address named twice counts once.
 *
 * @param port For addresses that name none; 0 lets the kernel choose.
 * @throws {SettingsError} With memcached's exit code for a socket that cannot be opened.
 */
export function parseListen(values: readonly string[], port: number): readonly ListenAddress[] {
  if (values.length === 0) return [{ host: null, port }];
  const addresses = new Map<string, ListenAddress>();
  for (const text of values.join(",").split(/[;,]/)) {
    const address = parseAddress(text.trim(), port);
    addresses.set(`${address.host} ${address.port}`, Object.freeze(address));
  }
  return [...addresses.values()];
}

function parseAddress(text: string, port: number): ListenAddress {
  const prefix = PREFIX.exec(text)?.[0];
  if (prefix !== undefined) throw notAvailable(`-l (listen) ${prefix}`);

  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1]!, port: parsePort(bracketed[2], port) };
  if (text === "" || text.startsWith("[")) throw badAddress(`Invalid address: "${text}"`);

  const [host, ownPort, ...more] = text.split(":");
  if (more.length > 0) return { host: text, port }; // Two colons or more: IPv6 without a port.
  if (host === "" || host === undefined) throw badAddress(`Invalid address: "${text}"`);
  return { host: host === "*" ? null : host, port: parsePort(ownPort, port) };
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
