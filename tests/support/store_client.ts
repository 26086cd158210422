// A client of the store without a protocol: each method does to the store what the command of its
// name does, with the same locks in the same order. For the tests of the store.

import { Buffer } from "node:buffer";
import { ascii } from "../../lib/base/ascii.ts";
import { Block } from "../../lib/base/block.ts";
import { U64 } from "../../lib/base/u64.ts";
import { addDeltaLocked, Added } from "../../lib/store/update/add_delta.ts";
import { allocate } from "../../lib/store/room/allocate.ts";
import { bumpLocked, touchLocked } from "../../lib/store/update/bump.ts";
import { isChunked } from "../../lib/store/item/chunk.ts";
import { toExptime } from "../../lib/store/item/exptime.ts";
import { itemClientFlags, type ItemRef, NO_ITEM, readItemCas } from "../../lib/store/item/item.ts";
import { isRefused, Refusal as Refused, Stored, StoreMode } from "../../lib/store/outcome.ts";
import {
  findLocked,
  hashKey,
  lockShard,
  releaseItem,
  retainLocked,
  unlinkLocked,
  unlockShard,
} from "../../lib/store/link.ts";
import type { Store } from "../../lib/store/store.ts";
import { ValueCursor } from "../../lib/store/item/value_cursor.ts";
import { takeAllChunks } from "../../lib/store/room/value_chunks.ts";
import { storeLocked } from "../../lib/store/update/storing.ts";

const CRLF = "\r\n";
const KEY_BYTES_MAX = 250;

/** How a command ended that did not simply succeed. */
export type Refusal =
  | "NOT_STORED"
  | "EXISTS"
  | "NOT_FOUND"
  | "NON_NUMERIC"
  | "NO_MEMORY"
  | "TOO_LARGE";

/** What a get answers. */
export interface Found {
  /** One character for each byte. */
  readonly value: string;
  readonly flags: number;
  readonly cas: bigint;
}

/** A found item that the client holds, so that its memory stays. */
export interface Held extends Found {
  readonly it: ItemRef;
}

/** What a stored item is made of, besides its key and value. */
export interface Attributes {
  /** u32; default 0. */
  readonly flags?: number;
  /** As a client sends it: seconds or a Unix date; default 0, never. */
  readonly exptime?: number;
  /** The version the client knows, for cas. */
  readonly cas?: bigint;
}

const REFUSALS: Readonly<Record<Exclude<Stored, typeof Stored.STORED>, Refusal>> = {
  [Stored.NOT_STORED]: "NOT_STORED",
  [Stored.EXISTS]: "EXISTS",
  [Stored.NOT_FOUND]: "NOT_FOUND",
};

/** `value` as the two words the store works with. */
export function toU64(value: bigint): U64 {
  const words = new U64();
  words.set(Number(value >> 32n & 0xffffffffn), Number(value & 0xffffffffn));
  return words;
}

/** Both words as one number. */
export function toBigInt(words: U64): bigint {
  return BigInt(words.hi) << 32n | BigInt(words.lo);
}

/** `bytes[from, to)` as text, each byte the character of its number. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");
}

/** Commands on one thread's store. */
export class StoreClient {
  readonly store: Store;
  readonly #key = new Block(new ArrayBuffer(KEY_BYTES_MAX));
  readonly #cas = new U64();
  readonly #pieces = new ValueCursor();
  readonly #result = new U64();

  constructor(store: Store) {
    this.store = store;
  }

  /** Hash of `key`, which is left in `#key`. */
  #hash(key: string): number {
    this.#key.bytes.set(ascii(key));
    return hashKey(this.store, this.#key, 0, key.length);
  }

  /** Runs `command` on the item with `key`, or NO_ITEM, under the lock of its shard. */
  #locked<T>(key: string, command: (it: ItemRef, hv: number) => T): T {
    const hv = this.#hash(key);

    lockShard(this.store, hv);
    const result = command(findLocked(this.store, hv, this.#key, 0, key.length), hv);
    unlockShard(this.store, hv);

    return result;
  }

  #read(it: ItemRef): Found {
    const { store } = this;
    readItemCas(store.items, it, this.#cas);
    return {
      value: this.#valueOf(it).slice(0, -CRLF.length),
      flags: itemClientFlags(store.items, it),
      cas: toBigInt(this.#cas),
    };
  }

  #valueOf(it: ItemRef): string {
    const { items } = this.store;
    let text = "";
    this.#pieces.open(items, it);
    do {
      const { segment, at, to } = this.#pieces;
      text += textOf(items.blocks[segment]!.bytes, at, to);
    } while (this.#pieces.openNext(items));
    return text;
  }

  /** The item with `key`, dead or alive. */
  find(key: string): ItemRef {
    const hv = this.#hash(key);

    lockShard(this.store, hv);
    const it = this.store.assoc.findLocked(hv, this.#key, 0, key.length);
    unlockShard(this.store, hv);

    return it;
  }

  /** What is stored under `key`, dead or alive, without counting as a read. */
  peek(key: string): Held | undefined {
    const it = this.find(key);
    return it === NO_ITEM ? undefined : { ...this.#read(it), it };
  }

  /** get: counts as a read. */
  get(key: string): Found | undefined {
    return this.#locked(key, (it) => {
      if (it === NO_ITEM) return undefined;
      bumpLocked(this.store, it);
      return this.#read(it);
    });
  }

  /** gat: a get that changes the expiry. */
  gat(key: string, exptime: number): Found | undefined {
    return this.#locked(key, (it) => {
      if (it === NO_ITEM) return undefined;
      touchLocked(this.store, it, toExptime(exptime, this.store.clock));
      return this.#read(it);
    });
  }

