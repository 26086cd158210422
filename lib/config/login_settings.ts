// Whether clients must log in (`-S`, `-Y`), and what does not go together with that.

import type { ListenAddress } from "./listen_address.ts";
import { ExitCode, SettingsError } from "./settings_error.ts";

/** How clients log in; at most one of the two ways. */
export interface LoginSettings {
  /** By SASL, over the binary protocol. */
  readonly sasl: boolean;
  /** File of logins for SASL; null for none. */
  readonly saslFile: string | null;
  /** File of logins for the text protocol; null for no login. */
  readonly authFile: string | null;
}

interface Ways extends LoginSettings {
  readonly udpPort: number;
  readonly listen: readonly ListenAddress[];
}

/**
 * Refuses what would leave a way around a login. The sentences are memcached's.
 *
 * @param asked The protocol that `-B` names; null without it.
 * Source: memcached main(), settings.sasl and settings.auth_file.
 */
export function checkLogins(settings: Ways, asked: string | null): void {
  const { sasl, saslFile, authFile, udpPort, listen } = settings;
  const speaksOtherThan = (protocol: string): boolean =>
    (asked ?? protocol) !== protocol || listen.some((address) => address.protocol !== protocol);
  if (sasl) {
    if (speaksOtherThan("binary")) {
      refuse("ERROR: You cannot allow the ASCII protocol while using SASL.");
    }
    if (udpPort !== 0) {
      refuse("ERROR: Cannot enable UDP while using binary SASL authentication.");
    }
  }
  if (authFile !== null) {
    if (sasl || speaksOtherThan("ascii")) {
      refuse(
        "ERROR: You cannot allow the BINARY protocol while using ascii authentication tokens.",
      );
    }
    if (udpPort !== 0) {
      refuse("Cannot use UDP with ascii authentication enabled (-U 0 to disable)");
    }
  }
  if (sasl && saslFile === null) {
    const message = "Error initializing sasl: MEMCACHED_SASL_PWDB must name a file of logins, a " +
      "line user:password for each (no sasldb and no SASL_CONF_PATH is read)";
    throw new SettingsError(message, ExitCode.OS_ERROR);
  }
}

function refuse(message: string): never {
  throw new SettingsError(message, ExitCode.USAGE);
}
