// Limits and use of resources: descriptors, core files, CPU time; and the user of the process.

import process from "node:process";
import { SysError } from "./errno.ts";
import { canCallLibc, errno, libc } from "./libc.ts";

const US_PER_SECOND = 1_000_000;
const RLIMIT_CORE = 4;
const RLIMIT_NOFILE = 7;
const RLIM_INFINITY = 2n ** 64n - 1n;
const RUSAGE_SELF = 0;
const RUSAGE_THREAD = 1;

/** `struct rlimit`: soft, hard. */
const rlimit = new BigUint64Array(16);
/** `struct rusage` starts with two `struct timeval`, user and system: seconds, microseconds. */
const rusage = new BigInt64Array(32);

/**
 * Raises the limit on open descriptors to at least `count`, the hard limit too where allowed.
 *
 * @returns The limit in force afterwards, which is lower than `count` when that was refused.
 * Without system calls it is not known, and taken to be enough.
 */
export function raiseDescriptorLimit(count: number): number {
  if (!canCallLibc) return count;
  if (libc.getrlimit(RLIMIT_NOFILE, rlimit) < 0) throw new SysError("getrlimit", -1, errno());
  const soft = Number(rlimit[0]!);
  const hard = Number(rlimit[1]!);
  if (soft >= count) return soft;
  rlimit[0] = BigInt(count);
  rlimit[1] = BigInt(Math.max(hard, count));
  if (libc.setrlimit(RLIMIT_NOFILE, rlimit) === 0) return count;
  const reachable = Math.min(count, hard);
  rlimit[0] = BigInt(reachable);
  rlimit[1] = BigInt(hard);
  return libc.setrlimit(RLIMIT_NOFILE, rlimit) === 0 ? reachable : soft;
}

/** The limit on open descriptors that is in force. */
export function descriptorLimit(): number {
  if (libc.getrlimit(RLIMIT_NOFILE, rlimit) < 0) throw new SysError("getrlimit", -1, errno());
  return Number(rlimit[0]!);
}

/**
 * Raises the limit on the size of core files: to none, or as far as is allowed.
 *
 * @returns false when the hard limit allows no core file.
 */
export function raiseCoreLimit(): boolean {
  if (libc.getrlimit(RLIMIT_CORE, rlimit) < 0) throw new SysError("getrlimit", -1, errno());
  const hard = rlimit[1]!;
  rlimit.fill(RLIM_INFINITY, 0, 2);
  if (libc.setrlimit(RLIMIT_CORE, rlimit) === 0) return true;
  rlimit.fill(hard, 0, 2);
  return libc.setrlimit(RLIMIT_CORE, rlimit) === 0 && hard > 0n;
}

/** CPU time of this process so far, each as `<seconds>.<microseconds>` with six digits. */
export function cpuTimes(): { readonly user: string; readonly system: string } {
  if (!canCallLibc) return runtimeCpuTimes();
  if (libc.getrusage(RUSAGE_SELF, rusage) < 0) throw new SysError("getrusage", -1, errno());
  const time = (at: number) => `${rusage[at]}.${String(rusage[at + 1]).padStart(6, "0")}`;
  return { user: time(0), system: time(2) };
}

/** CPU time of the calling thread so far, the kernel's included; NaN where it is not known. */
export function threadCpuSeconds(): number {
  if (!canCallLibc || libc.getrusage(RUSAGE_THREAD, rusage) < 0) return NaN;
  const seconds = Number(rusage[0]! + rusage[2]!);
  return seconds + Number(rusage[1]! + rusage[3]!) / US_PER_SECOND;
}

/** The same from the runtime, where the C library cannot be called. */
function runtimeCpuTimes(): { readonly user: string; readonly system: string } {
  const { user, system } = process.cpuUsage();
  const time = (us: number) => (us / US_PER_SECOND).toFixed(6);
  return { user: time(user), system: time(system) };
}

/** User id of this process; undefined without the permission, or where the system has none. */
export function ownUid(): number | undefined {
  if (canCallLibc) return libc.getuid();
  const isAllowed = Deno.permissions.querySync({ name: "sys", kind: "uid" }).state === "granted";
  return isAllowed ? Deno.uid() ?? undefined : undefined;
}

/**
 * Whether {@linkcode dropPrivileges} can be called. The runtime changes user and group of all
 * threads where it may, but has no call that gives up supplementary groups.
 *
 * @param gid The group to become.
 * @returns Why not; undefined when it can.
 */
export function privilegesObstacle(gid: number): string | undefined {
  if (canCallLibc) return undefined;
  if (Deno.permissions.querySync({ name: "sys" }).state !== "granted") {
    return "run with --allow-ffi or --allow-sys, or as that user";
  }
  if (process.getgroups?.().every((group) => group === gid)) return undefined;
  return "supplementary groups cannot be given up: run with --allow-ffi, or as that user";
}

/** Gives up root for good: supplementary groups, then group, then user. */
export function dropPrivileges(uid: number, gid: number): void {
  if (!canCallLibc) {
    process.setgid?.(gid);
    process.setuid?.(uid);
    return;
  }
  if (libc.setgroups(0n, null) < 0) throw new SysError("setgroups", -1, errno());
  if (libc.setgid(gid) < 0) throw new SysError("setgid", -1, errno());
  if (libc.setuid(uid) < 0) throw new SysError("setuid", -1, errno());
}
