// The hash table: which shard and bucket a key belongs to, and the chain of items in it.
//
//   hv      [ shard : high bits | …            bucket : low bits ]
//   shard   lock, number of buckets, number of items       (control memory)
//   buckets [ ref | ref | … ]  head of a chain through item.chain   (mapped memory, by shard)
//
// A shard grows by one bucket at a time (linear hashing): the new bucket takes its items from the
// one whose number is its own without the top bit. There is no second table, no copy and no pause;
// the buckets that a shard may ever have are reserved address space that costs nothing until used.
//
// A shard's record, buckets and chains are read and written only under its lock.
// Source: Litwin, "Linear hashing"; memcached assoc.c grows the whole table at once.

import type { Block } from "../../base/block.ts";
import { assert, CHECKS } from "../../base/assert.ts";
import { type Control, LINE_BYTES, wordIndex } from "../../memory/regions.ts";
import { type LockIndex, LockRank, type Locks } from "../../memory/lock.ts";
import { HASH_BITS, type HashKey, hashKey } from "./hash.ts";
import {
  itemChain,
  itemHasKey,
  itemKeyAt,
  itemNkey,
  type ItemRef,
  type Items,
  NO_ITEM,
  segmentOf,
  setItemChain,
} from "../item/item.ts";

/** Words of a shard's record. */
const ShardWord = { LOCK: 0, BUCKETS: 1, ITEMS: 2 } as const;

/** Standard deviations by which no shard ever has more or fewer items than the mean. */
const SPREAD = 6;

/** Sizes of the table. */
export interface AssocShape {
  /** Power of two. */
  readonly shards: number;
  /** Buckets of a shard at start; power of two. */
  readonly bucketsMin: number;
  /** Buckets a shard may grow to; power of two. */
  readonly bucketsMax: number;
}

/** One thread's way to the table. */
export class Assoc {
  readonly #control: Control;
  readonly #locks: Locks;
  readonly #items: Items;
  readonly #buckets: Uint32Array<ArrayBuffer>;
  readonly #key: HashKey;
  readonly #bucketsMax: number;
  readonly #shift: number;
  readonly shards: number;

  constructor(
    control: Control,
    locks: Locks,
    items: Items,
    buckets: Uint32Array<ArrayBuffer>,
    key: HashKey,
    shape: AssocShape,
  ) {
    assert(buckets.length === shape.shards * shape.bucketsMax, "Bucket memory of another size");
    this.#control = control;
    this.#locks = locks;
    this.#items = items;
    this.#buckets = buckets;
    this.#key = key;
    this.#bucketsMax = shape.bucketsMax;
    this.shards = shape.shards;
    this.#shift = HASH_BITS - Math.log2(shape.shards);
  }

  /** Gives every shard its first buckets. Called once, before any thread uses the table. */
  start(shape: AssocShape): void {
    for (let shard = 0; shard < shape.shards; shard++) {
      this.#control.u32[this.#record(shard) + ShardWord.BUCKETS] = shape.bucketsMin;
    }
  }

  /**
   * Prepares for `items` items, in a table that is to have `total` buckets in the end: each shard
   * gets what it will need for certain. Before the first item is in the table.
   */
  makeRoomFor(items: number, total: number): void {
    const mean = items / this.shards;
    const spread = SPREAD * Math.sqrt(mean);
    const each = total / this.shards;
    // A shard grows by itself for items beyond that: what was too much could not be taken away.
    const needed = Math.floor(each > mean + spread ? each : Math.max(0, mean - spread));
    for (let shard = 0; shard < this.shards; shard++) {
      const word = this.#record(shard) + ShardWord.BUCKETS;
      this.#control.u32[word] = Math.max(
        this.#control.u32[word]!,
        Math.min(needed, this.#bucketsMax),
      );
    }
  }

