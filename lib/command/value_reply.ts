// A value on its way to the client. A small one is copied into the replies; a larger one is sent
// from item memory, by a reference that carries a hold on the item until its bytes are sent.
//
// A value in several chunks needs a reference for each. When the replies take no more of them, the
// session keeps the item and the next chunk, and continueChunks() writes the rest later.

import { assert } from "../base/assert.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { firstChunk, isChunked } from "../store/item/chunk.ts";
import {
  blockOf,
  type ItemRef,
  type Items,
  itemValueAt,
  NO_ITEM,
  segmentOf,
} from "../store/item/item.ts";
import { ValueCursor } from "../store/item/value_cursor.ts";
import { releaseItem, retainLocked } from "../store/link.ts";
import { assertAnyShardHeld } from "../store/shard_held.ts";
import type { Store } from "../store/store.ts";
import type { Executor } from "./executor.ts";
import type { Session } from "./session.ts";

/**
 * Values up to this many bytes are copied into the replies, under the shard's lock; longer ones are
 * sent from the item's memory. Measured in docs/decisions/0006-copies-and-references.md.
 */
export const COPIED_BYTES_MAX = 4096;

/** Whether the replies can take a value. */
export const Served = {
  YES: 0,
  /** The replies must be sent first. */
  NEEDS_ROOM: 1,
  /** The item has as many holders as it can have. */
  TOO_MANY_HOLDERS: 2,
} as const;
export type Served = typeof Served[keyof typeof Served];

const pieces = new ValueCursor();

/**
 * Reserves what {@linkcode writeValueLocked} needs for `count` bytes of the value of `it`: room for
 * a copy, or a reference and a hold on the item. Caller holds the shard's lock.
 *
 * @param headBytesMax Most bytes that the reply has besides the value.
 * @returns {@linkcode Served.YES}; otherwise nothing is held.
 * @hot
 */
export function reserveValueLocked(
  store: Store,
  it: ItemRef,
  count: number,
  headBytesMax: number,
  replies: ReplyBuffer,
): Served {
  if (count <= COPIED_BYTES_MAX) {
    return replies.room < headBytesMax + count ? Served.NEEDS_ROOM : Served.YES;
  }
  if (!replies.hasReferenceRoom) return Served.NEEDS_ROOM;
  return retainLocked(store, it) ? Served.YES : Served.TOO_MANY_HOLDERS;
}

/**
 * Writes the first `count` bytes of the value of `it`, whose last two bytes are a CRLF. Caller
 * holds the shard's lock, and has reserved the value by {@linkcode reserveValueLocked}.
 *
 * The hold on the item goes to the replies; while some chunks are not in them yet, to
 * `session.sending`.
 * @hot
 */
export function writeValueLocked(
  store: Store,
  session: Session,
  it: ItemRef,
  count: number,
  replies: ReplyBuffer,
): void {
  assertAnyShardHeld(store);
  const { items } = store;
  if (isChunked(items, it)) return writeChunks(session, items, it, count, replies);
  const valueAt = itemValueAt(items, it);
  const to = valueAt + count;
  if (count <= COPIED_BYTES_MAX) replies.writeRange(blockOf(items, it), valueAt, to);
  else replies.writeReference(segmentOf(it), valueAt, to, it);
}

/** Writes the value of a chunked item: a copy of it, or references to its first chunks. */
function writeChunks(
  session: Session,
  items: Items,
  it: ItemRef,
  count: number,
  replies: ReplyBuffer,
): void {
  if (count > COPIED_BYTES_MAX) {
    assert(session.sending === NO_ITEM, "Value sent while another one is under way");
    session.sending = it;
    session.sendingChunk = firstChunk(items, it);
    session.sendingLeft = count;
    continueChunks(session, items, replies);
    return;
  }
  pieces.open(items, it);
  let left = count;
  do {
    const to = Math.min(pieces.to, pieces.at + left);
    left -= to - pieces.at;
    replies.writeRange(items.blocks[pieces.segment]!, pieces.at, to);
  } while (left > 0 && pieces.openNext(items));
}

/**
 * Writes references to the next chunks of the item that is being sent, as many as fit. The last one
 * takes over the hold on the item.
 *
 * @returns Whether all are written.
 */
export function continueChunks(session: Session, items: Items, replies: ReplyBuffer): boolean {
  while (session.sendingLeft > 0) {
    if (!replies.hasReferenceRoom) return false;
    assert(session.sendingChunk !== NO_ITEM, "Value sent past its last chunk");
    pieces.openChunk(items, session.sendingChunk);
    session.sendingChunk = pieces.next;
    const to = Math.min(pieces.to, pieces.at + session.sendingLeft);
    session.sendingLeft -= to - pieces.at;
    const holder = session.sendingLeft === 0 ? session.sending : NO_ITEM;
    replies.writeReference(pieces.segment, pieces.at, to, holder);
  }
  session.sending = NO_ITEM;
  return true;
}

/**
 * Lets go of the items whose values have been sent.
 * @hot
 */
export function releaseHolders(executor: Executor, replies: ReplyBuffer): void {
  while (replies.refReleased < replies.refNext) {
    const holder = replies.refHolder[replies.refReleased++]! as ItemRef;
    if (holder !== NO_ITEM) releaseItem(executor.store, holder);
  }
}

/** Lets go of the item that is being sent, as its connection closes. */
export function abandonRetrieval(executor: Executor, session: Session): void {
  if (session.sending !== NO_ITEM) releaseItem(executor.store, session.sending);
  session.sending = NO_ITEM;
}
