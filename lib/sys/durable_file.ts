// Small files whose existence has a meaning: memden creates and removes them durably, so that they
// survive a power failure. It uses system calls, as Deno needs --allow-all for files below /dev,
// such as those in /dev/shm.

import { cString } from "./c_string.ts";
import { Errno } from "./errno.ts";
import { errno, errorText, libc } from "./libc.ts";

// Source: asm-generic/fcntl.h.
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
/** Access mode: the owner's only. */
const MODE = 0o600;

const CHUNK_BYTES = 2 ** 16;

/** There is no such file. */
export const NO_FILE = "no such file";

/**
 * Reads a file.
 *
 * @param bytesMax Longest file, in bytes.
 * @returns What is in it; or why it cannot be read, {@linkcode NO_FILE} where it is not there.
 */
export function readWhole(path: string, bytesMax: number): Uint8Array | string {
  // A pipe without a writer is read as empty, rather than waited for.
  const fd = libc.open(cString(path), O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0) return errno() === Errno.ENOENT ? NO_FILE : errorText(errno());
  const chunk = new Uint8Array(CHUNK_BYTES);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;
  do {
    count = libc.read(fd, chunk, CHUNK_BYTES);
    parts.push(chunk.slice(0, Math.max(count, 0)));
    bytes += count;
  } while (count > 0 && bytes <= bytesMax);
  const problem = count < 0 ? errorText(errno()) : "it is too long";
  libc.close(fd);
  if (count !== 0) return problem;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Removes a file durably. Returns why it may still exist; undefined when it does not. */
export function removeDurably(path: string): string | undefined {
  if (libc.unlink(cString(path)) < 0) {
    return errno() === Errno.ENOENT ? undefined : errorText(errno());
  }
  return syncFolderOf(path);
}

/**
 * Writes a file durably and atomically.
 *
 * @returns Why it may not exist; undefined when it does.
 */
export function writeDurably(path: string, bytes: Uint8Array<ArrayBuffer>): string | undefined {
  const unfinished = `${path}.new`;
  // Removed, not overwritten: it could be a link.
  if (libc.unlink(cString(unfinished)) < 0 && errno() !== Errno.ENOENT) return errorText(errno());
  const fd = libc.open(cString(unfinished), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
  if (fd < 0) return errorText(errno());
  const isWritten = writeAll(fd, bytes) && libc.fsync(fd) === 0;
  const problem = errorText(errno());
  libc.close(fd);
  if (!isWritten) {
    libc.unlink(cString(unfinished));
    return problem;
  }
  if (libc.rename(cString(unfinished), cString(path)) < 0) return errorText(errno());
  return syncFolderOf(path);
}

/**
 * Whether {@linkcode writeDurably} could put a file in place: makes the unfinished one, and removes
 * it again.
 *
 * @returns Why not; undefined when it could.
 */
export function problemOfWriting(path: string): string | undefined {
  const unfinished = cString(`${path}.new`);
  if (libc.unlink(unfinished) < 0 && errno() !== Errno.ENOENT) return errorText(errno());
  const fd = libc.open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
  if (fd < 0) return errorText(errno());
  libc.close(fd);
  return libc.unlink(unfinished) < 0 ? errorText(errno()) : undefined;
}

function writeAll(fd: number, bytes: Uint8Array<ArrayBuffer>): boolean {
  for (let at = 0; at < bytes.length;) {
    const chunk = bytes.slice(at, at + CHUNK_BYTES);
    const count = libc.write(fd, chunk, chunk.length);
    if (count <= 0) return false;
    at += count;
  }
  return true;
}

/** Syncs the folder of `path`, so that its names survive a power failure. */
function syncFolderOf(path: string): string | undefined {
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? "." : path.slice(0, slash + 1);
  const fd = libc.open(cString(folder), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return errorText(errno());
  const isSynced = libc.fsync(fd) === 0;
  const problem = errorText(errno());
  libc.close(fd);
  return isSynced ? undefined : `its folder: ${problem}`;
}
