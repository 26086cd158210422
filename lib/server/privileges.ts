// Who the server runs as: `-u`, once the ports are bound.

import type { Log } from "../base/log.ts";
import { ExitCode, SettingsError } from "../config/settings_error.ts";
import { canCallLibc } from "../sys/libc.ts";
import { dropPrivileges } from "../sys/limits.ts";

const ROOT = 0;
const PASSWD = "/etc/passwd";

/**
 * Tells the operator of a process that is root and is to stay so. memcached refuses to run as root
 * without `-u`. In a container root is the rule, so memden warns and runs.
 */
export function warnOfRoot(user: string | null, log: Log): void {
  if (user !== null || !mayAskUid() || Deno.uid() !== ROOT) return;
  log.warn("running as root: use -u USER to run as another user");
}

/**
 * Becomes `user` if the process is root; otherwise the wish is ignored, as memcached does.
 *
 * @param user A name or a numeric user id; null when none was asked for.
 * @param sockets Paths of Unix sockets that are to be that user's, as memcached's are.
 * @throws {SettingsError} When there is no such user.
 */
export function assumeUser(user: string | null, sockets: readonly string[] = []): void {
  if (user === null || !mayAskUid() || Deno.uid() !== ROOT) return;
  const entry = findUser(Deno.readTextFileSync(PASSWD), user);
  if (entry === undefined) {
    throw new SettingsError(`can't find the user ${user} to switch to`, ExitCode.NO_USER);
  }
  if (entry.uid === ROOT) return;
  if (!canCallLibc) {
    const reason = "not allowed to call the C library: run with --allow-ffi, or as that user";
    throw new SettingsError(`cannot become ${user}: ${reason}`, ExitCode.OS_ERROR);
  }
  for (const path of sockets) Deno.chownSync(path, entry.uid, entry.gid);
  dropPrivileges(entry.uid, entry.gid);
}

/** Where the runtime does not tell who we are, it does not let us become somebody else. */
function mayAskUid(): boolean {
  return Deno.permissions.querySync({ name: "sys", kind: "uid" }).state === "granted";
}

/** One account. */
interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Finds `user`, a name or a numeric id, in the text of a passwd file. */
export function findUser(passwd: string, user: string): User | undefined {
  for (const line of passwd.split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name === user || uid === user) return { uid: Number(uid), gid: Number(gid) };
  }
  // An id without an account is what containers run as.
  return /^\d+$/.test(user) ? { uid: Number(user), gid: Number(user) } : undefined;
}
