// The process itself: its name, its descriptors, and how to start another one like it.

import { cString } from "./c_string.ts";
import { errno, errorText, libc } from "./libc.ts";
import { SysError } from "./errno.ts";

// Source: linux/prctl.h, asm-generic/fcntl.h, spawn.h.
const PR_SET_DUMPABLE = 4;
const PR_SET_NAME = 15;
const O_RDWR = 0o2;
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_APPEND = 0o2000;
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1n;
const POSIX_SPAWN_SETSID = 0x80;

/** Longest name of a process, in bytes. Source: prctl(2). */
const NAME_BYTES_MAX = 15;
/** Larger than `posix_spawnattr_t` on any machine: glibc's has 336 bytes. */
const SPAWNATTR_BYTES = 512;
const PATH_BYTES_MAX = 4096;
/** Most bytes of argv that the kernel takes. Source: linux/binfmts.h, execve(2). */
const ARGV_BYTES_MAX = 6 * 2 ** 20;
const POINTER_BYTES = 8;
/** Descriptors among which copies of stdin, stdout and stderr are looked for. */
const COPIES_FDS_MAX = 1024;
/** Access mode of a new log file. */
const LOG_MODE = 0o640;

const OWN_EXECUTABLE = "/proc/self/exe";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Names the process as `ps` and `pkill` know it; must be called by its first thread. */
export function setProcessName(name: string): void {
  const bytes = cString(name.slice(0, NAME_BYTES_MAX));
  libc.prctl(PR_SET_NAME, addressOf(bytes));
}

/** Lets the kernel write a core file of a process that has changed its user. */
export function allowCore(): void {
  libc.prctl(PR_SET_DUMPABLE, 1n);
}

/**
 * Reads a file of the kernel, such as one of `/proc`, for which the runtime needs --allow-all.
 *
 * @param bytesMax Most bytes that it reads.
 * @returns Its bytes; undefined when it cannot be read.
 */
export function readKernelFile(path: string, bytesMax: number): Uint8Array | undefined {
  const fd = libc.open(cString(path), O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  const bytes = new Uint8Array(bytesMax);
  let length = 0;
  let count = 1;
  while (count > 0 && length < bytesMax) {
    count = libc.read(fd, bytes.subarray(length), bytesMax - length);
    length += Math.max(count, 0);
  }
  libc.close(fd);
  return count < 0 ? undefined : bytes.subarray(0, length);
}

/** Where a symbolic link leads; undefined when it cannot be read. */
export function readLink(path: string): string | undefined {
  const bytes = new Uint8Array(PATH_BYTES_MAX);
  const length = libc.readlink(cString(path), bytes, bytes.length);
  return length < 0 ? undefined : decoder.decode(bytes.subarray(0, length));
}

/**
 * Opens `/dev/null`, or a log file to append to.
 *
 * @returns Its descriptor; on failure the errno, negative.
 */
export function openForStdio(logfile: string | null): number {
  const flags = logfile === null ? O_RDWR : O_WRONLY | O_APPEND | O_CREAT;
  const fd = libc.open(cString(logfile ?? "/dev/null"), flags | O_CLOEXEC, LOG_MODE);
  return fd < 0 ? -errno() : fd;
}

/**
 * Puts the open file `fd` in the place of `stdio` (0, 1 or 2), and of every copy of it: the
 * runtime has some in each thread.
 */
export function replaceStdio(stdio: number, fd: number): void {
  const file = (of: number) => readLink(`/proc/self/fd/${of}`);
  const old = file(stdio);
  if (old === undefined || old === file(fd)) return;
  for (let copy = 3; copy < COPIES_FDS_MAX; copy++) {
    if (copy !== fd && file(copy) === old) libc.dup3(fd, copy, O_CLOEXEC);
  }
  libc.dup3(fd, stdio, 0);
}

/** What a process is started from. */
export interface Command {
  /** The executable. */
  readonly path: string;
  /** Its argv, argv[0] included, each string with a zero byte behind it. */
  readonly argv: Uint8Array;
}

/** A pipe whose writing end the next process inherits. */
export interface InheritedPipe {
  readonly readFd: number;
  readonly writeFd: number;
}

/** Makes a pipe. */
export function makePipe(): InheritedPipe {
  const fds = new Int32Array(32);
  if (libc.pipe2(fds, O_CLOEXEC) < 0) throw new SysError("pipe2", -1, errno());
  const [readFd = -1, writeFd = -1] = fds;
  libc.fcntl(writeFd, F_SETFD, 0n);
  return { readFd, writeFd };
}

/** Keeps a descriptor from the processes that this one starts. */
export function closeOnExec(fd: number): boolean {
  return libc.fcntl(fd, F_SETFD, FD_CLOEXEC) === 0;
}

/**
 * Starts a process in a new session.
 *
 * @returns Its pid.
 */
export function spawnSession(
  { path, argv }: Command,
  env: Readonly<Record<string, string>>,
): number {
  const variables = encoder.encode(
    Object.entries(env).map(([name, value]) => `${name}=${value}\0`).join(""),
  );
  const attributes = new Uint8Array(SPAWNATTR_BYTES);
  libc.posix_spawnattr_init(attributes);
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID);
  const pid = new Int32Array(32);
  const words = new CStrings(argv);
  const environment = new CStrings(variables);
  const failure = libc.posix_spawn(
    pid,
    cString(path),
    null,
    attributes,
    words.pointers,
    environment.pointers,
  );
  if (failure !== 0) throw new SysError("posix_spawn", -1, failure);
  return pid[0]!;
}

