// Descriptors: how many a server may need, whether its threads can have theirs, and how many are
// left for clients.

import { ADMIN_FDS } from "../../config/admin_address.ts";
import type { Settings } from "../../config/settings.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { openSpareFd } from "../../sys/eventfd.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { descriptorLimit, raiseDescriptorLimit } from "../../sys/limits.ts";
import { closeFd } from "../../sys/socket.ts";

/** Descriptors of a thread: its doorbell and epoll, and those that the runtime opens for it. */
const FDS_PER_THREAD = 8;
/** Threads besides the workers: the acceptor, the maintainer. */
const THREADS_OTHER = 2;
/** Other descriptors that are no client's: listeners, the main thread's, the log. */
const FDS_SPARE = 48;
/**
 * Descriptors kept from clients, for modules that are loaded late and files that are read again.
 */
const FDS_LATE = 16;
/** Most that {@linkcode countFree} opens where the limit is not known. */
const FDS_COUNTED_MAX = 2048;

/** Descriptors that a server with these settings may need. */
export function descriptorsFor(settings: Settings): number {
  const { maxconns, threads } = settings;
  return maxconns + FDS_SPARE + FDS_PER_THREAD * (threads + THREADS_OTHER) + adminFds(settings);
}

/** Descriptors that the admin server may need. */
function adminFds({ admin }: Settings): number {
  return admin === null ? 0 : ADMIN_FDS;
}

/**
 * Raises the limit on descriptors to what the settings need, as far as that is allowed. Refuses a
 * start that would run out of them before the first client: the runtime would end the process
 * without a message that names the cause.
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
 * How many connections there can be, at most `-c`. Call it when everything else is open.
 * Descriptors are counted only where the limit is too low or not known. Those of the admin server
 * are kept from clients.
 */
export function connRoom(settings: Settings): number {
  const { maxconns } = settings;
  const limit = canCallLibc ? descriptorLimit() : FDS_COUNTED_MAX;
  if (canCallLibc && limit >= descriptorsFor(settings)) return maxconns;
  const kept = FDS_LATE + adminFds(settings);
  const counted = Math.min(maxconns + kept, limit);
  const free = countFree(counted);
  return free < counted ? Math.max(1, free - kept) : maxconns;
}

/** How many of `count` descriptors can be opened: opens them, and closes them again. */
function countFree(count: number): number {
  using opened = new DisposableStack();
  for (let free = 0; free < count; free++) {
    if (canCallLibc) {
      const fd = openSpareFd();
      if (fd < 0) return free;
      opened.adopt(fd, closeFd);
      continue;
    }
    try {
      opened.use(Deno.openSync(NOWHERE));
    } catch (error) {
      return isExhausted(error as Error) ? free : count;
    }
  }
  return count;
}

const NOWHERE = Deno.build.os === "windows" ? "NUL" : "/dev/null";

function isExhausted(error: Error & { readonly code?: string }): boolean {
  return error.code === "EMFILE" || error.code === "ENFILE";
}
