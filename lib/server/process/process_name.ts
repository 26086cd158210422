// The name of the process, for `ps`, `pgrep` and `pkill`.
//
// Scripts that end a memcached do so by `pkill -USR1 memcached`. The kernel names a process after
// its executable, which would be deno.

import { FORM } from "../../base/program.ts";
import { readKernelFile, setProcessName } from "../../sys/process.ts";

const OWN_NAME = "memden";
/** Names that the process may have been called by, besides its own. */
const STAND_INS: readonly string[] = ["memcached"];
/** Enough of the words of a process for the first one. */
const ARGV_BYTES_MAX = 4096;

/** Names this process: as given, or else after what it was called as. */
export function nameProcess(given: string | null): void {
  const words = readKernelFile("/proc/self/cmdline", ARGV_BYTES_MAX) ?? new Uint8Array();
  const [calledAs = ""] = new TextDecoder().decode(words).split("\0");
  setProcessName(given ?? nameFor(calledAs, FORM === "compiled"));
}

/**
 * The name for a process that was called as `calledAs`, a path: through a link named memcached, or
 * by a shell's `exec -a memcached`.
 *
 * @param isStandalone Whether that is memden's own executable, so that any name is its own.
 */
export function nameFor(calledAs: string, isStandalone: boolean): string {
  const name = calledAs.slice(calledAs.lastIndexOf("/") + 1);
  const isOurs = name !== "" && (isStandalone || STAND_INS.includes(name));
  return isOurs ? name : OWN_NAME;
}
