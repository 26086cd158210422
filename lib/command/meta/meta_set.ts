// ms: storage by the meta protocol. The line is gone when the value is complete, so the session
// keeps what the end of the command needs of it: the conditions, and the returned flags.
//
//   returned   | " kKEY" | LF 'c' | " Oopaque" | LF 's' | …     LF is the placeholder of a number
//
// Source: memcached proto_text.c, process_mset_command; doc/protocol.txt, "Meta Set".

import type { Block } from "../../base/block.ts";
import { CRLF_BYTES, LF } from "../../base/ascii.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { ClassCounter } from "../../stats/names.ts";
import { allocate } from "../../store/room/allocate.ts";
import { toExptime } from "../../store/item/exptime.ts";
import { ItemFlag, itemFlags, setItemFlags } from "../../store/item/item.ts";
import { classOf } from "../../store/lru/lists.ts";
import { isRefused, Refusal, StoreMode } from "../../store/outcome.ts";
import type { Executor } from "../executor.ts";
import { META_BYTES_MAX, refuseLine } from "./meta_reply.ts";
import { flushFirst, MetaReturns, Outcome, type Session } from "../session.ts";
import { countRefusal, readValueLength, startValue } from "../value_receive.ts";

const FIRST_FLAG = 3;
const Token = { KEY: 1, BYTES: 2 } as const;
const SPACE = 0x20;

/** The mode that each character of the M flag selects. */
const MODES = new Map<number, StoreMode>([
  [0, StoreMode.SET],
  [0x53, StoreMode.SET], // S
  [0x45, StoreMode.ADD], // E
  [0x41, StoreMode.APPEND], // A
  [0x50, StoreMode.PREPEND], // P
  [0x52, StoreMode.REPLACE], // R
]);

/**
 * Reads `ms <key> <bytes> <flag>*` from the executor's tokens and makes the item that the value
 * goes into. A line without a valid length closes the connection; after any other fault the client
 * gets an error, and the connection discards the value.
 * Takes: slab, page; LRU and buckets where room must be made.
 * @hot
 */
export function runMetaSet(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { meta, tokens, store } = executor;
  const { bytes } = block;
  if (replies.room < META_BYTES_MAX) return flushFirst(session, tokens.start[0]!);
  const nbytes = readValueLength(executor, bytes, Token.BYTES);
  if (Number.isNaN(nbytes)) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.CLOSE;
  }
  session.valueLeft = nbytes + CRLF_BYTES;
  if (!meta.read(block, tokens, FIRST_FLAG)) {
    refuseLine(executor, replies);
    return Outcome.SWALLOW;
  }
  const mode = MODES.get(meta.mode);
  if (mode === undefined) {
    replies.write(Reply.BAD_MS_MODE);
    return Outcome.SWALLOW;
  }
  session.mode = mode;
  const { keyBlock, keyFrom, nkey } = meta;
  const exptime = meta.has(Flag.T) ? toExptime(meta.ttl, store.clock) : 0;
  const flags = meta.has(Flag.F) ? meta.clientFlags : 0;
  const it = allocate(store, keyBlock, keyFrom, nkey, flags, exptime, session.valueLeft);
  if (isRefused(it)) {
    replies.write(it === Refusal.TOO_LARGE ? Reply.TOO_LARGE : Reply.NO_MEMORY_STORING);
    countRefusal(executor, session, it, keyBlock, keyFrom, nkey, true);
    return Outcome.SWALLOW;
  }
  if (meta.has(Flag.b)) {
    setItemFlags(store.items, it, itemFlags(store.items, it) | ItemFlag.KEY_BINARY);
  }
  executor.counters.addClass(classOf(store.items, it), ClassCounter.CMD_SET, 1);
  keepRequest(executor, session, block);
  return startValue(executor, session, it);
}

/**
 * Keeps in the session what the end of the command needs of the line.
 * @hot
 */
function keepRequest(executor: Executor, session: Session, block: Block): void {
  const { meta, tokens, store } = executor;
  const { storage } = session;
  storage.isMeta = true;
  storage.isQuiet = meta.has(Flag.q);
  storage.compares = meta.has(Flag.C) && session.mode !== StoreMode.ADD;
  storage.invalidates = meta.has(Flag.I);
  storage.vivifies = meta.has(Flag.N);
  storage.compare.set(meta.compare.hi, meta.compare.lo);
  if (meta.has(Flag.E)) storage.explicit.set(meta.explicit.hi, meta.explicit.lo);
  else storage.explicit.set(0, 0);
  if (storage.vivifies) storage.vivifyExptime = toExptime(meta.vivifyTtl, store.clock);
  storage.returned = 0;
  for (let index = FIRST_FLAG; index < tokens.count; index++) {
    const letter = block.bytes[tokens.start[index]!]!;
    if (letter === Flag.c || letter === Flag.s) keepPlaceholder(session, letter);
    else if (letter === Flag.k) keepKey(executor, session, block);
    else if (letter === Flag.O) {
      keepToken(session, block, tokens.start[index]!, tokens.end[index]!);
    }
  }
}

/** The session's buffer of returned flags. */
function returnsOf(session: Session): MetaReturns {
  return session.returns ?? (session.returns = new MetaReturns());
}

/** Keeps the placeholder of a number. */
function keepPlaceholder(session: Session, letter: number): void {
  const { bytes } = returnsOf(session);
  bytes[session.storage.returned++] = LF;
  bytes[session.storage.returned++] = letter;
}

/** Keeps a flag as the client sent it: the token `block[from, to)`. */
function keepToken(session: Session, block: Block, from: number, to: number): void {
  const { bytes } = returnsOf(session);
  bytes[session.storage.returned++] = SPACE;
  for (let at = from; at < to; at++) bytes[session.storage.returned++] = block.bytes[at]!;
}

/** Keeps the `k` flag: the key as the client sent it, with a `b` flag behind one in Base64. */
function keepKey({ meta, tokens }: Executor, session: Session, block: Block): void {
  const { bytes } = returnsOf(session);
  const { storage } = session;
  bytes[storage.returned++] = SPACE;
  bytes[storage.returned++] = Flag.k;
  for (let at = tokens.start[Token.KEY]!; at < tokens.end[Token.KEY]!; at++) {
    bytes[storage.returned++] = block.bytes[at]!;
  }
  if (!meta.has(Flag.b)) return;
  bytes[storage.returned++] = SPACE;
  bytes[storage.returned++] = Flag.b;
}
