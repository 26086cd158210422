// `stats detail`: how often keys were read, found, stored and deleted, by prefix. A prefix is what
// stands before the first delimiter (`-D`) of a key; a key without one is not counted.
//
//   lines:    [ lock | prefixes ]
//   slots:    [ 0 or 1 + number of a prefix | … ]         open addressing, by hash
//   prefixes: [ get | hit | set | del ][ length | hash ][ the prefix, 250 bytes, and zeros ]
//
// All threads share the table, and hold its lock while they count or read. A full table
// takes no more prefixes, and a prefix that is not in it is not counted. Only a reset empties it.
// Source: memcached stats_prefix.c, whose table grows for ever.

import { assert, CHECKS } from "../../base/assert.ts";
import { loadWord, storeWord } from "../../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../../memory/lock.ts";
import { type Control, Global, wordIndex } from "../../memory/regions.ts";
import { latin1 } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { prefixEnd } from "../../base/prefix.ts";
import type { Assoc } from "../table/assoc.ts";

/** Prefixes that are counted at most. */
export const PREFIXES_MAX = 4096;
/** Twice as many, so that a search is short; a power of two. */
const SLOTS = 2 * PREFIXES_MAX;

const WORD_BYTES = 4;
const FLOAT_BYTES = 8;
const HEAD_BYTES = 64;
const NAME_BYTES = 256;
const COUNTS = 4;
const LENGTH_AT = COUNTS * FLOAT_BYTES;
const HASH_AT = LENGTH_AT + WORD_BYTES;
const NAME_AT = HASH_AT + WORD_BYTES;
const RECORD_BYTES = NAME_AT + NAME_BYTES;

const LOCK_AT = 0;
const COUNT_AT = 1;

/** Words of the whole table. */
export const PREFIX_WORDS = (HEAD_BYTES + SLOTS * WORD_BYTES + PREFIXES_MAX * RECORD_BYTES) /
  WORD_BYTES;

/** One thread's way to the table. */
export class PrefixCounts {
  readonly #u32: Uint32Array<SharedArrayBuffer>;
  readonly #f64: Float64Array<SharedArrayBuffer>;
  readonly #u8: Uint8Array<SharedArrayBuffer>;
  readonly #locks: Locks;
  readonly #assoc: Assoc;
  readonly #delimiter: number;
  readonly #lock: LockIndex;
  readonly #countAt: number;
  readonly #slotsAt: number;
  /** Where the records start, in bytes. */
  readonly #recordsAt: number;

  /**
   * @param assoc Whose hash is used: its key is this server's own.
   * @param delimiter The byte that ends a prefix.
   */
  constructor({ u32, f64, regions }: Control, locks: Locks, assoc: Assoc, delimiter: number) {
    this.#u32 = u32;
    this.#f64 = f64;
    this.#u8 = new Uint8Array(u32.buffer);
    this.#locks = locks;
    this.#assoc = assoc;
    this.#delimiter = delimiter;
    this.#lock = wordIndex(regions.prefixesAt) + LOCK_AT as LockIndex;
    this.#countAt = wordIndex(regions.prefixesAt) + COUNT_AT;
    this.#slotsAt = wordIndex(regions.prefixesAt + HEAD_BYTES);
    this.#recordsAt = regions.prefixesAt + HEAD_BYTES + SLOTS * WORD_BYTES;
  }

  /**
   * Whether keys are counted: ask before each count.
   * @hot
   */
  get isOn(): boolean {
    return this.#u32[Global.DETAIL] !== 0;
  }

