// Putting a received item in its place as ms asks: with a version to compare or to give, stale, or
// where there was none to append to.
//
// Source: memcached memcached.c, do_store_item.

import { CHECKS } from "../../base/assert.ts";
import { CRLF_BYTES } from "../../base/ascii.ts";
import { U64 } from "../../base/u64.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { makeRoomUnlocked } from "../room/allocate.ts";
import { updateLocked } from "./bump.ts";
import {
  blockOf,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemNbytes,
  itemNkey,
  type ItemRef,
  NO_ITEM,
  readItemCas,
  setItemCas,
  setItemExptime,
  setItemFlags,
} from "../item/item.ts";
import { logStored } from "../item_events.ts";
import { classOf } from "../lru/lists.ts";
import { findLocked, linkLocked, releaseItem, replaceLocked } from "../link.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";
import { joinLocked } from "./storing.ts";
import { isRefused, type Refusal, Stored, StoreMode } from "../outcome.ts";

/** How an item is to be stored, and what came of it. */
export class MetaStorage {
  /** The item comes from ms. */
  isMeta = false;
  isQuiet = false;
  /** {@linkcode compare} must be the version of the item that is there. */
  compares = false;
  readonly compare = new U64();
  /** A version older than the item's stores all the same, and leaves it stale. */
  invalidates = false;
  /** The version to give; 0 for the next one. */
  readonly explicit = new U64();
  /** Where there is nothing to append to, the item is stored with {@linkcode vivifyExptime}. */
  vivifies = false;
  vivifyExptime = 0;
  /** Bytes in use of the flags that come back. */
  returned = 0;
  /** Of the item as it is stored: version, and value length in bytes. */
  readonly cas = new U64();
  size = 0;

  /**
   * Asks for nothing but that the item that is there has the version `cas`; 0 for any.
   * @hot
   */
  onlyCompare(cas: U64): void {
    this.compares = !cas.isZero;
    this.compare.set(cas.hi, cas.lo);
    this.invalidates = false;
    this.explicit.set(0, 0);
    this.vivifies = false;
  }
}

const current = new U64();

/**
 * Stores `it`, whose value is complete, or releases it: the caller's hold ends here. Caller holds
 * the shard's lock. Takes: LRU, slab.
 *
 * @param looks Times that a join found no memory and the lock was released to make room.
 */
export function storeMetaLocked(
  store: Store,
  hv: number,
  it: ItemRef,
  mode: StoreMode,
  how: MetaStorage,
  looks = 0,
): Stored {
  const { items } = store;
  const old = findLocked(
    store,
    hv,
    blockOf(store.items, it),
    itemKeyAt(items, it),
    itemNkey(items, it),
  );
  how.size = itemNbytes(items, it) - CRLF_BYTES;
  const stored = decideMetaStore(store, old, mode, how);
  const shown = how.compares && mode === StoreMode.SET ? StoreMode.CAS : mode;
  if (stored !== Stored.STORED) {
    logStored(store, it, stored, shown);
    releaseItem(store, it);
    return stored;
  }
  const left = putLocked(store, hv, old, it, mode, how);
  if (isRefused(left)) {
    if (makeRoomUnlocked(store, left, hv, old, looks)) {
      return storeMetaLocked(store, hv, it, mode, how, looks + 1);
    }
    logStored(store, it, Stored.NOT_STORED, mode);
    releaseItem(store, it);
    return Stored.NOT_STORED;
  }
  logStored(store, left, Stored.STORED, shown);
  if (!how.explicit.isZero) setItemCas(items, left, how.explicit);
  readItemCas(items, left, how.cas);
  how.size = itemNbytes(items, left) - CRLF_BYTES;
  return Stored.STORED;
}

/** Decides whether the item may be stored, and counts. Caller holds the shard's lock. */
function decideMetaStore(store: Store, old: ItemRef, mode: StoreMode, how: MetaStorage): Stored {
  const joins = mode === StoreMode.APPEND || mode === StoreMode.PREPEND;
  if (mode === StoreMode.ADD) {
    if (old === NO_ITEM) return Stored.STORED;
    updateLocked(store, old);
    return Stored.NOT_STORED;
  }
  if (old === NO_ITEM) {
    if (joins) return how.vivifies ? Stored.STORED : Stored.NOT_STORED;
    if (how.compares) {
      store.counters.add(Counter.CAS_MISSES, 1);
      return Stored.NOT_FOUND;
    }
    return mode === StoreMode.SET ? Stored.STORED : Stored.NOT_STORED;
  }
  if (!how.compares) return Stored.STORED;
  readItemCas(store.items, old, current);
  const isSame = !current.isZero && current.equals(how.compare);
  if (joins) {
    // Version 0 asks for nothing here, nor does any with -C; and it is not counted as a cas.
    const isAsked = !how.compare.isZero && store.shape.useCas;
    return isSame || !isAsked ? Stored.STORED : Stored.EXISTS;
  }
  const clsid = classOf(store.items, old);
  if (isSame || isStale(store, old, how)) {
    store.counters.addClass(clsid, ClassCounter.CAS_HITS, 1);
    return Stored.STORED;
  }
  store.counters.addClass(clsid, ClassCounter.CAS_BADVAL, 1);
  return Stored.EXISTS;
}

/**
 * Whether the client knows an older version than that of `old`, and may store all the same. No
 * client can know version 0.
 */
function isStale(store: Store, old: ItemRef, how: MetaStorage): boolean {
  if (!how.compares || !how.invalidates || how.compare.isZero) return false;
  readItemCas(store.items, old, current);
  return how.compare.isBelow(current);
}

/**
 * Puts `it` in its place. Caller holds the shard's lock.
 *
 * @returns The item that is there now; or why there is none, and then the caller still holds `it`.
 */
function putLocked(
  store: Store,
  hv: number,
  old: ItemRef,
  it: ItemRef,
  mode: StoreMode,
  how: MetaStorage,
): ItemRef | Refusal {
  if (CHECKS) assertShardHeld(store, hv);
  const { items } = store;
  if (old === NO_ITEM) {
    if (mode === StoreMode.APPEND || mode === StoreMode.PREPEND) {
      setItemExptime(items, it, how.vivifyExptime);
    }
    linkLocked(store, hv, it);
    return it;
  }
  if (mode === StoreMode.APPEND || mode === StoreMode.PREPEND) {
    const joined = joinLocked(store, hv, old, it, mode);
    if (!isRefused(joined)) releaseItem(store, it);
    return joined;
  }
  if (isStale(store, old, how)) {
    // A late value: clients may use it until one of them makes a new value. The token that one of
    // them has stays valid.
    const sent = itemFlags(items, old) & ItemFlag.TOKEN_SENT;
    setItemExptime(items, it, itemExptime(items, old));
    setItemFlags(items, it, itemFlags(items, it) | ItemFlag.STALE | sent);
  }
  replaceLocked(store, hv, old, it);
  return it;
}
