// increment and decrement of the binary protocol. Extras: delta (8), initial value (8), expiry (4).

import { CR, CRLF_BYTES, LF } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { copyBytes } from "../../base/copy.ts";
import { U64, U64_DIGITS_MAX } from "../../base/u64.ts";
import { Variant } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { Status, writeHeader, writeStatus, writeUint32 } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { allocate, makeRoomUnlocked } from "../../store/room/allocate.ts";
import { addDeltaLocked, Added, isNoNumber } from "../../store/update/add_delta.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { blockOf, type ItemRef, itemValueAt, NO_ITEM, readItemCas } from "../../store/item/item.ts";
import { logStored } from "../../store/item_events.ts";
import { classOf } from "../../store/lru/lists.ts";
import { isRefused, Stored, StoreMode } from "../../store/outcome.ts";
import { assertShardHeld } from "../../store/shard_held.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";
import { findLocked, hashKey, linkLocked, lockShard, unlockShard } from "../../store/link.ts";

/** Places in the extras. */
const Extra = { DELTA: 0, INITIAL: 8, EXPTIME: 16 } as const;
/** The expiry of a request that must not make a missing counter. */
const DO_NOT_CREATE = 0xffffffff;
const NUMBER_BYTES = 8;

const delta = new U64();
const result = new U64();
const cas = new U64();
const text = Block.ofLength(U64_DIGITS_MAX + CRLF_BYTES);

/**
 * Runs INCREMENT or DECREMENT, or a quiet form. A missing counter is made with the initial value.
 * Takes: bucket, LRU, slab, page. Source: memcached proto_bin.c, complete_incr_bin.
 */
export function runBinaryArithmetic(
  executor: Executor,
  _session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { store } = executor;
  const { keyFrom, keyTo, nkey } = request;
  const hv = hashKey(store, block, keyFrom, keyTo);

  let outcome: Status | undefined;

  lockShard(store, hv);
  for (let looks = 0; outcome === undefined; looks++) {
    const it = findLocked(store, hv, block, keyFrom, nkey);
    outcome = it === NO_ITEM
      ? createLocked(executor, hv, looks, request, block)
      : changeLocked(executor, hv, it, looks, request, block);
  }
  unlockShard(store, hv);

  if (outcome !== Status.OK) writeStatus(replies, request, outcome);
  else if (!request.opcode.isQuiet) {
    writeHeader(replies, request, 0, 0, 0, NUMBER_BYTES, cas);
    writeUint32(replies, result.hi);
    writeUint32(replies, result.lo);
  }
  return Outcome.DONE;
}

function readU64({ view }: Block, at: number, into: U64): void {
  into.set(view.getUint32(at), view.getUint32(at + 4));
}

/**
 * Adds to `it`, or subtracts from it; the number is in `result`, the version in `cas`. Caller holds
 * the shard's lock.
 *
 * @returns Undefined when room was made without the lock: the caller looks the key up again.
 */
function changeLocked(
  { store, counters }: Executor,
  hv: number,
  it: ItemRef,
  looks: number,
  request: BinaryRequest,
  block: Block,
): Status | undefined {
  assertShardHeld(store, hv);
  const isIncr = request.opcode.variant === Variant.INCREMENT;
  if (isNoNumber(store.items, it)) return Status.NON_NUMERIC;
  readItemCas(store.items, it, cas);
  if (!request.cas.isZero && !cas.equals(request.cas)) return Status.EXISTS;
  readU64(block, request.extrasFrom + Extra.DELTA, delta);
  const clsid = classOf(store.items, it);
  const added = addDeltaLocked(store, hv, it, isIncr, delta, result, looks);
  if (added === Added.AGAIN) return undefined;
  if (added === Added.NON_NUMERIC) return Status.NON_NUMERIC;
  counters.addClass(clsid, isIncr ? ClassCounter.INCR_HITS : ClassCounter.DECR_HITS, 1);
  if (added === Added.NO_MEMORY) return Status.NO_MEMORY_ADDING;

  // A longer number has moved to another item.
  const changed = store.assoc.findLocked(hv, block, request.keyFrom, request.nkey);
  readItemCas(store.items, changed, cas);
  return Status.OK;
}

/**
 * Makes the counter; the number is in `result`, the version in `cas`. Caller holds the shard's
 * lock.
 *
 * @returns Undefined when room was made without the lock: the caller looks the key up again.
 */
function createLocked(
  { store, counters }: Executor,
  hv: number,
  looks: number,
  request: BinaryRequest,
  block: Block,
): Status | undefined {
  assertShardHeld(store, hv);
  const { keyFrom, nkey, extrasFrom } = request;
  const exptime = block.view.getUint32(extrasFrom + Extra.EXPTIME);
  if (exptime === DO_NOT_CREATE) {
    const isIncr = request.opcode.variant === Variant.INCREMENT;
    counters.add(isIncr ? Counter.INCR_MISSES : Counter.DECR_MISSES, 1);
    return Status.NOT_FOUND;
  }
  readU64(block, extrasFrom + Extra.INITIAL, result);
  const digits = result.write(text.bytes, 0);
  text.bytes[digits] = CR;
  text.bytes[digits + 1] = LF;
  const nbytes = digits + CRLF_BYTES;
  const it = allocate(store, block, keyFrom, nkey, 0, toExptime(exptime, store.clock), nbytes);
  if (isRefused(it)) {
    return makeRoomUnlocked(store, it, hv, NO_ITEM, looks) ? undefined : Status.NO_MEMORY_CREATING;
  }
  copyBytes(text, 0, blockOf(store.items, it), itemValueAt(store.items, it), nbytes);
  linkLocked(store, hv, it);
  logStored(store, it, Stored.STORED, StoreMode.ADD);
  readItemCas(store.items, it, cas);
  return Status.OK;
}
