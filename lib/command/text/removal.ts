// delete, touch and flush_all.

import { ascii, equalsWord } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { parseExptime, parseStrictExptime } from "../../protocol/text/exptime_token.ts";
import { KEY_MAX } from "../../protocol/text/tokens.ts";
import { ClassCounter, Counter } from "../../stats/names.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { NO_ITEM } from "../../store/item/item.ts";
import { DeletedBy, logDeletedLocked } from "../../store/item_events.ts";
import { classOf } from "../../store/lru/lists.ts";
import type { Executor } from "../executor.ts";
import { countMiss, touchReadLocked } from "../hit_counts.ts";
import { Outcome, type Session } from "../session.ts";
import { findLocked, hashKey, lockShard, unlinkLocked, unlockShard } from "../../store/link.ts";
import { flushAt, flushNow } from "../../store/whole_store.ts";

const Token = { KEY: 1, EXPTIME: 2, HOLD: 2, DELAY: 1 } as const;
const ZERO = ascii("0");

/** Runs `delete <key> [0] [noreply]` from the executor's tokens. Takes: bucket, LRU, slab. */
export function runDelete(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store, counters } = executor;
  if (tokens.length(Token.KEY) > KEY_MAX) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  // `delete noreply` deletes the key "noreply", without a reply.
  const argsAfterKey = tokens.count - (session.noreply && tokens.count > 2 ? 3 : 2);
  const holdIsZero = argsAfterKey === 1 &&
    equalsWord(block.bytes, tokens.start[Token.HOLD]!, tokens.end[Token.HOLD]!, ZERO);
  if (argsAfterKey > 0 && !holdIsZero) {
    replies.write(Reply.BAD_DELETE);
    return Outcome.DONE;
  }
  const from = tokens.start[Token.KEY]!;
  const to = tokens.end[Token.KEY]!;
  if (store.prefixes.isOn) store.prefixes.countDelete(block, from, to);
  const hv = hashKey(store, block, from, to);

  lockShard(store, hv);
  const it = findLocked(store, hv, block, from, to - from);
  if (it !== NO_ITEM) {
    counters.addClass(classOf(store.items, it), ClassCounter.DELETE_HITS, 1);
    logDeletedLocked(store, it, DeletedBy.DELETE);
    unlinkLocked(store, hv, it);
  }
  unlockShard(store, hv);

  if (it === NO_ITEM) counters.add(Counter.DELETE_MISSES, 1);
  replies.write(it === NO_ITEM ? Reply.NOT_FOUND : Reply.DELETED);
  return Outcome.DONE;
}

/** Runs `touch <key> <exptime> [noreply]` from the executor's tokens. Takes: bucket. */
export function runTouch(
  executor: Executor,
  _session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store } = executor;
  const from = tokens.start[Token.KEY]!;
  if (tokens.length(Token.KEY) > KEY_MAX) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  const rawTo = tokens.end[Token.EXPTIME]!;
  const raw = parseStrictExptime(block.bytes, tokens.start[Token.EXPTIME]!, rawTo);
  if (Number.isNaN(raw)) {
    replies.write(Reply.BAD_EXPTIME);
    return Outcome.DONE;
  }
  const hv = hashKey(store, block, from, tokens.end[Token.KEY]!);

  lockShard(store, hv);
  const it = findLocked(store, hv, block, from, tokens.length(Token.KEY));
  if (it !== NO_ITEM) touchReadLocked(executor, it, toExptime(raw, store.clock));
  unlockShard(store, hv);

  if (it === NO_ITEM) countMiss(executor, true);
  replies.write(it === NO_ITEM ? Reply.NOT_FOUND : Reply.TOUCHED);
  return Outcome.DONE;
}

/**
 * Runs `flush_all [delay] [noreply]` from the executor's tokens. A delay of 0 or less means now.
 * Takes: settings.
 * Source: memcached proto_text.c, process_flush_all_command.
 */
export function runFlushAll(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store, counters, settings } = executor;
  counters.add(Counter.CMD_FLUSH, 1);
  if (!settings.flushEnabled) {
    replies.write(Reply.FLUSH_NOT_ALLOWED);
    return Outcome.DONE;
  }
  const hasDelay = tokens.count > (session.noreply ? 2 : 1);
  const raw = hasDelay
    ? parseExptime(block.bytes, tokens.start[Token.DELAY]!, tokens.end[Token.DELAY]!)
    : 0;
  if (Number.isNaN(raw)) {
    replies.write(Reply.BAD_EXPTIME);
    return Outcome.DONE;
  }
  if (raw <= 0) flushNow(store);
  else flushAt(store, toExptime(raw, store.clock));
  replies.write(Reply.OK);
  return Outcome.DONE;
}
