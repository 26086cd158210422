// Memory outside V8's heap that every thread of the process can view by its address.

import { SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

// Source: bits/mman-linux.h.
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED = 0x01;
const MAP_SHARED_ANONYMOUS_NORESERVE = MAP_SHARED | 0x20 | 0x4000;
const MS_SYNC = 4;
const MADV_REMOVE = 9;
const MADV_HUGEPAGE = 14;
/** Lock a page when it is touched: address space that is only reserved stays so. */
const MLOCK_ONFAULT = 1;
const MAP_FAILED = 2n ** 64n - 1n;

/**
 * Maps `bytes` of zeroed memory, shared by all threads, until {@linkcode unmapMemory}. Pages cost
 * nothing until they are written.
 *
 * @returns Its address, a whole number below 2^47.
 */
export function mapMemory(bytes: number): number {
  const address = tryMap(bytes);
  if (address === MAP_FAILED) throw new SysError("mmap", -1, errno());
  return Number(address);
}

/**
 * Unmaps memory. No thread may use a view of it afterwards: it would get SIGSEGV, or find other
 * memory there.
 */
export function unmapMemory(address: number, bytes: number): void {
  libc.munmap(BigInt(address), BigInt(bytes));
}

/** Whether `bytes` of address space can be mapped. */
export function canMapMemory(bytes: number): boolean {
  const address = tryMap(bytes);
  if (address === MAP_FAILED) return false;
  libc.munmap(address, BigInt(bytes));
  return true;
}

/**
 * Maps `bytes` bytes of a file from `from` on, shared by all threads, until
 * {@linkcode unmapMemory}: what is written there is in the file.
 *
 * @returns Its address.
 */
export function mapFile(fd: number, from: number, bytes: number): number {
  const address = BigInt(
    libc.mmap(0n, BigInt(bytes), PROT_READ_WRITE, MAP_SHARED, fd, BigInt(from)),
  );
  if (address === MAP_FAILED) throw new SysError("mmap", fd, errno());
  return Number(address);
}

/** Writes mapped memory of a file to where the file is; false when that failed. */
export function syncMemory(address: number, bytes: number): boolean {
  return libc.msync(BigInt(address), BigInt(bytes), MS_SYNC) === 0;
}

function tryMap(bytes: number): bigint {
  const length = BigInt(bytes);
  return BigInt(libc.mmap(0n, length, PROT_READ_WRITE, MAP_SHARED_ANONYMOUS_NORESERVE, -1, 0n));
}

/**
 * Gives the memory of mapped pages back to the system: they read as zeroes from now on. Where the
 * kernel does not allow it, they stay.
 *
 * @param isLocked Whether {@linkcode lockMemory} has been called for them.
 */
export function discardMemory(address: number, bytes: number, isLocked = false): void {
  if (isLocked) libc.munlock(BigInt(address), BigInt(bytes)); // Locked pages cannot be discarded.
  libc.madvise(BigInt(address), BigInt(bytes), MADV_REMOVE);
  if (isLocked) lockMemory(address, bytes);
}

/** Asks the kernel for huge pages in mapped memory; false when it refuses. */
export function adviseLargePages(address: number, bytes: number): boolean {
  return libc.madvise(BigInt(address), BigInt(bytes), MADV_HUGEPAGE) === 0;
}

/**
 * Keeps mapped memory from being paged out, each page from the moment it is used.
 *
 * Never V8's memory: V8 discards pages of its heap, and crashes when it cannot.
 *
 * @returns false when the limit on locked memory forbids it.
 */
export function lockMemory(address: number, bytes: number): boolean {
  return libc.mlock2(BigInt(address), BigInt(bytes), MLOCK_ONFAULT) === 0;
}

/** Views `bytes` bytes of mapped memory at `address`. */
export function viewMemory(address: number, bytes: number): ArrayBuffer {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("Cannot view memory: address is 0");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
}
