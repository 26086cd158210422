// The item header: where each field lives, and the only functions that read and write it.
//
//    ref ─►┌──── ITEM.bytes (32) ────┬─ cas (8) ─┬─────┬─ flags (4) ─┬───────┬──────┐
//          │ next prev … generation  │ unless -C │ key │ unless 0    │ value │ \r\n │
//          └─────────────────────────┴───────────┴─────┴─────────────┴───────┴──────┘
//
// Nothing outside this file and refcount.ts knows a position. The comment behind a row says what
// must be held to write the field.
// Source: memcached memcached.h, struct _stritem; the order and widths are ours.

import {
  type Arena,
  openArena,
  SEGMENT_BYTES,
  SEGMENT_SHIFT,
  UNIT_BYTES,
  UNIT_MASK,
} from "../../memory/arena.ts";
import { layout } from "../../memory/layout.ts";
import { assert } from "../../base/assert.ts";
import type { Block } from "../../base/block.ts";
import { equalBytes } from "../../base/copy.ts";
import type { U64 } from "../../base/u64.ts";

declare const brand: unique symbol;
/** An item header's place in the arena, in 8-byte units; {@linkcode NO_ITEM} for none. */
export type ItemRef = number & { readonly [brand]: "ItemRef" };

/** No item: the end of a chain, or a miss. */
export const NO_ITEM = 0 as ItemRef;

// deno-fmt-ignore
export const ITEM = layout("Item", 32, [
  ["next",       4, "ItemRef: LRU neighbour towards the tail; next free chunk"  ], // lru lock
  ["prev",       4, "ItemRef: LRU neighbour towards the head"                   ], // lru lock
  ["chain",      4, "ItemRef: next item in the same hash bucket"                ], // bucket lock
  ["time",       4, "last access, seconds since start"                          ], // bucket lock
  ["exptime",    4, "expiry, seconds since start; 0 never expires"              ], // bucket lock
  ["nbytes",     4, "value length in bytes, final CRLF included"                ], // before publish
  ["refcount",   2, "holders; the hash table counts as one"                     ], // atomic
  ["flags",      2, "ItemFlag bits"                                             ], // bucket lock
  ["nkey",       1, "key length in bytes, 1..250"                               ], // before publish
  ["clsid",      1, "slab class in the low 6 bits, LRU segment above"           ], // both locks
  ["generation", 2, "flush generation in which the item was stored"             ], // before publish
]);

/** Bytes of the version that follows the header unless `-C`: high word, low word. */
const CAS_BYTES = 8;
/** Bytes of the client's flags, which follow the key unless they are 0. */
export const CLIENT_FLAGS_BYTES = 4;

/** Bits of the flags field. */
export const ItemFlag = {
  /** In the hash table and on an LRU list. */
  LINKED: 1,
  /** Client flags are stored behind the key. */
  CLIENT_FLAGS: 2,
  /** Not an item: a chunk that its class has back. Read and written under the class's lock. */
  SLABBED: 4,
  /** Read at least once since it was stored. */
  FETCHED: 8,
  /** Read again since the LRU last looked. */
  ACTIVE: 16,
  /** Its value is in a chain of chunks: see chunk.ts. */
  CHUNKED: 32,
  /** Not an item: a chunk of one. */
  CHUNK: 64,
  /** The key came in Base64, and goes out so. */
  KEY_BINARY: 128,
  /** A client has the token: it is to make a new value. */
  TOKEN_SENT: 256,
  /** Out of date: still served, until a client makes a new value. */
  STALE: 512,
} as const;

/** Every bit of the flags field that means something. */
export const ITEM_FLAGS_ALL = Object.values(ItemFlag).reduce<number>((all, bit) => all | bit, 0);

/** The arena, with what all items of a server have in common. */
export interface Items extends Arena {
  /** Bytes from the start of the header to the key: with a cas or without. */
  readonly keyOffset: number;
}

/** Opens one thread's view of the items. */
export function openItems(segments: readonly Block[], useCas: boolean): Items {
  return { ...openArena(segments), keyOffset: ITEM.bytes + (useCas ? CAS_BYTES : 0) };
}

const U32_PER_UNIT = UNIT_BYTES / 4;
/** Halves of a word in a unit: an index into `items.u16` is a unit times this. */
export const U16_PER_UNIT = UNIT_BYTES / 2;
const CAS_WORD = ITEM.bytes / 4;
const {
  next: NEXT,
  prev: PREV,
  chain: CHAIN,
  time: TIME,
  exptime: EXPTIME,
  nbytes: NBYTES,
  refcount: REFCOUNT,
  flags: FLAGS,
  nkey: NKEY,
  clsid: CLSID,
  generation: GENERATION,
} = ITEM.index;

/** Bytes an item takes: header, key, client flags, value and CRLF. */
export function itemBytesFor(
  items: Items,
  nkey: number,
  clientFlags: number,
  nbytes: number,
): number {
  return items.keyOffset + nkey + (clientFlags === 0 ? 0 : CLIENT_FLAGS_BYTES) + nbytes;
}

