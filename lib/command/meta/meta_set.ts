// ms: storage by the meta protocol. The line is gone when the last byte of the value has come, so
// what the reply needs of it is kept in the session: how to store, and the flags that come back.
//
//   returned   | " kKEY" | LF 'c' | " Oopaque" | LF 's' | …     LF stands for a number known later
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
import { isRefused, StoreMode } from "../../store/outcome.ts";
import type { Executor } from "../executor.ts";
import { flushFirst, META_BYTES_MAX, refuseLine } from "./meta_reply.ts";
import { MetaReturns, Outcome, type Session } from "../session.ts";
import { readValueLength, refuse, startValue } from "../text/storage.ts";

const FIRST_FLAG = 3;
const Token = { KEY: 1, BYTES: 2 } as const;
const SPACE = 0x20;

/** What each character of the M flag stands for. */
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
 * goes into. A line without a length that a value can have closes the connection; any other fault
 * is answered, and the value discarded.
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
  if (replies.room < META_BYTES_MAX) return flushFirst(executor, session);
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
    return refuse(executor, session, it, keyBlock, keyFrom, nkey, true, replies);
  }
  if (meta.has(Flag.b)) {
    setItemFlags(store.items, it, itemFlags(store.items, it) | ItemFlag.KEY_BINARY);
  }
  executor.counters.addClass(classOf(store.items, it), ClassCounter.CMD_SET, 1);
  keepRequest(executor, session, block);
  return startValue(executor, session, it);
}

/**
 * Keeps in the session what is needed of the line once the value has come.
 * @hot
 */
function keepRequest(executor: Executor, session: Session, block: Block): void {
  const { meta, tokens, store } = executor;
  const { how } = session;
  how.isMeta = true;
  how.isQuiet = meta.has(Flag.q);
  how.compares = meta.has(Flag.C) && session.mode !== StoreMode.ADD;
  how.invalidates = meta.has(Flag.I);
  how.vivifies = meta.has(Flag.N);
  how.compare.set(meta.compare.hi, meta.compare.lo);
  if (meta.has(Flag.E)) how.explicit.set(meta.explicit.hi, meta.explicit.lo);
  else how.explicit.set(0, 0);
  if (how.vivifies) how.vivifyExptime = toExptime(meta.vivifyTtl, store.clock);
  how.returned = 0;
  for (let index = FIRST_FLAG; index < tokens.count; index++) {
    const letter = block.bytes[tokens.start[index]!]!;
    if (letter === Flag.c || letter === Flag.s) keepPlace(session, letter);
    else if (letter === Flag.k) keepKey(executor, session, block);
    else if (letter === Flag.O) {
      keepBytes(session, block, tokens.start[index]!, tokens.end[index]!);
    }
  }
}

function returnsOf(session: Session): MetaReturns {
  return session.returns ?? (session.returns = new MetaReturns());
}

function keepPlace(session: Session, letter: number): void {
  const { bytes } = returnsOf(session);
  bytes[session.how.returned++] = LF;
  bytes[session.how.returned++] = letter;
}

function keepBytes(session: Session, block: Block, from: number, to: number): void {
  const { bytes } = returnsOf(session);
  bytes[session.how.returned++] = SPACE;
  for (let at = from; at < to; at++) bytes[session.how.returned++] = block.bytes[at]!;
}

/** Keeps the key as it came: in Base64 with a `b` behind it, or plain. */
function keepKey({ meta, tokens }: Executor, session: Session, block: Block): void {
  const { bytes } = returnsOf(session);
  const { how } = session;
  bytes[how.returned++] = SPACE;
  bytes[how.returned++] = Flag.k;
  for (let at = tokens.start[Token.KEY]!; at < tokens.end[Token.KEY]!; at++) {
    bytes[how.returned++] = block.bytes[at]!;
  }
  if (!meta.has(Flag.b)) return;
  bytes[how.returned++] = SPACE;
  bytes[how.returned++] = Flag.b;
}
