// delete and flush of the binary protocol.

import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { NO_CAS, Status, writeDone, writeStatus } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { type ItemRef, NO_ITEM, readItemCas } from "../../store/item/item.ts";
import { DeletedBy, logDeletedLocked } from "../../store/item_events.ts";
import { findLocked, hashKey, lockShard, unlinkLocked, unlockShard } from "../../store/link.ts";
import { classOf } from "../../store/lru/lists.ts";
import { assertShardHeld } from "../../store/shard_held.ts";
import { flushAt, flushNow } from "../../store/whole_store.ts";
import type { Executor } from "../executor.ts";
import { Outcome } from "../session.ts";

const cas = new U64();

/**
 * Runs DELETE, or its quiet form. Takes: bucket, LRU, slab.
 * Source: memcached proto_bin.c, process_bin_delete.
 */
export function runBinaryDelete(
  executor: Executor,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { store, counters } = executor;
  const { keyFrom, keyTo, nkey } = request;
  if (store.prefixes.isOn) store.prefixes.countDelete(block, keyFrom, keyTo);
  const hv = hashKey(store, block, keyFrom, keyTo);

  lockShard(store, hv);
  const it = findLocked(store, hv, block, keyFrom, nkey);
  const isDeleted = it !== NO_ITEM && deleteLocked(executor, hv, it, request);
  unlockShard(store, hv);

  if (it === NO_ITEM) {
    counters.add(Counter.DELETE_MISSES, 1);
    writeStatus(replies, request, Status.NOT_FOUND);
  } else if (!isDeleted) writeStatus(replies, request, Status.EXISTS);
  else writeDone(replies, request, NO_CAS);
  return Outcome.DONE;
}

/** Unlinks `it`, if the packet names its version or none. Caller holds the shard's lock. */
function deleteLocked(
  { store, counters }: Executor,
  hv: number,
  it: ItemRef,
  request: BinaryRequest,
): boolean {
  assertShardHeld(store, hv);
  readItemCas(store.items, it, cas);
  if (!request.cas.isZero && !cas.equals(request.cas)) return false;
  counters.addClass(classOf(store.items, it), ClassCounter.DELETE_HITS, 1);
  logDeletedLocked(store, it, DeletedBy.DELETE);
  unlinkLocked(store, hv, it);
  return true;
}

/**
 * Runs FLUSH, or its quiet form; a refused one is not counted. Takes: settings.
 * Source: memcached proto_bin.c, process_bin_flush.
 */
export function runBinaryFlush(
  { store, counters, settings }: Executor,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  if (!settings.flushEnabled) {
    writeStatus(replies, request, Status.AUTH_FAILURE);
    return Outcome.DONE;
  }
  counters.add(Counter.CMD_FLUSH, 1);
  const delay = request.extrasBytes > 0 ? block.view.getUint32(request.extrasFrom) : 0;
  if (delay === 0) flushNow(store);
  else flushAt(store, toExptime(delay, store.clock));
  writeDone(replies, request, NO_CAS);
  return Outcome.DONE;
}
