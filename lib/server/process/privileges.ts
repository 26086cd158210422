// Who the server runs as: `-u`, once the ports are bound.

import type { Log } from "../../base/operator_log.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { dropPrivileges, ownUid, privilegesObstacle } from "../../sys/limits.ts";

const ROOT = 0;
const PASSWD = "/etc/passwd";

/**
 * Tells the operator of a process that is root and is to stay so. memcached refuses to run as root
 * without `-u`. In a container root is the rule, so memden warns and runs.
 */
export function warnOfRoot(user: string | null, log: Log): void {
  if (user !== null || ownUid() !== ROOT) return;
  log.warn("running as root: use -u USER to run as another user");
}

/**
 * Refuses a wish to become `user` that cannot be kept, before anything is opened.
 *
 * @param user A name or a numeric user id; null when none was asked for.
 * @throws {SettingsError} When there is no such user, or the process cannot become it.
 */
export function checkUser(user: string | null, log: Log): void {
  if (user === null) return;
  const uid = ownUid();
  if (uid === undefined) throw cannotBecome(user, "who this process is cannot be known here");
  const account = accountOf(user);
  if (uid === account.uid) return;
  if (uid !== ROOT) return log.warn(`-u ${user} does nothing: only root can become another user`);
  const obstacle = privilegesObstacle(account.gid);
  if (obstacle !== undefined) throw cannotBecome(user, obstacle);
}

/**
 * Becomes `user` if the process is root; otherwise it stays who it is, as memcached does.
 *
 * @param user As of {@linkcode checkUser}, which is called first.
 * @param sockets Paths of Unix sockets that are to be that user's, as memcached's are.
 * @throws {SettingsError} When there is no such user, or the process cannot become it.
 */
export function assumeUser(user: string | null, sockets: readonly string[] = []): void {
  if (user === null || ownUid() !== ROOT) return;
  const { uid, gid } = accountOf(user);
  if (uid === ROOT) return;
  const obstacle = privilegesObstacle(gid);
  if (obstacle !== undefined) throw cannotBecome(user, obstacle);
  for (const path of sockets) Deno.chownSync(path, uid, gid);
  dropPrivileges(uid, gid);
}

function cannotBecome(user: string, reason: string): SettingsError {
  return new SettingsError(`cannot become ${user}: ${reason}`, ExitCode.OS_ERROR);
}

/** @throws {SettingsError} When there is no such user. */
function accountOf(user: string): User {
  const account = findUser(readPasswd(), user);
  if (account !== undefined) return account;
  throw new SettingsError(`can't find the user ${user} to switch to`, ExitCode.NO_USER);
}

/** The accounts of this machine; none where they cannot be read. */
function readPasswd(): string {
  try {
    return Deno.readTextFileSync(PASSWD);
  } catch {
    return ""; // A numeric user id needs no account.
  }
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
