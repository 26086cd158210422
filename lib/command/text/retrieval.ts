// get, gets, gat, gats: any number of keys, answered in order.
//
// The command takes the keys from the read buffer one by one. When the replies are full it stops
// before the next key, the connection sends, and the command goes on. So a request for any number
// of keys needs no more memory than one for a few, and a client that does not read is not served.

import { ascii, CRLF_BYTES, LF, SPACE } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { U64, U64_DIGITS_MAX } from "../../base/u64.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { type Command, Verb } from "../../protocol/text/commands.ts";
import { parseStrictExptime } from "../../protocol/text/exptime_token.ts";
import { KEY_MAX, skipSpaces } from "../../protocol/text/tokens.ts";
import { toExptime } from "../../store/item/exptime.ts";
import {
  itemClientFlags,
  itemNbytes,
  type ItemRef,
  NO_ITEM,
  readItemCas,
} from "../../store/item/item.ts";
import { findLocked, hashKey, lockShard, unlockShard } from "../../store/link.ts";
import type { Executor } from "../executor.ts";
import { countMiss, readLocked, touchReadLocked } from "../hit_counts.ts";
import { flushFirst, Outcome, type Session } from "../session.ts";
import { continueChunks, reserveValueLocked, Served, writeValueLocked } from "../value_reply.ts";

const VALUE = Block.of(ascii("VALUE "));

/** Most bytes of a hit besides the value: `VALUE <key> <flags> <bytes> <cas>\r\n` … `END\r\n`. */
const HIT_BYTES_MAX = VALUE.bytes.length + KEY_MAX + 3 * (1 + U64_DIGITS_MAX) + 2 * CRLF_BYTES +
  Reply.END.bytes.length;

const cas = new U64();

/**
 * Starts a retrieval: `block[from, to)` follows the command's name.
 *
 * @param whole Whether `to` is the end of the line; otherwise more keys may follow.
 * @hot
 */
export function runRetrieval(
  executor: Executor,
  session: Session,
  command: Command,
  block: Block,
  from: number,
  to: number,
  whole: boolean,
  replies: ReplyBuffer,
): Outcome {
  const { bytes } = block;
  let at = skipSpaces(bytes, from, to);
  if (command.verb === Verb.GAT || command.verb === Verb.GATS) {
    const end = tokenEnd(bytes, at, to);
    const raw = parseStrictExptime(bytes, at, end);
    at = skipSpaces(bytes, end, to);
    if (at === to && whole) {
      replies.write(Reply.BAD_FORMAT);
      return Outcome.DONE;
    }
    if (Number.isNaN(raw)) {
      replies.write(Reply.BAD_EXPTIME);
      return Outcome.DONE;
    }
    session.exptime = toExptime(raw, executor.store.clock);
  }
  // The reply to a whole line is either values or an error, never values and then an error.
  if (whole && (at === to || hasLongKey(bytes, at, to))) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  session.retrieval = command.verb;
  return continueRetrieval(executor, session, block, at, to, whole, replies);
}

/**
 * Answers the keys in `block[from, to)`; ends the retrieval if `whole`. An mg in the middle of a
 * long value goes on here too.
 *
 * @returns {@linkcode Outcome.FLUSH} with `session.resumeAt` when the replies are full; otherwise
 * {@linkcode Outcome.DONE}: all keys are answered, or an error has ended the retrieval.
 * @hot
 */
export function continueRetrieval(
  executor: Executor,
  session: Session,
  block: Block,
  from: number,
  to: number,
  whole: boolean,
  replies: ReplyBuffer,
): Outcome {
  const { bytes } = block;
  let at = from;
  for (;;) {
    if (session.isSending && !continueChunks(session, executor.store.items, replies)) {
      return flushFirst(session, at);
    }
    at = skipSpaces(bytes, at, to);
    if (at === to) break;
    const end = tokenEnd(bytes, at, to);
    if (end - at > KEY_MAX) return failRetrieval(session, Reply.BAD_FORMAT, replies);
    const served = serveKey(executor, session, block, at, end, replies);
    if (served === Served.NEEDS_ROOM) return flushFirst(session, at);
    if (served === Served.TOO_MANY_HOLDERS) {
      return failRetrieval(session, Reply.NO_MEMORY_READING, replies);
    }
    at = end;
  }
  if (!whole) return Outcome.DONE;
  if (session.retrieval === Verb.MG) {
    session.retrieval = Verb.NONE;
    return Outcome.DONE;
  }
  if (replies.room < Reply.END.bytes.length) return flushFirst(session, to);
  replies.write(Reply.END);
  session.retrieval = Verb.NONE;
  return Outcome.DONE;
}

