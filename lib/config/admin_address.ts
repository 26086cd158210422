// The value of --admin: where the HTTP server of the operator listens.
//
// `9150` and `:9150` are of this machine only; else `host:9150`, `[v6]:9150`, or `*:9150` for every
// address.

import { ExitCode, SettingsError } from "./settings_error.ts";

/** One address for HTTP. */
export interface AdminAddress {
  /** A name or a number, IPv6 without brackets. */
  readonly host: string;
  /** 1..65535, or 0 for one that the kernel chooses. */
  readonly port: number;
}

/** Connections that it has at a time. */
export const ADMIN_CONNS_MAX = 64;

/** Descriptors for them, for the socket that listens, and for one that is refused. */
export const ADMIN_FDS = ADMIN_CONNS_MAX + 2;

const LOOPBACK = "127.0.0.1";
const ANY = "0.0.0.0";
const PORT_MAX = 65535;

/** Whether only this machine reaches what listens on `host`. */
export function isLoopback(host: string): boolean {
  return /^(?:127\.|localhost$|::1$)/.test(host);
}

/**
 * Reads the value of `--admin`.
 *
 * @throws {SettingsError} For anything but the forms above: a host without a port, too.
 */
export function parseAdmin(text: string): AdminAddress {
  const match = /^(?:\[([^\]]+)\]:|([^:[\]]*):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3] ?? NaN);
  if (!(port <= PORT_MAX)) {
    const message = `Cannot use --admin=${text}: must be port or address:port`;
    throw new SettingsError(message, ExitCode.USAGE);
  }
  const host = match?.[1] ?? match?.[2] ?? "";
  if (host === "*") return Object.freeze({ host: ANY, port });
  return Object.freeze({ host: host === "" ? LOOPBACK : host, port });
}
