// get, getk, gat, gatk and touch of the binary protocol: one key, one packet.
//
// A value is stored with a CRLF behind it, which a binary client neither sends nor gets. When the
// replies are full the packet stays in the read buffer, and runs again once they are sent.

import { CRLF_BYTES } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { Action, Variant } from "../../protocol/binary/opcodes.ts";
import { type BinaryRequest, HEADER_BYTES } from "../../protocol/binary/binary_request.ts";
import {
  NO_CAS,
  Status,
  writeHeader,
  writeStatus,
  writeUint32,
} from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { Verb } from "../../protocol/text/commands.ts";
import { KEY_MAX } from "../../protocol/text/tokens.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  itemClientFlags,
  itemNbytes,
  type ItemRef,
  NO_ITEM,
  readItemCas,
} from "../../store/item/item.ts";
import { findLocked, hashKey, lockShard, unlockShard } from "../../store/link.ts";
import type { Executor } from "../executor.ts";
import { countMiss, readLocked, touchReadLocked } from "../hit_counts.ts";
import { flushFirst, Outcome, type Session } from "../session.ts";
import { continueChunks, reserveValueLocked, Served, writeValueLocked } from "../value_reply.ts";

/** Length of the client flags, the extras of a value. */
const FLAGS_BYTES = 4;
/** Most bytes of a response besides the value. */
const HIT_BYTES_MAX = HEADER_BYTES + FLAGS_BYTES + KEY_MAX;

const cas = new U64();

/**
 * Runs GET, GETK, GAT, GATK or TOUCH, or a quiet form. Takes: bucket.
 * @hot
 */
export function runBinaryGet(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { store } = executor;
  const { opcode, keyFrom, keyTo, nkey } = request;
  if (replies.room < HIT_BYTES_MAX) return flushFirst(session, request.from);
  if (opcode.touches) {
    session.exptime = toExptime(block.view.getUint32(request.extrasFrom), store.clock);
  }
  const hv = hashKey(store, block, keyFrom, keyTo);
  let served: Served = Served.YES;

  lockShard(store, hv);
  const it = findLocked(store, hv, block, keyFrom, nkey, session.isLookupLogged);
  if (it !== NO_ITEM) served = hitLocked(executor, session, request, it, block, replies);
  unlockShard(store, hv);

  session.isLookupLogged = served === Served.NEEDS_ROOM;
  if (served === Served.NEEDS_ROOM) return flushFirst(session, request.from);
  if (store.prefixes.isOn) store.prefixes.countGet(block, keyFrom, keyTo, it !== NO_ITEM);
  if (it === NO_ITEM) answerMiss(executor, request, block, replies);
  else if (served === Served.TOO_MANY_HOLDERS) writeStatus(replies, request, Status.NO_MEMORY);
  if (!session.isSending) return Outcome.DONE;
  session.retrieval = Verb.GET; // The rest of the value follows when this part is sent.
  return flushFirst(session, keyTo);
}

/** Answers and counts a key that was not found. */
function answerMiss(
  executor: Executor,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): void {
  const { opcode, nkey, keyFrom, keyTo } = request;
  countMiss(executor, opcode.touches);
  if (opcode.isQuiet) return;
  if (opcode.variant !== Variant.WITH_KEY) {
    return writeStatus(replies, request, Status.NOT_FOUND);
  }
  writeHeader(replies, request, Status.NOT_FOUND.code, 0, nkey, nkey, NO_CAS);
  replies.writeRange(block, keyFrom, keyTo);
}

/**
 * Answers and counts a key that was found. Caller holds the shard's lock.
 *
 * @returns {@linkcode Served.YES}, or why the value is not in the replies: nothing is counted then.
 * @hot
 */
function hitLocked(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  it: ItemRef,
  block: Block,
  replies: ReplyBuffer,
): Served {
  const { store } = executor;
  const { items } = store;
  const { opcode } = request;
  const hasValue = opcode.action === Action.GET;
  const valueBytes = hasValue ? itemNbytes(items, it) - CRLF_BYTES : 0;
  const served = reserveValueLocked(store, it, valueBytes, HIT_BYTES_MAX, replies);
  if (served !== Served.YES) return served;

  if (opcode.touches) touchReadLocked(executor, it, session.exptime);
  else readLocked(executor, it);

  const nkey = opcode.variant === Variant.WITH_KEY ? request.nkey : 0;
  readItemCas(items, it, cas);
  const bodyBytes = FLAGS_BYTES + nkey + valueBytes;
  writeHeader(replies, request, 0, FLAGS_BYTES, nkey, bodyBytes, cas);
  writeUint32(replies, itemClientFlags(items, it));
  if (nkey > 0) replies.writeRange(block, request.keyFrom, request.keyTo);
  if (valueBytes > 0) writeValueLocked(store, session, it, valueBytes, replies);
  return Served.YES;
}

/** Goes on with a value of which some chunks are not in the replies yet. */
export function continueBinaryGet(
  executor: Executor,
  session: Session,
  replies: ReplyBuffer,
): Outcome {
  if (!continueChunks(session, executor.store.items, replies)) return Outcome.FLUSH;
  session.retrieval = Verb.NONE;
  return Outcome.DONE;
}
