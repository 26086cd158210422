// From a binary packet to the function that runs it; and the commands that need few lines: delete,
// flush, noop, version, quit.

import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { MEMCACHED_VERSION } from "../../base/version.ts";
import { Action } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import {
  NO_CAS,
  Status,
  writeBody,
  writeDone,
  writeStatus,
} from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { type ItemRef, NO_ITEM, readItemCas } from "../../store/item/item.ts";
import { DeletedBy, logDeletedLocked } from "../../store/item_events.ts";
import { classOf } from "../../store/lru/lists.ts";
import { runBinaryArithmetic } from "./binary_arithmetic.ts";
import { runBinaryGet } from "./binary_retrieval.ts";
import { runStat } from "./binary_stats.ts";
import { runBinaryStorage } from "./binary_storage.ts";
import type { Executor } from "../executor.ts";
import { runSaslAuth, runSaslList } from "./sasl.ts";
import { Outcome, type Session } from "../session.ts";
import { findLocked, hashKey, lockShard, unlinkLocked, unlockShard } from "../../store/link.ts";
import { flushAt, flushNow } from "../../store/whole_store.ts";

const VERSION = Block.of(ascii(MEMCACHED_VERSION));

const cas = new U64();

/**
 * Runs `request`, whose extras and key are in `block`, and for a login its value.
 * @hot
 */
export function runPacket(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  session.verb = request.opcode.verb;
  executor.turn.enter(session.verb);
  switch (request.opcode.action) {
    case Action.GET:
    case Action.TOUCH:
      return runBinaryGet(executor, session, request, block, replies);
    case Action.STORE:
      return runBinaryStorage(executor, session, request, block, replies);
    case Action.DELETE:
      return runBinaryDelete(executor, request, block, replies);
    case Action.ARITHMETIC:
      return runBinaryArithmetic(executor, session, request, block, replies);
    case Action.NOOP:
      writeDone(replies, request, NO_CAS);
      return Outcome.DONE;
    case Action.VERSION:
      writeBody(replies, request, VERSION);
      return Outcome.DONE;
    case Action.QUIT:
      writeDone(replies, request, NO_CAS);
      return Outcome.QUIT;
    case Action.FLUSH:
      return runBinaryFlush(executor, request, block, replies);
    case Action.STAT:
      return runStat(executor, session, request, block, replies);
    case Action.SASL_LIST:
      return runSaslList(executor, request, replies);
    case Action.SASL_AUTH:
    case Action.SASL_STEP:
      return runSaslAuth(executor, session, request, block, replies);
  }
}

/** Answers a packet of which nothing is known but its length. */
export function refuseUnknownPacket(
  session: Session,
  request: BinaryRequest,
  replies: ReplyBuffer,
): Outcome {
  writeStatus(replies, request, Status.UNKNOWN_COMMAND);
  session.valueLeft = request.bodyBytes;
  return Outcome.SWALLOW;
}

function runBinaryDelete(
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

/** Unlinks `it`, if the packet names its version or none. Caller holds the shard. */
function deleteLocked(
  { store, counters }: Executor,
  hv: number,
  it: ItemRef,
  request: BinaryRequest,
): boolean {
  readItemCas(store.items, it, cas);
  if (!request.cas.isZero && !cas.equals(request.cas)) return false;
  counters.addClass(classOf(store.items, it), ClassCounter.DELETE_HITS, 1);
  logDeletedLocked(store, it, DeletedBy.DELETE);
  unlinkLocked(store, hv, it);
  return true;
}

/** Source: memcached proto_bin.c, process_bin_flush; a refusal is not counted there either. */
function runBinaryFlush(
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
