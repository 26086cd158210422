// Where a sub-command finds the server: the text on the command line, and the address it means.
//
//   host, host:port, [v6]:port, [v6], v6     TCP; without a port 11211
//   unix:/path, or anything with a slash     a Unix socket

import { ExitCode, SettingsError } from "../../config/settings_error.ts";

/** An address to connect to. */
export type ServerAddress =
  | { readonly hostname: string; readonly port: number }
  | { readonly path: string };

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 11211;
const PORT_MAX = 65535;

/**
 * Reads an address.
 *
 * @param text Any of the forms above; empty for this machine and memcached's port.
 * @throws {SettingsError} For a port that is none, and for characters that no address has.
 */
export function parseServerAddress(text: string): ServerAddress {
  if (text.startsWith("unix:")) return { path: text.slice("unix:".length) };
  if (text.includes("/")) return { path: text };
  const match = /^(?:\[([\da-f:.%]+)\]|([\w.-]*))(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) {
    if (/^[\da-f.]*:[\da-f.]*:[\da-f:.]*(?:%\w+)?$/i.test(text)) {
      return { hostname: text, port: DEFAULT_PORT };
    }
    throw unusable(text);
  }
  const [, v6, host = "", port] = match;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (number === 0 || number > PORT_MAX) throw unusable(text);
  return { hostname: v6 ?? (host === "" ? DEFAULT_HOST : host), port: number };
}

/** The address as messages name it: `127.0.0.1:11211`, `[::1]:11211`, `unix:/path`. */
export function labelOf(address: ServerAddress): string {
  if ("path" in address) return `unix:${address.path}`;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function unusable(text: string): SettingsError {
  const message = `memden: cannot use ${text}: must be host, host:port, [v6]:port or unix:/path`;
  return new SettingsError(message, ExitCode.FAILURE);
}
