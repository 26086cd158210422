// md: delete, invalidate or empty an item by the meta protocol.
//
// Source: memcached proto_text.c, process_mdelete_command; doc/protocol.txt, "Meta Delete".

import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { makeRoomUnlocked } from "../../store/room/allocate.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  ItemFlag,
  itemFlags,
  type ItemRef,
  NO_ITEM,
  readItemCas,
  setItemCas,
  setItemExptime,
  setItemFlags,
} from "../../store/item/item.ts";
import { DeletedBy, logDeletedLocked } from "../../store/item_events.ts";
import { classOf } from "../../store/lru/lists.ts";
import { isRefused, type Refusal } from "../../store/outcome.ts";
import { assertAnyShardHeld, assertShardHeld } from "../../store/shard_held.ts";
import { makeItem } from "../../store/update/vivify.ts";
import type { Executor } from "../executor.ts";
import { readLine, Word, writeWord } from "./meta_reply.ts";
import { Outcome, type Session } from "../session.ts";
import {
  findLocked,
  hashKey,
  lockShard,
  renewCasLocked,
  replaceLocked,
  unlinkLocked,
  unlockShard,
} from "../../store/link.ts";

const cas = new U64();

/** Runs `md <key> <flag>*` from the executor's tokens. Takes: bucket, LRU, slab, page. */
export function runMetaDelete(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { meta, store, counters } = executor;
  const early = readLine(executor, session, block, replies);
  if (early !== undefined) return early;
  const { keyBlock, keyFrom, nkey } = meta;
  const hv = hashKey(store, keyBlock, keyFrom, keyFrom + nkey);

  lockShard(store, hv);
  let it = findLocked(store, hv, keyBlock, keyFrom, nkey);
  let word = it === NO_ITEM ? Word.NF : deleteLocked(executor, hv, it);
  for (let looks = 0; typeof word === "number"; looks++) {
    if (!makeRoomUnlocked(store, word, hv, it, looks)) {
      word = Word.NS;
      break;
    }
    it = findLocked(store, hv, keyBlock, keyFrom, nkey);
    word = it === NO_ITEM ? Word.NF : deleteLocked(executor, hv, it);
  }
  unlockShard(store, hv);

  if (it === NO_ITEM) counters.add(Counter.DELETE_MISSES, 1);
  if (word !== Word.HD || !meta.has(Flag.q)) writeWord(executor, block, word, replies);
  return Outcome.DONE;
}

/**
 * Deletes, invalidates or empties `it`, as the flags ask for. Caller holds the shard's lock.
 *
 * @returns The reply's word; or why there is no item to put in the place of `it`.
 */
function deleteLocked(executor: Executor, hv: number, it: ItemRef): Block | Refusal {
  const { meta, store, counters } = executor;
  assertShardHeld(store, hv);
  readItemCas(store.items, it, cas);
  if (meta.has(Flag.C) && !cas.equals(meta.compare)) {
    counters.add(Counter.DELETE_MISSES, 1);
    return Word.EX;
  }
  const clsid = classOf(store.items, it);
  let left = it;
  if (meta.has(Flag.x)) {
    const empty = emptyLocked(executor, hv, it);
    if (isRefused(empty)) return empty;
    left = empty;
  } else if (!meta.has(Flag.I)) logDeletedLocked(store, it, DeletedBy.MD);
  if (meta.has(Flag.I)) invalidateLocked(executor, left);
  else if (!meta.has(Flag.x)) unlinkLocked(store, hv, it);
  else if (meta.has(Flag.E) && !meta.explicit.isZero) {
    setItemCas(store.items, left, meta.explicit);
  }
  if (!meta.has(Flag.I)) counters.addClass(clsid, ClassCounter.DELETE_HITS, 1);
  return Word.HD;
}

/**
 * Puts an item without a value in the place of `it`, with the client flags and expiry of the
 * request and the version of `it`. Caller holds the shard's lock.
 */
function emptyLocked({ meta, store }: Executor, hv: number, it: ItemRef): ItemRef | Refusal {
  assertShardHeld(store, hv);
  const { items, clock } = store;
  const clientFlags = meta.has(Flag.F) ? meta.clientFlags : 0;
  const exptime = meta.has(Flag.T) ? toExptime(meta.ttl, clock) : 0;
  const empty = makeItem(store, meta, clientFlags, exptime, 0);
  if (isRefused(empty)) return empty;
  const binary = itemFlags(items, it) & ItemFlag.KEY_BINARY;
  setItemFlags(items, empty, itemFlags(items, empty) & ~ItemFlag.KEY_BINARY | binary);
  if (!meta.has(Flag.I)) logDeletedLocked(store, it, DeletedBy.MD);
  replaceLocked(store, hv, it, empty);
  setItemCas(items, empty, cas);
  return empty;
}

/**
 * Marks `it` as stale, with a new version, so that one client recaches it. Caller holds the shard.
 */
function invalidateLocked({ meta, store }: Executor, it: ItemRef): void {
  assertAnyShardHeld(store);
  const { items, clock } = store;
  if (meta.has(Flag.E) && !meta.explicit.isZero) setItemCas(items, it, meta.explicit);
  else renewCasLocked(store, it);
  if (meta.has(Flag.T)) setItemExptime(items, it, toExptime(meta.ttl, clock));
  setItemFlags(items, it, itemFlags(items, it) & ~ItemFlag.TOKEN_SENT | ItemFlag.STALE);
}
