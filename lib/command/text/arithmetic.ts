// incr and decr.

import type { Block } from "../../base/block.ts";
import { U64 } from "../../base/u64.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Verb } from "../../protocol/text/commands.ts";
import { KEY_MAX } from "../../protocol/text/tokens.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { addDeltaLocked, Added } from "../../store/update/add_delta.ts";
import { NO_ITEM } from "../../store/item/item.ts";
import { classOf } from "../../store/lru/lists.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";
import { findLocked, hashKey, lockShard, unlockShard } from "../../store/link.ts";

const Token = { KEY: 1, DELTA: 2 } as const;

const delta = new U64();
const result = new U64();

/**
 * Runs `incr|decr <key> <delta> [noreply]` from the executor's tokens. Takes: bucket, LRU, slab.
 */
export function runArithmetic(
  executor: Executor,
  _session: Session,
  verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store, counters } = executor;
  const from = tokens.start[Token.KEY]!;
  if (tokens.length(Token.KEY) > KEY_MAX) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  if (!tokens.readU64(block.bytes, Token.DELTA, delta)) {
    replies.write(Reply.BAD_DELTA);
    return Outcome.DONE;
  }
  const increment = verb === Verb.INCR;
  const hv = hashKey(store, block, from, tokens.end[Token.KEY]!);
  let added: Added = Added.OK;

  lockShard(store, hv);
  let it = findLocked(store, hv, block, from, tokens.length(Token.KEY));
  for (let looks = 0; it !== NO_ITEM; looks++) {
    const hits = increment ? ClassCounter.INCR_HITS : ClassCounter.DECR_HITS;
    const clsid = classOf(store.items, it);
    added = addDeltaLocked(store, hv, it, increment, delta, result, looks);
    if (added !== Added.NON_NUMERIC && added !== Added.AGAIN) counters.addClass(clsid, hits, 1);
    if (added !== Added.AGAIN) break;
    it = findLocked(store, hv, block, from, tokens.length(Token.KEY));
  }
  unlockShard(store, hv);

  if (it === NO_ITEM) counters.add(increment ? Counter.INCR_MISSES : Counter.DECR_MISSES, 1);
  if (it === NO_ITEM) replies.write(Reply.NOT_FOUND);
  else if (added === Added.NON_NUMERIC) replies.write(Reply.NON_NUMERIC);
  else if (added === Added.NO_MEMORY) replies.write(Reply.NO_MEMORY_ADDING);
  else {
    replies.writeU64(result);
    replies.write(Reply.CRLF);
  }
  return Outcome.DONE;
}
