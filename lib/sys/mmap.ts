// Memory outside V8's heap that every thread of the process can view by its address.

import { SysError } from "./errno.ts";
import { errno, libc } from "./libc.ts";

// Source: bits/mman-linux.h.
const PROT_READ_WRITE = 0x1 | 0x2;
const MAP_SHARED_ANONYMOUS_NORESERVE = 0x01 | 0x20 | 0x4000;
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

/** Views `bytes` bytes of mapped memory at `address`. */
export function viewMemory(address: number, bytes: number): ArrayBuffer {
  const pointer = Deno.UnsafePointer.create(BigInt(address));
  if (pointer === null) throw new Error("Cannot view memory: address is 0");
  return Deno.UnsafePointerView.getArrayBuffer(pointer, bytes);
}
