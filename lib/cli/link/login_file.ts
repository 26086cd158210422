// The file of `--auth-file`: the login that a sub-command uses, in the form of the server's `-Y`.

import { latin1 } from "../../base/ascii.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { readOperatorFile } from "./link_options.ts";

/**
 * Reads the login in the first line, `user:password`. The text of the line is in no message.
 *
 * @returns What a server expects as the value of a `set`: name, space, password; one character for
 * each byte.
 * @throws {SettingsError} When there is none.
 */
export async function readLogin(path: string): Promise<string> {
  const [line = ""] = latin1(await readOperatorFile(path)).split(/\r?\n/, 1);
  const colon = line.indexOf(":");
  if (colon > 0) return `${line.slice(0, colon)} ${line.slice(colon + 1)}`;
  const message = `memden: the first line of ${path} is no user:password`;
  throw new SettingsError(message, ExitCode.FAILURE);
}
