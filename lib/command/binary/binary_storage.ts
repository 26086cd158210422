// set, add, replace, append and prepend of the binary protocol: the packet up to its value. The
// value goes straight into the item (value_receive.ts), and binary_stored.ts stores it.

import { CRLF_BYTES } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { Variant } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { Status, writeStatus } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { allocate } from "../../store/room/allocate.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { isRefused, Refusal, StoreMode } from "../../store/outcome.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";
import { countRefusal, startValue } from "../value_receive.ts";

/**
 * Makes the item that a packet's value goes into.
 *
 * With a version in the header set, add and replace mean the same: store if the item has that
 * version. Takes: slab, page; LRU and buckets where room must be made.
 * Source: memcached proto_bin.c, process_bin_update, process_bin_append_prepend.
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
  if (extrasBytes > 0) { // Append and prepend have none: they keep those of the item.
    flags = block.view.getUint32(extrasFrom);
    exptime = toExptime(block.view.getUint32(extrasFrom + 4), store.clock);
  }
  session.valueLeft = valueBytes;
  if (store.prefixes.isOn) store.prefixes.countSet(block, keyFrom, keyFrom + nkey);
  session.mode = modeOf(request);
  const it = allocate(store, block, keyFrom, nkey, flags, exptime, valueBytes + CRLF_BYTES);
  if (isRefused(it)) {
    const isTooLarge = it === Refusal.TOO_LARGE;
    writeStatus(replies, request, isTooLarge ? Status.TOO_LARGE : Status.NO_MEMORY_STORING);
    const removes = request.opcode.variant === Variant.SET;
    countRefusal(executor, session, it, block, keyFrom, nkey, removes);
    return Outcome.SWALLOW;
  }
  session.storage.onlyCompare(request.cas);
  return startValue(executor, session, it);
}

/**
 * The condition under which a packet stores.
 * @hot
 */
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
