// The common parts of meta commands: reading a line, and the returned flags of a reply, which are
// in the order of the request.

import { encodeBase64 } from "../../base/base64.ts";
import { Block } from "../../base/block.ts";
import { ascii, CRLF_BYTES } from "../../base/ascii.ts";
import { U64 } from "../../base/u64.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import {
  blockOf,
  itemExptime,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemNkey,
  type ItemRef,
  NO_ITEM,
  readItemCas,
} from "../../store/item/item.ts";
import type { Store } from "../../store/store.ts";
import type { Executor } from "../executor.ts";
import { flushFirst, Outcome, type Session } from "../session.ts";

const SPACE = 0x20;

/** Longest reply line of a meta command, in bytes: key in Base64, opaque, and every number. */
export const META_BYTES_MAX = 640;

/** The words that meta replies begin with. */
export const Word = {
  HD: Block.of(ascii("HD")),
  VA: Block.of(ascii("VA ")),
  EN: Block.of(ascii("EN")),
  NF: Block.of(ascii("NF")),
  EX: Block.of(ascii("EX")),
  NS: Block.of(ascii("NS")),
} as const;

const cas = new U64();

/** Number of the token of the first flag, except in ms. */
const FIRST_FLAG = 2;

/**
 * Reads the line of mg, md, ma or me.
 *
 * @param isArithmetic Whether every fault of a flag gets the same reply, as in memcached's ma.
 * @returns The command's outcome when it cannot run: the line is refused, or the replies must be
 * sent first. Undefined when `executor.meta` is ready.
 * @hot
 */
export function readLine(
  executor: Executor,
  session: Session,
  block: Block,
  replies: ReplyBuffer,
  isArithmetic = false,
): Outcome | undefined {
  // Room for an empty value too: an mg that has made its item must not run again and find it.
  if (replies.room < META_BYTES_MAX + CRLF_BYTES) {
    return flushFirst(session, executor.tokens.start[0]!);
  }
  if (executor.meta.read(block, executor.tokens, FIRST_FLAG)) return undefined;
  if (isArithmetic && executor.meta.isFlagFault) {
    replies.write(Reply.INVALID_OR_DUPLICATE_FLAG);
  } else refuseLine(executor, replies);
  return Outcome.DONE;
}

/** Answers a line that the request has refused. */
export function refuseLine({ meta }: Executor, replies: ReplyBuffer): void {
  if (meta.error !== undefined) replies.write(meta.error);
}

/**
 * Begins a returned flag.
 * @hot
 */
export function writeLetter(replies: ReplyBuffer, letter: number): void {
  replies.writeByte(SPACE);
  replies.writeByte(letter);
}

/**
 * Writes the `k` flag: the key of `it`, or that of the request when there is no item. A binary key
 * is in Base64, with a `b` flag behind it.
 * @hot
 */
export function writeKeyFlag(executor: Executor, it: ItemRef, replies: ReplyBuffer): void {
  const { store, meta } = executor;
  writeLetter(replies, Flag.k);
  if (it === NO_ITEM) {
    writeKey(replies, meta.keyBlock, meta.keyFrom, meta.nkey, meta.has(Flag.b));
    return;
  }
  const isBinary = (itemFlags(store.items, it) & ItemFlag.KEY_BINARY) !== 0;
  const from = itemKeyAt(store.items, it);
  writeKey(replies, blockOf(store.items, it), from, itemNkey(store.items, it), isBinary);
}

/**
 * Writes a key, and the `b` flag if it is in Base64.
 * @hot
 */
function writeKey(
  replies: ReplyBuffer,
  block: Block,
  from: number,
  nkey: number,
  isBinary: boolean,
): void {
  if (!isBinary) {
    replies.writeRange(block, from, from + nkey);
    return;
  }
  replies.used = encodeBase64(block.bytes, from, from + nkey, replies.block.bytes, replies.used);
  writeLetter(replies, Flag.b);
}

/**
 * Returns the flag that is token `index` of the line as the client sent it.
 * @hot
 */
export function writeTokenBack(
  { tokens }: Executor,
  block: Block,
  index: number,
  replies: ReplyBuffer,
): void {
  replies.writeByte(SPACE);
  replies.writeRange(block, tokens.start[index]!, tokens.end[index]!);
}

/**
 * Writes the flags that every reply has, `k` and `O`, in the order of the request.
 *
 * @param it The item, or {@linkcode NO_ITEM} to take the key from the request.
 */
export function writeKeyFlags(
  executor: Executor,
  block: Block,
  it: ItemRef,
  replies: ReplyBuffer,
): void {
  const { tokens, meta } = executor;
  for (let index = meta.firstFlag; index < tokens.count; index++) {
    const letter = block.bytes[tokens.start[index]!];
    if (letter === Flag.k) writeKeyFlag(executor, it, replies);
    else if (letter === Flag.O) writeTokenBack(executor, block, index, replies);
  }
}

/** Writes a reply of a word and the flags `k` and `O` of the request. */
export function writeWord(
  executor: Executor,
  block: Block,
  word: Block,
  replies: ReplyBuffer,
): void {
  replies.write(word);
  writeKeyFlags(executor, block, NO_ITEM, replies);
  replies.write(Reply.CRLF);
}

/** Writes the `t` flag: seconds to live, -1 without an expiry. Caller holds the item's shard. */
export function writeTtl({ items, clock }: Store, it: ItemRef, replies: ReplyBuffer): void {
  const exptime = itemExptime(items, it);
  writeLetter(replies, Flag.t);
  if (exptime === 0) {
    replies.writeByte(0x2d);
    replies.writeByte(0x31);
  } else replies.writeUint(Math.max(0, exptime - clock.now));
}

/** Writes the `c` flag. Caller holds the item's shard. */
export function writeCas({ items }: Store, it: ItemRef, replies: ReplyBuffer): void {
  readItemCas(items, it, cas);
  writeLetter(replies, Flag.c);
  replies.writeU64(cas);
}
