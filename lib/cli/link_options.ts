// How a sub-command reaches the server: from its options and files to what opens a link.

import { ExitCode, SettingsError } from "../config/settings_error.ts";
import type { Given } from "./command_line.ts";
import type { LinkOptions, TlsOptions } from "./link.ts";
import { parseServerAddress } from "./server_address.ts";

/**
 * Reads the address and the options of TLS. Each of them asks for TLS, which is never left out in
 * silence.
 *
 * @throws {SettingsError} For an address that is none, and for a file that cannot be read.
 */
export async function linkOptions(given: Given, timeoutMs: number): Promise<LinkOptions> {
  const address = parseServerAddress(given.operand);
  const ca = given.text("ca");
  const name = given.text("tls-name");
  let tls: TlsOptions | undefined = undefined;
  if (given.has("tls") || ca !== undefined || name !== undefined) {
    const authority = ca === undefined
      ? []
      : [await Deno.readTextFile(ca).then((text) => text, unreadable(ca))];
    tls = { authorities: authority, name };
  }
  return { address, tls, timeoutMs };
}

/** What turns an error of reading a file into a message. */
export function unreadable(path: string): (error: Error) => never {
  return ({ message }) => {
    const reason = message.split(" (os error")[0]!.split(": ")[0]!;
    throw new SettingsError(`memden: cannot read ${path}: ${reason}`, ExitCode.FAILURE);
  };
}
