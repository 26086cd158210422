// Putting a received item in its place: set, add, replace, append, prepend and cas.
//
// Source: memcached memcached.c, do_store_item.

import { CHECKS } from "../../base/assert.ts";
import { CRLF_BYTES } from "../../base/ascii.ts";
import { U64 } from "../../base/u64.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { allocate, makeRoomUnlocked } from "../room/allocate.ts";
import { updateLocked } from "./bump.ts";
import { isChunked } from "../item/chunk.ts";
import {
  blockOf,
  itemClientFlags,
  itemExptime,
  itemKeyAt,
  itemNbytes,
  itemNkey,
  type ItemRef,
  keepKeyForm,
  NO_ITEM,
  readItemCas,
} from "../item/item.ts";
import { logStored } from "../item_events.ts";
import { classOf } from "../lru/lists.ts";
import { findLocked, linkLocked, releaseItem, replaceLocked } from "../link.ts";
import { isRefused, Refusal, Stored, StoreMode } from "../outcome.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";
import { copyPieces, ValueCursor } from "../item/value_cursor.ts";
import { takeAllChunks } from "../room/value_chunks.ts";

const current = new U64();
const source = new ValueCursor();
const target = new ValueCursor();

/**
 * Stores `it`, whose value is complete, as `mode` asks, or releases it: the caller's hold ends
 * here. Caller holds the shard's lock. Takes: LRU, slab.
 *
 * @param cas The version the client knows; read for {@linkcode StoreMode.CAS} only.
 * @param looks Times that a join found no memory and the lock was released to make room.
 */
export function storeLocked(
  store: Store,
  hv: number,
  it: ItemRef,
  mode: StoreMode,
  cas: U64,
  looks = 0,
): Stored {
  const keyAt = itemKeyAt(store.items, it);
  const old = findLocked(store, hv, blockOf(store.items, it), keyAt, itemNkey(store.items, it));
  const stored = decideStore(store, old, mode, cas);
  if (stored !== Stored.STORED) {
    logStored(store, it, stored, mode);
    releaseItem(store, it);
    return stored;
  }
  if (mode === StoreMode.APPEND || mode === StoreMode.PREPEND) {
    const joined = joinLocked(store, hv, old, it, mode);
    if (isRefused(joined) && makeRoomUnlocked(store, joined, hv, old, looks)) {
      return storeLocked(store, hv, it, mode, cas, looks + 1);
    }
    const end = isRefused(joined) ? Stored.NOT_STORED : Stored.STORED;
    logStored(store, isRefused(joined) ? it : joined, end, mode);
    releaseItem(store, it);
    return end;
  }
  if (old === NO_ITEM) linkLocked(store, hv, it);
  else replaceLocked(store, hv, old, it);
  logStored(store, it, Stored.STORED, mode);
  return Stored.STORED;
}

/** Decides whether `mode` stores an item where `old` is, which may be none. */
function decideStore(store: Store, old: ItemRef, mode: StoreMode, cas: U64): Stored {
  switch (mode) {
    case StoreMode.SET:
      return Stored.STORED;
    case StoreMode.ADD:
      if (old === NO_ITEM) return Stored.STORED;
      updateLocked(store, old);
      return Stored.NOT_STORED;
    case StoreMode.REPLACE:
    case StoreMode.APPEND:
    case StoreMode.PREPEND:
      return old === NO_ITEM ? Stored.NOT_STORED : Stored.STORED;
    case StoreMode.CAS:
      return compareCas(store, old, cas);
  }
}

function compareCas(store: Store, old: ItemRef, cas: U64): Stored {
  if (old === NO_ITEM) {
    store.counters.add(Counter.CAS_MISSES, 1);
    return Stored.NOT_FOUND;
  }
  readItemCas(store.items, old, current);
  // With -C every item reads as version 0, and no cas succeeds.
  if (current.isZero || !current.equals(cas)) {
    store.counters.addClass(classOf(store.items, old), ClassCounter.CAS_BADVAL, 1);
    return Stored.EXISTS;
  }
  store.counters.addClass(classOf(store.items, old), ClassCounter.CAS_HITS, 1);
  return Stored.STORED;
}

/**
 * Replaces `old` by its value and that of `it` together; flags and expiry stay those of `old`.
 * Caller holds the shard's lock, and keeps its hold on `it`. Takes: LRU, slab.
 *
 * @returns The new item, or why there is none.
 */
export function joinLocked(
  store: Store,
  hv: number,
  old: ItemRef,
  it: ItemRef,
  mode: StoreMode,
): ItemRef | Refusal {
  if (CHECKS) assertShardHeld(store, hv);
  const { items } = store;
  const oldBytes = itemNbytes(items, old) - CRLF_BYTES;
  const addedBytes = itemNbytes(items, it) - CRLF_BYTES;
  const joined = allocate(
    store,
    blockOf(store.items, old),
    itemKeyAt(items, old),
    itemNkey(items, old),
    itemClientFlags(items, old),
    itemExptime(items, old),
    oldBytes + addedBytes + CRLF_BYTES,
  );
  if (isRefused(joined)) return joined;
  if (isChunked(items, joined) && !takeAllChunks(store, joined)) {
    releaseItem(store, joined);
    return Refusal.NO_MEMORY;
  }
  const first = mode === StoreMode.APPEND ? old : it;
  const second = mode === StoreMode.APPEND ? it : old;
  target.open(items, joined);
  source.open(items, first);
  copyPieces(items, source, target, itemNbytes(items, first) - CRLF_BYTES);
  source.open(items, second);
  copyPieces(items, source, target, itemNbytes(items, second));
  keepKeyForm(items, old, joined);
  replaceLocked(store, hv, old, joined);
  return joined;
}
