// Settings of the admin server: where it listens, and whether it shows keys.

import { type AdminAddress, isLoopback, parseAdmin } from "./admin_address.ts";
import type { Values } from "./values.ts";

/** What the command line says of it. */
export interface AdminSettings {
  /** Where the HTTP server of the operator listens; null for none. */
  readonly admin: AdminAddress | null;
  /** Whether the admin server shows the most requested keys: see {@linkcode showsKeys}. */
  readonly adminKeys: boolean;
}

/** Settings that decide on keys. */
interface KeySettings extends AdminSettings {
  /** Whether clients may list keys (not `-X`). */
  readonly dumpEnabled: boolean;
}

/** @throws {SettingsError} For an address that is none. */
export function adminSettings(values: Values): AdminSettings {
  return {
    admin: values.isGiven("admin") ? parseAdmin(values.text("admin") ?? "") : null,
    adminKeys: values.isOn("admin-keys"),
  };
}

/**
 * Whether the admin server shows keys: only where that is asked for, as they can be personal data,
 * and not where clients may not list them (`-X`). Otherwise none is noted.
 */
export function showsKeys({ admin, adminKeys, dumpEnabled }: KeySettings): boolean {
  return admin !== null && adminKeys && dumpEnabled;
}

/** What to tell the operator: who can read what, and where `--admin-keys` does nothing. */
export function adminWarnings(settings: KeySettings): string[] {
  const { admin, adminKeys } = settings;
  const warnings: string[] = [];
  if (admin !== null && !isLoopback(admin.host)) {
    const shown = showsKeys(settings)
      ? "statistics, settings, warnings and the keys asked for most (--admin-keys)"
      : "statistics, settings and warnings, no keys,";
    warnings.push(
      `Warning: --admin is open beyond this machine: anyone can read ${shown} there; ` +
        "use 127.0.0.1, or a firewall",
    );
  }
  if (adminKeys && !showsKeys(settings)) {
    const reason = admin === null ? "without --admin" : "with -X";
    warnings.push(`Warning: --admin-keys shows nothing ${reason}`);
  }
  return warnings;
}
