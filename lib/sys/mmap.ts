// Memory outside V8's heap that every thread of the process can view by its address.

import { SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

// Source: bits/mman-linux.h.
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED_ANONYMOUS_NORESERVE = 0x01 | 0x20 | 0x4000;
const MADV_REMOVE = 9;
const MADV_HUGEPAGE = 14;
const MCL_CURRENT = 1;
const MCL_FUTURE = 2;
/** Lock what is touched, when it is: address space that is only reserved stays so. */
const MCL_ONFAULT = 4;
const MAP_FAILED = 2n ** 64n - 1n;

/**
 * Maps `bytes` of zeroed memory, shared by all threads, for the life of the process. Pages cost
 * nothing until they are written.
 *
 * @returns Its address, a whole number below 2^47.
 */
export function mapMemory(bytes: number): number {
  const address = libc.mmap(
    0n,
    BigInt(bytes),
    PROT_READ_WRITE,
    MAP_SHARED_ANONYMOUS_NORESERVE,
    -1,
    0n,
  );
  if (BigInt(address) === MAP_FAILED) throw new SysError("mmap", -1, errno());
  return Number(address);
}

/** Whether `bytes` of address space can be mapped. */
export function canMapMemory(bytes: number): boolean {
  const address = libc.mmap(
    0n,
    BigInt(bytes),
    PROT_READ_WRITE,
    MAP_SHARED_ANONYMOUS_NORESERVE,
    -1,
    0n,
  );
  if (BigInt(address) === MAP_FAILED) return false;
  libc.munmap(BigInt(address), BigInt(bytes));
  return true;
}

/** Gives the memory of mapped pages back to the system: they read as zeroes from now on. */
export function discardMemory(address: number, bytes: number): void {
  if (libc.madvise(BigInt(address), BigInt(bytes), MADV_REMOVE) < 0) {
    throw new SysError("madvise", -1, errno());
  }
}

/** Asks the kernel for large pages in mapped memory; false when it has none to give. */
export function adviseLargePages(address: number, bytes: number): boolean {
  return libc.madvise(BigInt(address), BigInt(bytes), MADV_HUGEPAGE) === 0;
}

/** Keeps all memory, as it is used, from being paged out; false when that is not allowed. */
export function lockMemory(): boolean {
  return libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) === 0;
}

/** Views `bytes` bytes of mapped memory at `address`. */
export function viewMemory(address: number, bytes: number): ArrayBuffer {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("Cannot view memory: address is 0");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
}
