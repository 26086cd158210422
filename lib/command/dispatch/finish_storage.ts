// The end of a value: complete, or refused in the middle. Text, meta and binary clients get a reply
// in their protocol.

import { Status, writeStatus } from "../../protocol/binary/response.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Counter } from "../../stats/names.ts";
import { finishBinaryStorage } from "../binary/binary_stored.ts";
import type { Executor } from "../executor.ts";
import { META_BYTES_MAX } from "../meta/meta_reply.ts";
import { finishMetaSet } from "../meta/meta_stored.ts";
import type { Session } from "../session.ts";
import { finishTextStorage } from "../text/text_stored.ts";
import { abandonStorage, endsInCrlf } from "../value_receive.ts";

/** Longest reply to a complete value, in bytes: that of ms, with the returned flags. */
export const STORED_BYTES_MAX = META_BYTES_MAX;

/**
 * Stores the item whose value is complete, and answers. The connection has made sure that the
 * replies have room for {@linkcode STORED_BYTES_MAX} bytes. Takes: bucket, LRU, slab.
 * Source: memcached memcached.c, complete_nread.
 * @hot
 */
export function finishStorage(executor: Executor, session: Session, replies: ReplyBuffer): void {
  executor.turn.finish(session.verb);
  if (session.request !== undefined) {
    return finishBinaryStorage(executor, session, session.request, replies);
  }
  if (!endsInCrlf(executor, session)) {
    abandonStorage(executor, session);
    if (!session.noreply) replies.write(Reply.BAD_CHUNK);
    return;
  }
  if (session.storage.isMeta) finishMetaSet(executor, session, replies);
  else finishTextStorage(executor, session, replies);
}

/**
 * Answers that memory ran out in the middle of a value, and lets go of its item; the connection
 * discards the rest. It has made sure that the replies have room for a line.
 * Source: memcached memcached.c, drive_machine, conn_nread.
 */
export function refuseValue(executor: Executor, session: Session, replies: ReplyBuffer): void {
  executor.counters.add(Counter.STORE_NO_MEMORY, 1);
  abandonStorage(executor, session);
  if (session.request !== undefined) {
    writeStatus(replies, session.request, Status.NO_MEMORY_DURING_READ);
  } else if (!session.noreply) replies.write(Reply.NO_MEMORY_DURING_READ);
}
