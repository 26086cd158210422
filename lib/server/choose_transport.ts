// Which transport a server uses: native where system calls are allowed, else relay.

import type { Log } from "../base/operator_log.ts";
import type { Settings } from "../config/settings.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { canCallLibc } from "../sys/libc.ts";

/**
 * Chooses the transport. Warns when it chooses the slower one by itself.
 *
 * @throws {SettingsError} When `--transport=native` cannot be used, or another setting needs it.
 */
export function chooseTransport(settings: Settings, log: Log): "native" | "relay" {
  const { transport, udpPort, inherited, memoryFile } = settings;
  if (transport !== "relay" && canCallLibc) return "native";
  if (transport === "native") throw unusable("--transport=native");
  if (udpPort !== 0) throw unusable("-U (udp-port)");
  if (memoryFile !== null) throw unusable("-e (memory-file)");
  if (inherited.count > 0 && inherited.pid === Deno.pid) throw unusable("LISTEN_FDS");
  if (transport === "auto") {
    log.warn("using the relay transport: not allowed to call the C library, or none is known here");
  }
  return "relay";
}

function unusable(what: string): SettingsError {
  const reason = "it needs the native transport: Linux on x86-64 or arm64, and --allow-ffi";
  return new SettingsError(`memden: cannot use ${what}: ${reason}`, ExitCode.OS_ERROR);
}
