// set, add, replace, append, prepend, cas: the line. The value goes straight into the item
// (value_receive.ts), and text_stored.ts stores it.

import { CRLF_BYTES } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { parseUint } from "../../base/decimal.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Verb } from "../../protocol/text/commands.ts";
import { parseExptime } from "../../protocol/text/exptime_token.ts";
import { KEY_MAX } from "../../protocol/text/tokens.ts";
import { ClassCounter } from "../../stats/names.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { classOf } from "../../store/lru/lists.ts";
import { isRefused, Refusal, StoreMode } from "../../store/outcome.ts";
import { allocate } from "../../store/room/allocate.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";
import { countRefusal, readValueLength, startValue } from "../value_receive.ts";

/** Places of the tokens in a storage line. */
const Token = { KEY: 1, FLAGS: 2, EXPTIME: 3, BYTES: 4, CAS: 5 } as const;

/** Largest client flags. */
const CLIENT_FLAGS_MAX = 0xffffffff;

/** The condition under which each command stores. */
const MODES: Readonly<Partial<Record<Verb, StoreMode>>> = {
  [Verb.SET]: StoreMode.SET,
  [Verb.ADD]: StoreMode.ADD,
  [Verb.REPLACE]: StoreMode.REPLACE,
  [Verb.APPEND]: StoreMode.APPEND,
  [Verb.PREPEND]: StoreMode.PREPEND,
  [Verb.CAS]: StoreMode.CAS,
};

/**
 * Reads a storage line from the executor's tokens and makes the item that its value goes into.
 *
 * A line without a valid length does not say where the next command starts: the client gets an
 * error, noreply or not, and the connection closes. After any other fault the client gets an error,
 * and the connection discards the value. Takes: slab, page; LRU and buckets where room must be
 * made.
 * Source: memcached proto_parser.c, _process_request_storage.
 * @hot
 */
export function runStorage(
  executor: Executor,
  session: Session,
  verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store } = executor;
  const { bytes } = block;
  const nbytes = readValueLength(executor, bytes, Token.BYTES);
  if (Number.isNaN(nbytes)) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.CLOSE;
  }
  session.valueLeft = nbytes + CRLF_BYTES;
  const flags = parseUint(
    bytes,
    tokens.start[Token.FLAGS]!,
    tokens.end[Token.FLAGS]!,
    CLIENT_FLAGS_MAX,
  );
  const raw = parseExptime(bytes, tokens.start[Token.EXPTIME]!, tokens.end[Token.EXPTIME]!);
  const nkey = tokens.length(Token.KEY);
  if (
    nkey > KEY_MAX || Number.isNaN(flags) || Number.isNaN(raw) ||
    (verb === Verb.CAS && !tokens.readU64(bytes, Token.CAS, session.cas))
  ) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.SWALLOW;
  }
  session.mode = MODES[verb]!;
  const exptime = toExptime(raw, store.clock);
  const keyFrom = tokens.start[Token.KEY]!;
  if (store.prefixes.isOn) store.prefixes.countSet(block, keyFrom, keyFrom + nkey);
  const it = allocate(store, block, keyFrom, nkey, flags, exptime, session.valueLeft);
  if (isRefused(it)) {
    replies.write(it === Refusal.TOO_LARGE ? Reply.TOO_LARGE : Reply.NO_MEMORY_STORING);
    countRefusal(executor, session, it, block, keyFrom, nkey, session.mode === StoreMode.SET);
    return Outcome.SWALLOW;
  }
  executor.counters.addClass(classOf(store.items, it), ClassCounter.CMD_SET, 1);
  session.storage.isMeta = false;
  return startValue(executor, session, it);
}
