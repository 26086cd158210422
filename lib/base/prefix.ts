// What comes before the first delimiter of a key, and a hash for it.

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Where the prefix of the key `bytes[from, to)` ends; `to` when the key has no `delimiter`. */
export function prefixEnd(bytes: Uint8Array, from: number, to: number, delimiter: number): number {
  let end = from;
  while (end < to && bytes[end] !== delimiter) end++;
  return end;
}

/** Hash of `bytes[from, to)`, 0..2^32-1. Collisions are easy to make. Source: FNV-1a. */
export function fnv1a(bytes: Uint8Array, from: number, to: number): number {
  let hash = FNV_OFFSET;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, FNV_PRIME);
  return hash >>> 0;
}
