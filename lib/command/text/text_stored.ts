// The end of a set, add, replace, append, prepend or cas: the value is complete, the item is
// stored.

import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { lockShard, unlockShard } from "../../store/link.ts";
import { Stored } from "../../store/outcome.ts";
import { storeLocked } from "../../store/update/storing.ts";
import type { Executor } from "../executor.ts";
import type { Session } from "../session.ts";
import { hashItemKey, takeReceived } from "../value_receive.ts";

/** The reply line for each way a storage command ends. */
const STORED_LINES: Readonly<Record<Stored, Block>> = {
  [Stored.STORED]: Reply.STORED,
  [Stored.NOT_STORED]: Reply.NOT_STORED,
  [Stored.EXISTS]: Reply.EXISTS,
  [Stored.NOT_FOUND]: Reply.NOT_FOUND,
};

/**
 * Stores the item whose value is complete, and answers. Takes: bucket, LRU, slab.
 * Source: memcached proto_text.c, complete_nread_ascii.
 * @hot
 */
export function finishTextStorage(
  { store }: Executor,
  session: Session,
  replies: ReplyBuffer,
): void {
  const it = takeReceived(session);
  const hv = hashItemKey(store, it);

  lockShard(store, hv);
  const stored = storeLocked(store, hv, it, session.mode, session.cas);
  unlockShard(store, hv);

  if (!session.noreply) replies.write(STORED_LINES[stored]);
}