/** Waits until the process `pid` ends; returns its exit code, or 128 and its signal. */
export function awaitExit(pid: number): number {
  const status = new Int32Array(32);
  if (libc.waitpid(pid, status, 0) < 0) throw new SysError("waitpid", pid, errno());
  // Source: bits/waitstatus.h, WTERMSIG and WEXITSTATUS.
  const signal = status[0]! & 0x7f;
  return signal === 0 ? status[0]! >> 8 & 0xff : 128 + signal;
}

/** How this process was started, as the kernel says; undefined where it cannot be read. */
export function ownCommand(): Command | undefined {
  const path = readLink(OWN_EXECUTABLE);
  const argv = readKernelFile("/proc/self/cmdline", ARGV_BYTES_MAX);
  if (path === undefined || argv === undefined) return undefined;
  // That link works even when a package has replaced the file.
  return { path: path.endsWith(" (deleted)") ? OWN_EXECUTABLE : path, argv };
}

/**
 * Executes this process again with the same argv. The pid, the working directory, inherited
 * descriptors and the signal mask stay; nothing else does.
 *
 * @param variable `NAME=value`, for the environment that it was started with.
 * @returns Why it could not be done.
 */
export function startAnew(variable: string): string {
  const command = ownCommand();
  const environment = readKernelFile("/proc/self/environ", ARGV_BYTES_MAX);
  if (command === undefined || environment === undefined) return "/proc cannot be read";
  const added = encoder.encode(`${variable}\0`);
  const variables = new Uint8Array(environment.length + added.length);
  variables.set(environment);
  variables.set(added, environment.length);
  const words = new CStrings(command.argv);
  libc.execve(cString(command.path), words.pointers, new CStrings(variables).pointers);
  return `execve: ${errorText(errno())}`;
}

/** An array of C strings, ended by a null pointer. */
class CStrings {
  readonly pointers: BigUint64Array<ArrayBuffer>;
  /** The strings' own bytes: they stay where they are as long as this is reachable. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** @param strings Each with a zero byte behind it. */
  constructor(strings: Uint8Array) {
    this.bytes = new Uint8Array(Math.max(strings.length, NAME_BYTES_MAX * POINTER_BYTES));
    this.bytes.set(strings);
    const base = addressOf(this.bytes);
    const addresses: bigint[] = [];
    let start = 0;
    for (let at = 0; at < strings.length; at++) {
      if (strings[at] !== 0) continue;
      addresses.push(base + BigInt(start));
      start = at + 1;
    }
    this.pointers = new BigUint64Array([...addresses, 0n]);
  }
}

function addressOf(bytes: Uint8Array<ArrayBuffer>): bigint {
  return BigInt(Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)));
}