  /** Begins to count, or stops; what was counted stays. */
  turn(on: boolean): void {
    storeWord(this.#u32, Global.DETAIL, on ? 1 : 0);
  }

  /** Counts that the key `block[from, to)` was asked for. Takes: prefixes. */
  countGet(block: Block, from: number, to: number, isHit: boolean): void {
    this.#count(block, from, to, 0, isHit);
  }

  /** Counts that a value came for the key `block[from, to)`. Takes: prefixes. */
  countSet(block: Block, from: number, to: number): void {
    this.#count(block, from, to, 2, false);
  }

  /** Counts that the key `block[from, to)` was to be deleted. Takes: prefixes. */
  countDelete(block: Block, from: number, to: number): void {
    this.#count(block, from, to, 3, false);
  }

  /** Forgets all prefixes. Takes: prefixes. */
  clear(): void {
    this.#locks.lock(this.#lock, LockRank.PREFIXES);
    this.#u32.fill(0, this.#slotsAt, this.#slotsAt + SLOTS);
    storeWord(this.#u32, this.#countAt, 0);
    this.#locks.unlock(this.#lock, LockRank.PREFIXES);
  }

  /** The answer to `stats detail dump`. Takes: prefixes. */
  dump(): string {
    const lines: string[] = [];
    this.#locks.lock(this.#lock, LockRank.PREFIXES);
    for (let number = 0; number < loadWord(this.#u32, this.#countAt); number++) {
      const at = this.#recordsAt + number * RECORD_BYTES;
      const nameTo = at + NAME_AT + this.#u32[wordIndex(at + LENGTH_AT)]!;
      const countsAt = at / FLOAT_BYTES;
      const [get, hit, set, del] = this.#f64.subarray(countsAt, countsAt + COUNTS);
      const name = latin1(this.#u8, at + NAME_AT, nameTo);
      lines.push(`PREFIX ${name} get ${get} hit ${hit} set ${set} del ${del}\r\n`);
    }
    this.#locks.unlock(this.#lock, LockRank.PREFIXES);
    return lines.join("") + "END\r\n";
  }

  /** @param column Which of the counts; a hit is counted in the one behind it, too. */
  #count(block: Block, from: number, to: number, column: number, isHit: boolean): void {
    const { bytes } = block;
    const end = prefixEnd(bytes, from, to, this.#delimiter);
    if (end === to) return;
    const hash = this.#assoc.hash(block, from, end); // No client can make two that are alike.
    this.#locks.lock(this.#lock, LockRank.PREFIXES);
    const at = this.#recordLocked(bytes, from, end, hash);
    if (at > 0) {
      this.#f64[at / FLOAT_BYTES + column]! += 1;
      if (isHit) this.#f64[at / FLOAT_BYTES + column + 1]! += 1;
    }
    this.#locks.unlock(this.#lock, LockRank.PREFIXES);
  }

  /** Where the record of a prefix is, in bytes; a new one if need be; 0 when the table is full. */
  #recordLocked(bytes: Uint8Array, from: number, to: number, hash: number): number {
    if (CHECKS) this.#assertHeld();
    let slot = hash % SLOTS;
    for (;;) {
      const entry = this.#u32[this.#slotsAt + slot]!;
      if (entry === 0) return this.#addLocked(bytes, from, to, hash, slot);
      const at = this.#recordsAt + (entry - 1) * RECORD_BYTES;
      if (this.#matchesLocked(at, bytes, from, to, hash)) return at;
      slot = (slot + 1) % SLOTS;
    }
  }

  #assertHeld(): void {
    assert(this.#locks.holds(this.#lock, LockRank.PREFIXES), "The prefixes are not held");
  }

  #matchesLocked(at: number, bytes: Uint8Array, from: number, to: number, hash: number): boolean {
    if (this.#u32[wordIndex(at + HASH_AT)] !== hash) return false;
    if (this.#u32[wordIndex(at + LENGTH_AT)] !== to - from) return false;
    for (let index = 0; index < to - from; index++) {
      if (this.#u8[at + NAME_AT + index] !== bytes[from + index]) return false;
    }
    return true;
  }

  #addLocked(bytes: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    if (CHECKS) this.#assertHeld();
    const number = this.#u32[this.#countAt]!;
    if (number === PREFIXES_MAX) return 0;
    const at = this.#recordsAt + number * RECORD_BYTES;
    this.#f64.fill(0, at / FLOAT_BYTES, at / FLOAT_BYTES + COUNTS);
    this.#u32[wordIndex(at + LENGTH_AT)] = to - from;
    this.#u32[wordIndex(at + HASH_AT)] = hash;
    this.#u8.set(bytes.subarray(from, to), at + NAME_AT);
    this.#u32[this.#slotsAt + slot] = number + 1;
    this.#u32[this.#countAt] = number + 1;
    return at;
  }
}
