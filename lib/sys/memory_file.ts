// The file of item memory: open in one process only, with room for every byte of it.
//
// A byte of a mapped file that the file system has no room for ends the process with SIGBUS when it
// is written. So all of it is reserved before anything is mapped.

import { cString } from "./c_string.ts";
import { Errno } from "./errno.ts";
import { errno, errorText, libc } from "./libc.ts";
import { readLink } from "./process.ts";

// Source: asm-generic/fcntl.h, bits/fcntl-linux.h, sys/file.h.
const O_RDWR = 0o2;
const O_CREAT = 0o100;
const O_CLOEXEC = 0o2000000;
const LOCK_EX_NB = 2 | 4;
const SEEK_END = 2;
/** Only the owner may read the cache. */
const MODE = 0o600;

/** `struct statfs`: eight-byte fields on x86-64 and arm64; memden reads three of them. */
const statfs = new BigUint64Array(32);
const F_TYPE = 0;
const F_BSIZE = 1;
const F_BAVAIL = 4;
/** `struct statx`; memden reads one field. Source: linux/stat.h. */
const statx = new BigUint64Array(32);
const STX_BLOCKS = 6;
const STATX_BLOCKS = 0x400;
const AT_EMPTY_PATH = 0x1000;
/** Unit of stx_blocks. */
const BLOCK_BYTES = 512;
/** Source: linux/magic.h. */
const TMPFS_MAGIC = 0x01021994n;

/** An open memory file. Its lock keeps other servers from it until the process ends. */
export class MemoryFile {
  readonly fd: number;
  /** Its name, as the kernel knew it when it was opened. */
  readonly #name: string | undefined;
  /** Whether open() made the file, and it has nothing to keep yet. */
  #isMade: boolean;

  private constructor(fd: number, isMade: boolean) {
    this.fd = fd;
    this.#name = this.#nameNow();
    this.#isMade = isMade;
  }

  /** Whether its path still leads to it: it was not removed or renamed. */
  get isInPlace(): boolean {
    return this.#nameNow() === this.#name;
  }

  #nameNow(): string | undefined {
    return readLink(`/proc/self/fd/${this.fd}`);
  }

  /**
   * Opens the file at `path`, or makes an empty one, and locks it.
   *
   * @returns The file; or why it cannot be opened.
   */
  static open(path: string): MemoryFile | string {
    let fd = libc.open(cString(path), O_RDWR | O_CLOEXEC, MODE);
    const isMade = fd < 0 && errno() === Errno.ENOENT;
    if (isMade) fd = libc.open(cString(path), O_RDWR | O_CREAT | O_CLOEXEC, MODE);
    if (fd < 0) return errorText(errno());
    if (libc.flock(fd, LOCK_EX_NB) === 0) return new MemoryFile(fd, isMade);
    libc.close(fd);
    return "another server uses it";
  }

  /** Length in bytes. */
  get bytes(): number {
    return Number(libc.lseek(this.fd, 0n, SEEK_END));
  }

  /**
   * Makes the file `bytes` long and all zero, with the memory that it is mapped to.
   *
   * @returns Why that failed; undefined when it is done.
   */
  clear(bytes: number): string | undefined {
    if (libc.ftruncate(this.fd, 0n) < 0) return errorText(errno());
    if (libc.ftruncate(this.fd, BigInt(bytes)) < 0) return errorText(errno());
    return undefined;
  }

  /**
   * Bytes that are free on its file system; on a tmpfs at most the free memory.
   *
   * @param memoryLimit Memory that this process may use.
   */
  roomWithin(memoryLimit: number): number {
    if (libc.fstatfs(this.fd, statfs) < 0) return 0;
    const free = Number(statfs[F_BSIZE]! * statfs[F_BAVAIL]!);
    const isMemory = statfs[F_TYPE] === TMPFS_MAGIC;
    return isMemory ? Math.min(free, Deno.systemMemoryInfo().available, memoryLimit) : free;
  }

  /** Bytes of the file system that it takes; 0 where statx(2) does not report it. */
  get takenBytes(): number {
    const isKnown = libc.statx(this.fd, cString(""), AT_EMPTY_PATH, STATX_BLOCKS, statx) === 0;
    return isKnown ? Number(statx[STX_BLOCKS]!) * BLOCK_BYTES : 0;
  }

  /**
   * Reserves room for the first `bytes` bytes; what is there stays.
   *
   * @returns Why there is none; undefined when there is.
   */
  reserve(bytes: number): string | undefined {
    let error: number = Errno.EINTR; // A signal ends the call before it is done.
    while (error === Errno.EINTR) error = libc.posix_fallocate(this.fd, 0n, BigInt(bytes));
    return error === 0 ? undefined : errorText(error);
  }

  /** Writes all of it to disk; false when that failed. */
  sync(): boolean {
    return libc.fsync(this.fd) === 0;
  }

  /** From now on close() keeps the file. */
  keep(): void {
    this.#isMade = false;
  }

  /** Closes it, which unlocks it. Removes a file that open() made and keep() was not called for. */
  close(): void {
    if (this.#isMade && this.isInPlace && this.#name !== undefined) {
      libc.unlink(cString(this.#name));
    }
    libc.close(this.fd);
  }
}
