// The end of a binary set, add, replace, append or prepend: the value is complete, the item is
// stored, and the reply is made of the packet's header, which the session has kept.

import { Variant } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { Status, writeDone, writeStatus } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { lockShard, releaseItem, unlockShard } from "../../store/link.ts";
import { classOf } from "../../store/lru/lists.ts";
import { Stored } from "../../store/outcome.ts";
import { storeMetaLocked } from "../../store/update/storing_meta.ts";
import { endInCrlf } from "../../store/room/value_chunks.ts";
import type { Executor } from "../executor.ts";
import type { Session } from "../session.ts";
import { hashItemKey, takeReceived } from "../value_receive.ts";

/**
 * Stores the item whose value is complete, and answers. Takes: bucket, LRU, slab.
 * Source: memcached proto_bin.c, complete_update_bin.
 * @hot
 */
export function finishBinaryStorage(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  replies: ReplyBuffer,
): void {
  const { store, counters } = executor;
  const { storage } = session;
  const it = takeReceived(session);
  if (!endInCrlf(store, it, session.valueChunk, session.valueAt)) {
    counters.add(Counter.STORE_NO_MEMORY, 1);
    releaseItem(store, it);
    return writeStatus(replies, request, Status.NO_MEMORY_DURING_READ);
  }
  counters.addClass(classOf(store.items, it), ClassCounter.CMD_SET, 1);
  const hv = hashItemKey(store, it);

  lockShard(store, hv);
  const stored = storeMetaLocked(store, hv, it, session.mode, storage);
  unlockShard(store, hv);

  if (stored === Stored.STORED) writeDone(replies, request, storage.cas);
  else writeStatus(replies, request, statusOf(stored, request));
}

/**
 * The status for a value that was not stored. Source: memcached proto_bin.c, complete_update_bin.
 */
function statusOf(stored: Stored, { opcode }: BinaryRequest): Status {
  if (stored === Stored.EXISTS) return Status.EXISTS;
  if (stored === Stored.NOT_FOUND) return Status.NOT_FOUND;
  if (opcode.variant === Variant.ADD) return Status.EXISTS;
  return opcode.variant === Variant.REPLACE ? Status.NOT_FOUND : Status.NOT_STORED;
}
