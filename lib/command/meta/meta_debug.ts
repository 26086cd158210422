// me: the properties of an item, without marking it as read.
//
// Source: memcached proto_text.c, process_meta_command.

import { encodeBase64 } from "../../base/base64.ts";
import type { Block } from "../../base/block.ts";
import { latin1 } from "../../base/ascii.ts";
import { U64, U64_DIGITS_MAX } from "../../base/u64.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { Counter } from "../../stats/names.ts";
import {
  blockOf,
  itemBytes,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemNkey,
  type ItemRef,
  itemTime,
  NO_ITEM,
  readItemCas,
} from "../../store/item/item.ts";
import { classOf } from "../../store/lru/lists.ts";
import { findLocked, hashKey, lockShard, unlockShard } from "../../store/link.ts";
import { assertAnyShardHeld } from "../../store/shard_held.ts";
import type { Store } from "../../store/store.ts";
import type { Executor } from "../executor.ts";
import { readLine } from "./meta_reply.ts";
import { Outcome, type Session } from "../session.ts";

const cas = new U64();
const digits = new Uint8Array(U64_DIGITS_MAX);
const ME = new TextEncoder().encode("ME ");

/** Runs `me <key> [b]` from the executor's tokens. Takes: bucket. */
export function runMetaDebug(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { meta, store, counters } = executor;
  const early = readLine(executor, session, block, replies);
  if (early !== Outcome.FLUSH) counters.add(Counter.CMD_META, 1);
  if (early !== undefined) return early;
  const { keyBlock, keyFrom, nkey } = meta;
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);

  lockShard(store, hv);
  const it = findLocked(store, hv, keyBlock, keyFrom, nkey);
  if (it !== NO_ITEM) describeLocked(store, it, replies);
  unlockShard(store, hv);

  if (it === NO_ITEM) replies.write(Reply.EN);
  return Outcome.DONE;
}

/** Writes the properties of `it`. Caller holds the shard. */
function describeLocked(store: Store, it: ItemRef, replies: ReplyBuffer): void {
  assertAnyShardHeld(store);
  const { items, clock } = store;
  readItemCas(items, it, cas);
  const exptime = itemExptime(items, it);
  const flags = itemFlags(items, it);
  replies.writeBytes(ME, ME.length);
  const from = itemKeyAt(items, it);
  const to = from + itemNkey(items, it);
  const { bytes } = blockOf(store.items, it);
  if ((flags & ItemFlag.KEY_BINARY) === 0) replies.writeRange(blockOf(store.items, it), from, to);
  else replies.used = encodeBase64(bytes, from, to, replies.block.bytes, replies.used);
  replies.writeText(
    ` exp=${exptime === 0 ? -1 : Math.max(0, exptime - clock.now)}` +
      ` la=${Math.max(0, clock.now - itemTime(items, it))}` +
      ` cas=${latin1(digits, 0, cas.write(digits, 0))}` +
      ` fetch=${(flags & ItemFlag.FETCHED) === 0 ? "no" : "yes"}` +
      ` cls=${classOf(items, it)} size=${itemBytes(items, it)}\r\n`,
  );
}
