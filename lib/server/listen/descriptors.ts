// Descriptors: how many a server may come to need, whether its threads can have theirs, and how
// many are left for clients.

import { ADMIN_FDS } from "../../config/admin_address.ts";
import type { Settings } from "../../config/settings.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { openSpareFd } from "../../sys/eventfd.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { descriptorLimit, raiseDescriptorLimit } from "../../sys/limits.ts";
import { closeFd } from "../../sys/socket.ts";
import { tryCall } from "./try_call.ts";

/** Those of a thread: its doorbell and epoll, and what the runtime has for each. */
const FDS_PER_THREAD = 8;
/** Threads besides the workers: the acceptor, the maintainer. */
const THREADS_OTHER = 2;
/** Those that are neither a thread's nor a client's: listeners, the main thread's, the log. */
const FDS_SPARE = 48;
/** Those that stay free of clients: to load what is loaded late, to read files again. */
const FDS_LATE = 16;
/** Most that are opened to see how many there are, where the limit is not known. */
const FDS_TRIED_MAX = 2048;

/** Descriptors that a server with these settings may come to need. */
export function descriptorsFor(settings: Settings): number {
  const { maxconns, threads } = settings;
  return maxconns + FDS_SPARE + FDS_PER_THREAD * (threads + THREADS_OTHER) + adminFds(settings);
}

/** Those that the admin server may come to take. */
function adminFds({ admin }: Settings): number {
  return admin === null ? 0 : ADMIN_FDS;
}

/**
 * Raises the limit on descriptors to what the settings need, as far as that is allowed. A start
 * that would run out of them before the first client is refused: where they end the runtime ends
 * the process, without a word of what was missing.
 *
 * @returns The limit in force.
 * @throws {SettingsError} With memcached's exit code for a limit that is too low.
 */
export function ensureDescriptors(settings: Settings): number {
  const { threads, listen, udpListen } = settings;
  const limit = raiseDescriptorLimit(descriptorsFor(settings));
  const sockets = 2 * (listen.length + udpListen.length);
  const needed = FDS_PER_THREAD * (threads + THREADS_OTHER) + sockets + FDS_LATE;
  const free = countFree(needed);
  if (free >= needed) return limit;
  const message = `failed to set rlimit for open files: ${threads} threads need ${needed} more, ` +
    `${free} are left. Try starting as root, a higher limit (ulimit -n), or fewer threads (-t)`;
  throw new SettingsError(message, ExitCode.OS_ERROR);
}

/**
 * How many connections there can be of those that the settings allow, now that everything else is
 * open. They are counted only where the limit is known to be low, or not known. What the admin
 * server may take is not left to clients: it cannot be taken from them then.
 */
export function connRoom(settings: Settings): number {
  const { maxconns } = settings;
  const limit = canCallLibc ? descriptorLimit() : FDS_TRIED_MAX;
  if (canCallLibc && limit >= descriptorsFor(settings)) return maxconns;
  const kept = FDS_LATE + adminFds(settings);
  const tried = Math.min(maxconns + kept, limit);
  const free = countFree(tried);
  return free < tried ? Math.max(1, free - kept) : maxconns;
}

/** How many of `count` descriptors can be opened. */
function countFree(count: number): number {
  using opened = new DisposableStack();
  for (let free = 0; free < count; free++) {
    if (canCallLibc) {
      const fd = openSpareFd();
      if (fd < 0) return free;
      opened.adopt(fd, closeFd);
    } else {
      const file = tryCall(() => Deno.openSync(NOWHERE));
      if (file instanceof Error) return isExhausted(file) ? free : count;
      opened.use(file);
    }
  }
  return count;
}

const NOWHERE = Deno.build.os === "windows" ? "NUL" : "/dev/null";

function isExhausted(error: Error & { readonly code?: string }): boolean {
  return error.code === "EMFILE" || error.code === "ENFILE";
}
