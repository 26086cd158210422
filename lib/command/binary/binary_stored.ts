// The end of a binary set, add, replace, append or prepend: the value has come, the item is stored,
// and the reply made of the packet's header, which the session has kept.

import { Variant } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { Status, writeDone, writeStatus } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { blockOf, itemKeyAt, itemNkey, NO_ITEM } from "../../store/item/item.ts";
import { classOf } from "../../store/lru/lists.ts";
import { Stored } from "../../store/outcome.ts";
import { storeMetaLocked } from "../../store/update/storing_meta.ts";
import { endInCrlf } from "../../store/room/value_chunks.ts";
import type { Executor } from "../executor.ts";
import type { Session } from "../session.ts";
import { hashKey, lockShard, releaseItem, unlockShard } from "../../store/link.ts";

/**
 * Stores the item whose last value byte has come, and answers.
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
  const { how } = session;
  const it = session.item;
  session.item = NO_ITEM;
  if (!endInCrlf(store, it, session.valueChunk, session.valueAt)) {
    counters.add(Counter.STORE_NO_MEMORY, 1);
    releaseItem(store, it);
    return writeStatus(replies, request, Status.NO_MEMORY_DURING_READ);
  }
  counters.addClass(classOf(store.items, it), ClassCounter.CMD_SET, 1);
  const keyAt = itemKeyAt(store.items, it);
  const hv = hashKey(store, blockOf(store.items, it), keyAt, keyAt + itemNkey(store.items, it));

  lockShard(store, hv);
  const stored = storeMetaLocked(store, hv, it, session.mode, how);
  unlockShard(store, hv);

  if (stored === Stored.STORED) writeDone(replies, request, how.cas);
  else writeStatus(replies, request, statusOf(stored, request));
}

/** Source: memcached proto_bin.c, complete_update_bin. */
function statusOf(stored: Stored, { opcode }: BinaryRequest): Status {
  if (stored === Stored.EXISTS) return Status.EXISTS;
  if (stored === Stored.NOT_FOUND) return Status.NOT_FOUND;
  if (opcode.variant === Variant.ADD) return Status.EXISTS;
  return opcode.variant === Variant.REPLACE ? Status.NOT_FOUND : Status.NOT_STORED;
}