/** Which segment of the arena holds the item. */
export function segmentOf(it: ItemRef): number {
  return it >>> SEGMENT_SHIFT;
}

/** Byte position of the header in the whole arena. */
export function itemPosition(it: ItemRef): number {
  return segmentOf(it) * SEGMENT_BYTES + (it & UNIT_MASK) * UNIT_BYTES;
}

/** LRU neighbour towards the tail; next free chunk. */
export function itemNext(items: Items, it: ItemRef): ItemRef {
  return items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + NEXT]! as ItemRef;
}

/** Sets the neighbour towards the tail. */
export function setItemNext(items: Items, it: ItemRef, next: ItemRef): void {
  items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + NEXT] = next;
}

/** LRU neighbour towards the head. */
export function itemPrev(items: Items, it: ItemRef): ItemRef {
  return items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + PREV]! as ItemRef;
}

/** Sets the neighbour towards the head. */
export function setItemPrev(items: Items, it: ItemRef, prev: ItemRef): void {
  items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + PREV] = prev;
}

/** Next item in the same hash bucket. */
export function itemChain(items: Items, it: ItemRef): ItemRef {
  return items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + CHAIN]! as ItemRef;
}

/** Sets the next item in the same hash bucket. */
export function setItemChain(items: Items, it: ItemRef, next: ItemRef): void {
  items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + CHAIN] = next;
}

/** Last access, in seconds since start. */
export function itemTime(items: Items, it: ItemRef): number {
  return items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + TIME]!;
}

/** Records an access at `now`, in seconds since start. */
export function setItemTime(items: Items, it: ItemRef, now: number): void {
  items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + TIME] = now;
}

/** Records an access at `now`, unless a thread whose clock is ahead has recorded a later one. */
export function advanceItemTime(items: Items, it: ItemRef, now: number): void {
  if (itemTime(items, it) < now) setItemTime(items, it, now);
}

/** Expiry in seconds since start; 0 when the item never expires. */
export function itemExptime(items: Items, it: ItemRef): number {
  return items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + EXPTIME]!;
}

/** Sets the expiry, in seconds since start. */
export function setItemExptime(items: Items, it: ItemRef, seconds: number): void {
  items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + EXPTIME] = seconds;
}

/** Value length in bytes, final CRLF included. */
export function itemNbytes(items: Items, it: ItemRef): number {
  return items.u32[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U32_PER_UNIT + NBYTES]!;
}

/** {@linkcode ItemFlag} bits. */
export function itemFlags(items: Items, it: ItemRef): number {
  return items.u16[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U16_PER_UNIT + FLAGS]!;
}

/** Sets all {@linkcode ItemFlag} bits. */
export function setItemFlags(items: Items, it: ItemRef, flags: number): void {
  items.u16[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U16_PER_UNIT + FLAGS] = flags;
}

/** Key length in bytes, 1..250. */
export function itemNkey(items: Items, it: ItemRef): number {
  return items.u8[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * UNIT_BYTES + NKEY]!;
}

/** LRU list the item is on: slab class in the low 6 bits, segment above. */
export function itemLruId(items: Items, it: ItemRef): number {
  return items.u8[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * UNIT_BYTES + CLSID]!;
}

/** Sets the LRU list. */
export function setItemLruId(items: Items, it: ItemRef, lruId: number): void {
  items.u8[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * UNIT_BYTES + CLSID] = lruId;
}

/** Flush generation in which the item was stored. */
export function itemGeneration(items: Items, it: ItemRef): number {
  return items.u16[it >>> SEGMENT_SHIFT]![(it & UNIT_MASK) * U16_PER_UNIT + GENERATION]!;
}

/** Reads the version into `cas`; 0 with `-C`. */
export function readItemCas(items: Items, it: ItemRef, cas: U64): void {
  if (items.keyOffset === ITEM.bytes) return cas.set(0, 0);
  const words = items.u32[it >>> SEGMENT_SHIFT]!;
  const at = (it & UNIT_MASK) * U32_PER_UNIT + CAS_WORD;
  cas.set(words[at]!, words[at + 1]!);
}

/** Sets the version; does nothing with `-C`. */
export function setItemCas(items: Items, it: ItemRef, cas: U64): void {
  if (items.keyOffset === ITEM.bytes) return;
  const words = items.u32[it >>> SEGMENT_SHIFT]!;
  const at = (it & UNIT_MASK) * U32_PER_UNIT + CAS_WORD;
  words[at] = cas.hi;
  words[at + 1] = cas.lo;
}

/** Position of the first key byte in the item's segment. */
export function itemKeyAt(items: Items, it: ItemRef): number {
  return (it & UNIT_MASK) * UNIT_BYTES + items.keyOffset;
}

/** The number the client stored with the value, u32. */
export function itemClientFlags(items: Items, it: ItemRef): number {
  if ((itemFlags(items, it) & ItemFlag.CLIENT_FLAGS) === 0) return 0;
  const at = itemKeyAt(items, it) + itemNkey(items, it);
  return items.blocks[it >>> SEGMENT_SHIFT]!.view.getUint32(at, true);
}