/**
 * Ends a retrieval by an error line.
 *
 * @returns {@linkcode Outcome.CLOSE} when the replies have no room for the line.
 */
export function failRetrieval(session: Session, error: Block, replies: ReplyBuffer): Outcome {
  session.retrieval = Verb.NONE;
  if (replies.room >= error.bytes.length) replies.write(error);
  else return Outcome.CLOSE;
  return Outcome.DONE;
}

/**
 * Looks one key up and writes its value, or nothing. Takes: bucket.
 * @hot
 */
function serveKey(
  executor: Executor,
  session: Session,
  block: Block,
  keyFrom: number,
  keyTo: number,
  replies: ReplyBuffer,
): Served {
  const { store } = executor;
  if (replies.room < HIT_BYTES_MAX) return Served.NEEDS_ROOM;
  const hv = hashKey(store, block, keyFrom, keyTo);
  let served: Served = Served.YES;

  lockShard(store, hv);
  const it = findLocked(store, hv, block, keyFrom, keyTo - keyFrom, session.isLookupLogged);
  if (it !== NO_ITEM) served = hitLocked(executor, session, it, block, keyFrom, keyTo, replies);
  unlockShard(store, hv);

  if (it === NO_ITEM) {
    const { retrieval } = session;
    countMiss(executor, retrieval === Verb.GAT || retrieval === Verb.GATS);
  }
  session.keys++;
  session.isLookupLogged = served === Served.NEEDS_ROOM;
  if (store.prefixes.isOn && served !== Served.NEEDS_ROOM) {
    store.prefixes.countGet(block, keyFrom, keyTo, it !== NO_ITEM);
  }
  return served;
}

/**
 * Writes the value of `it` and counts the hit. Caller holds the shard's lock.
 * @hot
 */
function hitLocked(
  executor: Executor,
  session: Session,
  it: ItemRef,
  block: Block,
  keyFrom: number,
  keyTo: number,
  replies: ReplyBuffer,
): Served {
  const { store } = executor;
  const { items } = store;
  const nbytes = itemNbytes(items, it);
  const served = reserveValueLocked(store, it, nbytes, HIT_BYTES_MAX, replies);
  if (served !== Served.YES) return served;

  const verb = session.retrieval;
  if (verb === Verb.GET || verb === Verb.GETS) readLocked(executor, it);
  else touchReadLocked(executor, it, session.exptime);

  replies.write(VALUE);
  replies.writeRange(block, keyFrom, keyTo);
  replies.writeByte(SPACE);
  replies.writeUint(itemClientFlags(items, it));
  replies.writeByte(SPACE);
  replies.writeUint(nbytes - CRLF_BYTES);
  if (verb === Verb.GETS || verb === Verb.GATS) {
    readItemCas(items, it, cas);
    replies.writeByte(SPACE);
    replies.writeU64(cas);
  }
  replies.write(Reply.CRLF);
  writeValueLocked(store, session, it, nbytes, replies);
  return Served.YES;
}

/**
 * Position behind the token that starts at `from`.
 * @hot
 */
function tokenEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE && bytes[at] !== LF) at++;
  return at;
}

/**
 * Whether a key in `bytes[from, to)` is too long.
 * @hot
 */
function hasLongKey(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from <= KEY_MAX) return false;
  let length = 0;
  for (let at = from; at < to; at++) {
    length = bytes[at] === SPACE ? 0 : length + 1;
    if (length > KEY_MAX) return true;
  }
  return false;
}
