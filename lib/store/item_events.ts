// What happens to items, as records of the log. logFoundLocked relies on its caller to have asked
// `store.log.wants`; the rest ask themselves.

import { CHECKS } from "../base/assert.ts";
import { CRLF_BYTES } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";
import { LogType, Watched } from "../log/event_log.ts";
import {
  blockOf,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemNbytes,
  itemNkey,
  type ItemRef,
  itemTime,
  NO_ITEM,
} from "./item/item.ts";
import { classOf } from "./lru/lists.ts";
import { type Lookup, Refusal, type Stored, type StoreMode } from "./outcome.ts";
import { assertAnyShardHeld } from "./shard_held.ts";
import type { Store } from "./store.ts";

/** How a value ended that was refused, behind those of `Stored`. */
const TOO_LARGE = 4;
const NO_MEMORY = 5;

/** A deletion by which command. */
export const DeletedBy = { DELETE: 0, MD: 1 } as const;
export type DeletedBy = typeof DeletedBy[keyof typeof DeletedBy];

function sizeOf({ items }: Store, it: ItemRef): number {
  return itemNbytes(items, it) - CRLF_BYTES;
}

/**
 * Logs that a key was looked up. Caller holds the shard.
 *
 * @param it The item that was found, or {@linkcode NO_ITEM}.
 */
export function logFoundLocked(
  store: Store,
  it: ItemRef,
  lookup: Lookup,
  block: Block,
  keyFrom: number,
  nkey: number,
): void {
  if (CHECKS) assertAnyShardHeld(store);
  const { log, turn } = store;
  const clsid = it === NO_ITEM ? 0 : classOf(store.items, it);
  const size = it === NO_ITEM ? 0 : sizeOf(store, it);
  log.write(LogType.ITEM_GET, lookup, clsid, turn.fd, size, block.bytes, keyFrom, nkey);
}

/**
 * Logs how the value in `it` ended, if a client watches for it. Caller holds `it`.
 * @hot
 */
export function logStored(store: Store, it: ItemRef, stored: Stored, mode: StoreMode): void {
  if (store.log.wants(Watched.MUTATIONS)) writeStored(store, it, stored, mode);
}

function writeStored(store: Store, it: ItemRef, stored: Stored, mode: StoreMode): void {
  const { items, log, clock, turn } = store;
  const exptime = itemExptime(items, it);
  log.write(
    LogType.ITEM_STORE,
    stored | (mode << 8) | (classOf(items, it) << 16),
    exptime === 0 ? 0 : exptime - clock.now, // Below 0 it shows as memcached's does, modulo 2^32.
    turn.fd,
    sizeOf(store, it),
    blockOf(store.items, it).bytes,
    itemKeyAt(items, it),
    itemNkey(items, it),
  );
}

/** Logs that there is no room for the value of a key: its class and connection are 0. */
export function logRefused(
  { log }: Store,
  refusal: Refusal,
  mode: StoreMode,
  bytes: Uint8Array,
  keyFrom: number,
  nkey: number,
): void {
  if (!log.wants(Watched.MUTATIONS)) return;
  const status = refusal === Refusal.TOO_LARGE ? TOO_LARGE : NO_MEMORY;
  log.write(LogType.ITEM_STORE, status | (mode << 8), 0, 0, 0, bytes, keyFrom, nkey);
}

/** Logs that `it` is deleted. Caller holds its shard. */
export function logDeletedLocked(store: Store, it: ItemRef, by: DeletedBy): void {
  if (CHECKS) assertAnyShardHeld(store);
  const { items, log, turn } = store;
  if (!log.wants(Watched.DELETIONS)) return;
  log.write(
    LogType.DELETED,
    by,
    classOf(items, it),
    turn.fd,
    sizeOf(store, it),
    blockOf(store.items, it).bytes,
    itemKeyAt(items, it),
    itemNkey(items, it),
  );
}

/** Logs that `it` is evicted. Caller holds its shard. */
export function logEvictedLocked(store: Store, it: ItemRef): void {
  if (CHECKS) assertAnyShardHeld(store);
  const { items, log, clock: { now } } = store;
  if (!log.wants(Watched.EVICTIONS)) return;
  const fetched = (itemFlags(items, it) & ItemFlag.FETCHED) === 0 ? 0 : 1;
  const exptime = itemExptime(items, it);
  log.write(
    LogType.EVICTION,
    fetched | (classOf(items, it) << 8),
    exptime === 0 ? -1 : exptime - now,
    now - itemTime(items, it),
    sizeOf(store, it),
    blockOf(store.items, it).bytes,
    itemKeyAt(items, it),
    itemNkey(items, it),
  );
}