  /** Gives the shards buckets, one by one, until there are `total`. Before any thread uses them. */
  growTo(total: number): void {
    let missing = total - this.bucketCount;
    let grown = true;
    while (grown) {
      grown = false;
      for (let shard = 0; shard < this.shards && missing > 0; shard++) {
        const count = this.bucketsOf(shard);
        if (count >= this.#bucketsMax) continue;
        this.#growLocked(shard, count);
        missing--;
        grown = true;
      }
    }
  }

  /** Hash of the key `block[from, to)`. */
  hash(block: Block, from: number, to: number): number {
    return hashKey(this.#key, block, from, to);
  }

  /** Hash of an item's key. */
  hashOf(it: ItemRef): number {
    const from = itemKeyAt(this.#items, it);
    return hashKey(
      this.#key,
      this.#items.blocks[segmentOf(it)]!,
      from,
      from + itemNkey(this.#items, it),
    );
  }

  /** Shard that `hv` belongs to. */
  shardOf(hv: number): number {
    return hv >>> this.#shift;
  }

  /** The lock of the shard that `hv` belongs to. */
  lockOf(hv: number): LockIndex {
    return this.#record(this.shardOf(hv)) as LockIndex;
  }

  /** The lock of shard number `shard`. */
  lockOfShard(shard: number): LockIndex {
    return this.#record(shard) as LockIndex;
  }

  #record(shard: number): number {
    return wordIndex(this.#control.regions.shardsAt + shard * LINE_BYTES);
  }

  /**
   * Position in the bucket memory of bucket `index` of a shard: first the buckets 0 of all shards,
   * then the buckets 1 … Shards grow alike, so what is in use lies together; shard after shard, the
   * parts in use would lie 64 KiB apart and compete for the same few sets of the cache.
   */
  #place(shard: number, index: number): number {
    return index * this.shards + shard;
  }

  /**
   * Position in the bucket memory of the bucket that `hv` belongs to.
   * @hot
   */
  #bucketAt(hv: number): number {
    const shard = this.shardOf(hv);
    const count = this.#control.u32[this.#record(shard) + ShardWord.BUCKETS]!;
    return this.#place(shard, bucketIndex(hv, count));
  }

  /** @hot */
  #assertHeld(shard: number): void {
    assert(this.#locks.holds(this.lockOfShard(shard), LockRank.BUCKET), "The shard is not held");
  }

  /**
   * The item with the key `block[from, from + nkey)`, or {@linkcode NO_ITEM}. Caller holds the
   * shard's lock.
   * @hot
   */
  findLocked(hv: number, block: Block, from: number, nkey: number): ItemRef {
    if (CHECKS) this.#assertHeld(this.shardOf(hv));
    const items = this.#items;
    let it = this.#buckets[this.#bucketAt(hv)]! as ItemRef;
    while (it !== NO_ITEM) {
      if (itemHasKey(items, it, block, from, nkey)) return it;
      it = itemChain(items, it);
    }
    return NO_ITEM;
  }

  /** Whether `it` is in the bucket of `hv`. Caller holds the shard's lock. */
  hasLocked(hv: number, it: ItemRef): boolean {
    if (CHECKS) this.#assertHeld(this.shardOf(hv));
    let found = this.#buckets[this.#bucketAt(hv)]! as ItemRef;
    while (found !== NO_ITEM && found !== it) found = itemChain(this.#items, found);
    return found === it;
  }

  /**
   * Puts an item that is in no chain into its bucket: from here on others find it. Grows the shard
   * by a bucket when it has more items than buckets. Caller holds the shard's lock.
   * @hot
   */
  insertLocked(hv: number, it: ItemRef): void {
    const shard = this.shardOf(hv);
    if (CHECKS) this.#assertHeld(shard);
    const record = this.#record(shard);
    const { u32 } = this.#control;
    const at = this.#bucketAt(hv);
    if (CHECKS) assert(this.#buckets[at] !== it, "Item is in its bucket already");
    setItemChain(this.#items, it, this.#buckets[at]! as ItemRef);
    this.#buckets[at] = it;
    const count = u32[record + ShardWord.ITEMS]! + 1;
    u32[record + ShardWord.ITEMS] = count;
    const buckets = u32[record + ShardWord.BUCKETS]!;
    if (count > buckets && buckets < this.#bucketsMax) this.#growLocked(shard, buckets);
  }

  /** Adds the bucket `count` to the shard, and moves there what belongs to it. */
  #growLocked(shard: number, count: number): void {
    if (CHECKS) this.#assertHeld(shard);
    const parentAt = this.#place(shard, bucketIndex(count, count));
    let it = this.#buckets[parentAt]! as ItemRef;
    let stay: ItemRef = NO_ITEM;
    let move: ItemRef = NO_ITEM;
    while (it !== NO_ITEM) {
      const next = itemChain(this.#items, it);
      if (bucketIndex(this.hashOf(it), count + 1) === count) {
        setItemChain(this.#items, it, move);
        move = it;
      } else {
        setItemChain(this.#items, it, stay);
        stay = it;
      }
      it = next;
    }
    this.#buckets[parentAt] = stay;
    this.#buckets[this.#place(shard, count)] = move;
    this.#control.u32[this.#record(shard) + ShardWord.BUCKETS] = count + 1;
  }

  /**
   * Takes an item out of its chain. Caller holds the shard's lock.
   * @hot
   */
  removeLocked(hv: number, it: ItemRef): void {
    const shard = this.shardOf(hv);
    if (CHECKS) this.#assertHeld(shard);
    const items = this.#items;
    const record = this.#record(shard);
    const at = this.#bucketAt(hv);
    const after = itemChain(items, it);
    const head = this.#buckets[at]! as ItemRef;
    if (head === it) this.#buckets[at] = after;
    else setItemChain(items, this.#before(head, it), after);
    setItemChain(items, it, NO_ITEM);
    const count = this.#control.u32[record + ShardWord.ITEMS]!;
    if (CHECKS) assert(count > 0, "Item removed from a shard that counts none");
    this.#control.u32[record + ShardWord.ITEMS] = count - 1;
  }

  /**
   * Puts `it`, which is in no chain, in the place of `old`, which has the same key. Caller holds
   * the shard's lock.
   * @hot
   */
  swapLocked(hv: number, old: ItemRef, it: ItemRef): void {
    if (CHECKS) this.#assertHeld(this.shardOf(hv));
    if (CHECKS) assert(old !== it, "Item put in its own place");
    const items = this.#items;
    const at = this.#bucketAt(hv);
    setItemChain(items, it, itemChain(items, old));
    const head = this.#buckets[at]! as ItemRef;
    if (head === old) this.#buckets[at] = it;
    else setItemChain(items, this.#before(head, old), it);
    setItemChain(items, old, NO_ITEM);
  }

  #before(head: ItemRef, it: ItemRef): ItemRef {
    let before = head;
    while (before !== NO_ITEM && itemChain(this.#items, before) !== it) {
      before = itemChain(this.#items, before);
    }
    assert(before !== NO_ITEM, "Item is not in its hash chain");
    return before;
  }

  /**
   * Bucket of a shard at `position` of a walk, which starts at 0 and ends at {@linkcode walkEnd}.
   * Caller holds the shard's lock.
   *
   * Positions are the low bits of a hash read backwards, so that the hashes of one bucket lie side
   * by side and a bucket that is split becomes its two halves in place: a walk sees every item that
   * is there all the time once, however much the shard grows meanwhile.
   */
  bucketAtLocked(shard: number, position: number): number {
    if (CHECKS) this.#assertHeld(shard);
    return bucketIndex(reverseBits(position) >>> (32 - this.#shift), this.bucketsOf(shard));
  }

  /** Position of a walk after bucket `index`. Caller holds the shard's lock. */
  positionAfterLocked(shard: number, position: number, index: number): number {
    if (CHECKS) this.#assertHeld(shard);
    return position + 2 ** (this.#shift - bitsOf(index, this.bucketsOf(shard)));
  }

  /** Position at which a walk through a shard ends. */
  get walkEnd(): number {
    return 2 ** this.#shift;
  }

  /** Buckets of all shards together. */
  get bucketCount(): number {
    let count = 0;
    for (let shard = 0; shard < this.shards; shard++) count += this.bucketsOf(shard);
    return count;
  }

  /** Buckets of one shard. */
  bucketsOf(shard: number): number {
    return this.#control.u32[this.#record(shard) + ShardWord.BUCKETS]!;
  }

  /** Items of one shard. */
  itemsOf(shard: number): number {
    return this.#control.u32[this.#record(shard) + ShardWord.ITEMS]!;
  }

  /** First item of bucket `index` of a shard. */
  headOf(shard: number, index: number): ItemRef {
    return this.#buckets[this.#place(shard, index)]! as ItemRef;
  }
}

/**
 * Bucket of `hv` in a shard of `count` buckets: the low bits of `hv`, one bit fewer where that
 * bucket does not exist yet.
 * @hot
 */
export function bucketIndex(hv: number, count: number): number {
  const mask = -1 >>> Math.clz32(count - 1);
  const index = count === 1 ? 0 : hv & mask;
  return index < count ? index : index & (mask >>> 1);
}

/** How many low bits all hashes of bucket `index` share, in a shard of `count` buckets. */
function bitsOf(index: number, count: number): number {
  if (count === 1) return 0;
  const bits = 32 - Math.clz32(count - 1);
  const half = 2 ** (bits - 1);
  return index >= half || index + half < count ? bits : bits - 1;
}

/** The 32 bits of `word` in the opposite order. */
function reverseBits(word: number): number {
  let bits = ((word >>> 1) & 0x55555555) | ((word & 0x55555555) << 1);
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
  bits = ((bits >>> 4) & 0x0f0f0f0f) | ((bits & 0x0f0f0f0f) << 4);
  bits = ((bits >>> 8) & 0x00ff00ff) | ((bits & 0x00ff00ff) << 8);
  return ((bits >>> 16) | (bits << 16)) >>> 0;
}
