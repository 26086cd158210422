// The end of an ms: the value is complete, the item is stored, and the reply is made of what the
// session has kept of the line.

import { LF } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { lockShard, unlockShard } from "../../store/link.ts";
import { Stored } from "../../store/outcome.ts";
import { storeMetaLocked } from "../../store/update/storing_meta.ts";
import type { Executor } from "../executor.ts";
import { Word } from "./meta_reply.ts";
import type { Session } from "../session.ts";
import { hashItemKey, takeReceived } from "../value_receive.ts";

const SPACE = 0x20;

/** The reply word for each way an ms ends. */
const WORDS: Readonly<Record<Stored, Block>> = {
  [Stored.STORED]: Word.HD,
  [Stored.NOT_STORED]: Word.NS,
  [Stored.EXISTS]: Word.EX,
  [Stored.NOT_FOUND]: Word.NF,
};

/**
 * Stores the item whose value is complete, and answers. Takes: bucket, LRU, slab.
 * Source: memcached proto_text.c, complete_nread_ascii, _finalize_mset.
 * @hot
 */
export function finishMetaSet(executor: Executor, session: Session, replies: ReplyBuffer): void {
  const { store } = executor;
  const { storage } = session;
  const it = takeReceived(session);
  const hv = hashItemKey(store, it);

  lockShard(store, hv);
  const stored = storeMetaLocked(store, hv, it, session.mode, storage);
  unlockShard(store, hv);

  if (storage.isQuiet && stored === Stored.STORED) return;
  replies.write(WORDS[stored]);
  writeReturned(session, stored === Stored.STORED, replies);
  replies.write(Reply.CRLF);
}

/** Writes the returned flags, with the numbers in the place of their placeholders. */
function writeReturned(
  { storage, returns }: Session,
  isStored: boolean,
  replies: ReplyBuffer,
): void {
  if (returns === undefined) return;
  for (let at = 0; at < storage.returned; at++) {
    const byte = returns.bytes[at]!;
    if (byte !== LF) {
      replies.writeByte(byte);
      continue;
    }
    const letter = returns.bytes[++at]!;
    replies.writeByte(SPACE);
    replies.writeByte(letter);
    if (letter === Flag.s) replies.writeUint(storage.size);
    else if (isStored) replies.writeU64(storage.cas);
    else replies.writeUint(0);
  }
}
