// The end of an ms: the value has come, the item is stored, and the reply made of what the session
// has kept of the line.

import { LF } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { Flag } from "../../protocol/meta/flags.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { blockOf, itemKeyAt, itemNkey, NO_ITEM } from "../../store/item/item.ts";
import { Stored } from "../../store/outcome.ts";
import { storeMetaLocked } from "../../store/update/storing_meta.ts";
import type { Executor } from "../executor.ts";
import { Word } from "./meta_reply.ts";
import type { Session } from "../session.ts";
import { hashKey, lockShard, unlockShard } from "../../store/link.ts";

const SPACE = 0x20;

/** Reply word for each way a value can end. */
const WORDS: Readonly<Record<Stored, Block>> = {
  [Stored.STORED]: Word.HD,
  [Stored.NOT_STORED]: Word.NS,
  [Stored.EXISTS]: Word.EX,
  [Stored.NOT_FOUND]: Word.NF,
};

/**
 * Stores the item whose last value byte has come, and answers.
 * @hot
 */
export function finishMetaSet(executor: Executor, session: Session, replies: ReplyBuffer): void {
  const { store } = executor;
  const { how } = session;
  const it = session.item;
  session.item = NO_ITEM;
  const keyAt = itemKeyAt(store.items, it);
  const hv = hashKey(store, blockOf(store.items, it), keyAt, keyAt + itemNkey(store.items, it));

  lockShard(store, hv);
  const stored = storeMetaLocked(store, hv, it, session.mode, how);
  unlockShard(store, hv);

  if (how.isQuiet && stored === Stored.STORED) return;
  replies.write(WORDS[stored]);
  writeReturned(session, stored === Stored.STORED, replies);
  replies.write(Reply.CRLF);
}

/** Writes the flags that come back, with the numbers that are known now. */
function writeReturned({ how, returns }: Session, isStored: boolean, replies: ReplyBuffer): void {
  if (returns === undefined) return;
  for (let at = 0; at < how.returned; at++) {
    const byte = returns.bytes[at]!;
    if (byte !== LF) {
      replies.writeByte(byte);
      continue;
    }
    const letter = returns.bytes[++at]!;
    replies.writeByte(SPACE);
    replies.writeByte(letter);
    if (letter === Flag.s) replies.writeUint(how.size);
    else if (isStored) replies.writeU64(how.cas);
    else replies.writeUint(0);
  }
}