  /** A get whose value is sent later: the caller lets go of it. */
  tryHold(key: string): Held | undefined {
    return this.#locked(key, (it) => {
      if (it === NO_ITEM || !retainLocked(this.store, it)) return undefined;
      bumpLocked(this.store, it);
      return { ...this.#read(it), it };
    });
  }

  /** A {@linkcode tryHold} of an item that must be there. */
  hold(key: string): Held {
    const held = this.tryHold(key);
    if (held === undefined) throw new Error(`Cannot hold ${key}: not found`);
    return held;
  }

  /** The value of a held item as it is now. Takes no lock, as a slow send does not. */
  valueOf({ it }: Held): string {
    return this.#read(it).value;
  }

  /** Ends a hold. */
  letGo({ it }: Held): void {
    releaseItem(this.store, it);
  }

  /** Makes the item of a storage command, value and all; nobody else can find it yet. */
  make(key: string, value: string, attributes: Attributes = {}): ItemRef | Refused {
    const { store } = this;
    const { flags = 0, exptime = 0 } = attributes;
    this.#hash(key);
    const seconds = toExptime(exptime, store.clock);
    const nbytes = value.length + CRLF.length;
    const it = allocate(store, this.#key, 0, key.length, flags, seconds, nbytes);
    if (isRefused(it)) return it;
    if (isChunked(store.items, it) && !takeAllChunks(store, it)) {
      releaseItem(store, it);
      return Refused.NO_MEMORY;
    }
    const bytes = Buffer.from(value + CRLF, "latin1");
    this.#pieces.open(store.items, it);
    this.#fill(bytes);
    return it;
  }

  /** Fills the value that `#pieces` is at the start of. */
  #fill(bytes: Uint8Array): void {
    const { items } = this.store;
    let from = 0;
    do {
      const { segment, at, to } = this.#pieces;
      items.blocks[segment]!.bytes.set(bytes.subarray(from, from + to - at), at);
      from += to - at;
    } while (this.#pieces.openNext(items));
  }

  /** set, add, replace, append, prepend or cas. */
  put(
    mode: StoreMode,
    key: string,
    value: string,
    attributes: Attributes = {},
  ): "STORED" | Refusal {
    const { store } = this;
    const it = this.make(key, value, attributes);
    if (isRefused(it)) {
      const refusal = it === Refused.TOO_LARGE ? "TOO_LARGE" : "NO_MEMORY";
      if (mode === StoreMode.SET) this.delete(key);
      return refusal;
    }
    const hv = this.#hash(key);
    const cas = toU64(attributes.cas ?? 0n);

    lockShard(store, hv);
    const stored = storeLocked(store, hv, it, mode, cas);
    unlockShard(store, hv);

    return stored === Stored.STORED ? "STORED" : REFUSALS[stored];
  }

  /** set. */
  set(key: string, value: string, attributes: Attributes = {}): "STORED" | Refusal {
    return this.put(StoreMode.SET, key, value, attributes);
  }

  /** incr and decr: the new number. */
  add(key: string, delta: bigint, increment = true): bigint | Refusal {
    const words = toU64(delta);
    return this.#locked(key, (found, hv) => {
      let it = found;
      for (let looks = 0; it !== NO_ITEM; looks++) {
        const added = addDeltaLocked(this.store, hv, it, increment, words, this.#result, looks);
        if (added === Added.OK) return toBigInt(this.#result);
        if (added === Added.NON_NUMERIC) return "NON_NUMERIC";
        if (added === Added.NO_MEMORY) return "NO_MEMORY";
        this.#hash(key);
        it = findLocked(this.store, hv, this.#key, 0, key.length);
      }
      return "NOT_FOUND";
    });
  }

  /** delete: whether it was there. */
  delete(key: string): boolean {
    return this.#locked(key, (it, hv) => {
      if (it !== NO_ITEM) unlinkLocked(this.store, hv, it);
      return it !== NO_ITEM;
    });
  }

  /** touch: whether it was there. */
  touch(key: string, exptime: number): boolean {
    return this.#locked(key, (it) => {
      if (it !== NO_ITEM) touchLocked(this.store, it, toExptime(exptime, this.store.clock));
      return it !== NO_ITEM;
    });
  }
}