/** Position of the first value byte in the item's segment. */
export function itemValueAt(items: Items, it: ItemRef): number {
  const afterKey = itemKeyAt(items, it) + itemNkey(items, it);
  return (itemFlags(items, it) & ItemFlag.CLIENT_FLAGS) === 0
    ? afterKey
    : afterKey + CLIENT_FLAGS_BYTES;
}

/**
 * Bytes the item takes, without what its chunk wastes.
 * @hot
 */
export function itemBytes(items: Items, it: ItemRef): number {
  const segment = it >>> SEGMENT_SHIFT;
  const unit = it & UNIT_MASK;
  const flags = items.u16[segment]![unit * U16_PER_UNIT + FLAGS]!;
  return items.keyOffset + items.u8[segment]![unit * UNIT_BYTES + NKEY]! +
    ((flags & ItemFlag.CLIENT_FLAGS) === 0 ? 0 : CLIENT_FLAGS_BYTES) +
    items.u32[segment]![unit * U32_PER_UNIT + NBYTES]!;
}

/**
 * Fills the header of a chunk that no other thread sees: one holder, on no list. The key is not
 * written yet.
 *
 * @param lruId Slab class and segment of the list it will be on.
 * @param chunked {@linkcode ItemFlag.CHUNKED}, or 0 when the value follows the key.
 * @hot
 */
export function initItem(
  items: Items,
  it: ItemRef,
  lruId: number,
  nkey: number,
  clientFlags: number,
  exptime: number,
  nbytes: number,
  chunked: number,
): void {
  const segment = it >>> SEGMENT_SHIFT;
  const unit = it & UNIT_MASK;
  const words = items.u32[segment]!;
  const at = unit * U32_PER_UNIT;
  words[at + NEXT] = NO_ITEM;
  words[at + PREV] = NO_ITEM;
  words[at + CHAIN] = NO_ITEM;
  words[at + TIME] = 0;
  words[at + EXPTIME] = exptime;
  words[at + NBYTES] = nbytes;
  items.u8[segment]![unit * UNIT_BYTES + NKEY] = nkey;
  items.u8[segment]![unit * UNIT_BYTES + CLSID] = lruId;
  setItemFlags(items, it, (clientFlags === 0 ? 0 : ItemFlag.CLIENT_FLAGS) | chunked);
  items.u16[segment]![unit * U16_PER_UNIT + REFCOUNT] = 1;
  if (clientFlags !== 0) {
    items.blocks[segment]!.view.setUint32(itemKeyAt(items, it) + nkey, clientFlags, true);
  }
}

/**
 * Fills in what an item gets when it becomes findable: LINKED, its time in seconds since start, the
 * flush generation and the version.
 * @hot
 */
export function publishItem(
  items: Items,
  it: ItemRef,
  now: number,
  generation: number,
  cas: U64,
): void {
  const segment = it >>> SEGMENT_SHIFT;
  const at = (it & UNIT_MASK) * U32_PER_UNIT;
  const words = items.u32[segment]!;
  const halves = items.u16[segment]!;
  const flags = halves[2 * at + FLAGS]!;
  assert((flags & (ItemFlag.LINKED | ItemFlag.SLABBED)) === 0, "Item linked twice");
  halves[2 * at + FLAGS] = flags | ItemFlag.LINKED;
  halves[2 * at + GENERATION] = generation;
  words[at + TIME] = now;
  if (items.keyOffset === ITEM.bytes) return;
  words[at + CAS_WORD] = cas.hi;
  words[at + CAS_WORD + 1] = cas.lo;
}

/**
 * Whether the key of `it` is `block[from, from + nkey)`.
 * @hot
 */
export function itemHasKey(
  items: Items,
  it: ItemRef,
  block: Block,
  from: number,
  nkey: number,
): boolean {
  const segment = it >>> SEGMENT_SHIFT;
  const at = (it & UNIT_MASK) * UNIT_BYTES;
  if (items.u8[segment]![at + NKEY] !== nkey) return false;
  return equalBytes(items.blocks[segment]!, at + items.keyOffset, block, from, nkey);
}

/** Marks the key of `it` as `old` has it: as one that goes out in Base64, or not. */
export function keepKeyForm(items: Items, old: ItemRef, it: ItemRef): void {
  const form = itemFlags(items, old) & ItemFlag.KEY_BINARY;
  if (form !== 0) setItemFlags(items, it, itemFlags(items, it) | form);
}

/** Whether the item's time has passed at `now`, in seconds since start. */
export function isExpired(items: Items, it: ItemRef, now: number): boolean {
  const exptime = itemExptime(items, it);
  return exptime !== 0 && exptime <= now;
}

/** The block of memory that holds `it`: positions in it are the item's. */
export function blockOf(items: Items, it: ItemRef): Block {
  return items.blocks[segmentOf(it)]!;
}
