// How a sub-command reaches the server: from its options and files to what opens a link.

import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import type { Given } from "../command_line/sub_command_line.ts";
import type { LinkOptions, TlsOptions } from "./server_link.ts";
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
    const authorities = ca === undefined
      ? []
      : [new TextDecoder().decode(await readOperatorFile(ca))];
    tls = { authorities, name };
  }
  return { address, tls, timeoutMs };
}

/**
 * Reads a file that an option names.
 *
 * @throws {SettingsError} With the path and the system's reason, when it cannot be read.
 */
export async function readOperatorFile(path: string): Promise<Uint8Array> {
  try {
    return await Deno.readFile(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const reason = error.message.split(" (os error")[0]!.split(": ")[0]!;
    throw new SettingsError(`memden: cannot read ${path}: ${reason}`, ExitCode.FAILURE);
  }
}
