// set, add, replace, append and prepend of the binary protocol: the packet's first part. The value
// is received like any other; binary_stored.ts ends it.

import { CRLF_BYTES } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { Variant } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { Status, writeStatus } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { Counter } from "../../stats/names.ts";
import { allocate } from "../../store/room/allocate.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { logRefused } from "../../store/item_events.ts";
import { isRefused, Refusal, StoreMode } from "../../store/outcome.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";
import { removeOld, startValue } from "../text/storage.ts";

/**
 * Makes the item that a packet's value goes into.
 *
 * A version in the header makes a set, an add or a replace one and the same: it stores if the item
 * has that version. Source: memcached proto_bin.c, process_bin_update, process_bin_append_prepend.
 * @hot
 */
export function runBinaryStorage(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { store } = executor;
  const { keyFrom, nkey, extrasFrom, extrasBytes, valueBytes } = request;
  let flags = 0;
  let exptime = 0;
  if (extrasBytes > 0) { // Append and prepend keep those of the item.
    flags = block.view.getUint32(extrasFrom);
    exptime = toExptime(block.view.getUint32(extrasFrom + 4), store.clock);
  }
  session.valueLeft = valueBytes;
  if (store.prefixes.isOn) store.prefixes.countSet(block, keyFrom, keyFrom + nkey);
  session.mode = modeOf(request);
  const it = allocate(store, block, keyFrom, nkey, flags, exptime, valueBytes + CRLF_BYTES);
  if (isRefused(it)) return refuse(executor, session, it, request, block, replies);
  session.how.onlyCompare(request.cas);
  return startValue(executor, session, it);
}

/** @hot */
function modeOf({ opcode, cas }: BinaryRequest): StoreMode {
  switch (opcode.variant) {
    case Variant.ADD:
      return cas.isZero ? StoreMode.ADD : StoreMode.SET;
    case Variant.REPLACE:
      return cas.isZero ? StoreMode.REPLACE : StoreMode.SET;
    case Variant.APPEND:
      return StoreMode.APPEND;
    case Variant.PREPEND:
      return StoreMode.PREPEND;
    default:
      return StoreMode.SET;
  }
}

/** Answers that there is no room for the value; a set takes the old one away all the same. */
function refuse(
  { store, counters }: Executor,
  { mode }: Session,
  refusal: Refusal,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const tooLarge = refusal === Refusal.TOO_LARGE;
  logRefused(store, refusal, mode, block.bytes, request.keyFrom, request.nkey);
  counters.add(tooLarge ? Counter.STORE_TOO_LARGE : Counter.STORE_NO_MEMORY, 1);
  writeStatus(replies, request, tooLarge ? Status.TOO_LARGE : Status.NO_MEMORY_STORING);
  if (request.opcode.variant === Variant.SET) {
    removeOld(store, block, request.keyFrom, request.nkey);
  }
  return Outcome.SWALLOW;
}
