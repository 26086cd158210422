// Replies as TLS encrypts them: contiguous, some kilobytes at a time.

import { viewOf } from "../../base/copy.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";

/** Bytes of one receive, and of replies encrypted at a time: bounds what a connection holds. */
export const PIECE_BYTES = 32 * 1024;

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * The next replies that have not been sent, in one piece of at most {@linkcode PIECE_BYTES}.
 *
 * @param segments Item memory.
 * @param gathered Room for a piece, where it is in several places.
 * @returns A view of the replies, or of `gathered`: valid until either changes.
 */
export function nextPiece(
  replies: ReplyBuffer,
  segments: readonly Bytes[],
  gathered: Bytes,
): Bytes {
  const { block: { bytes }, sent, used } = replies;
  if (replies.refNext === replies.refCount) {
    return viewOf(bytes, sent, Math.min(used, sent + PIECE_BYTES));
  }
  let count = 0;
  const copy = (source: Bytes, from: number, to: number): void => {
    const end = Math.min(to, from + PIECE_BYTES - count);
    gathered.set(viewOf(source, from, end), count);
    count += end - from;
  };
  let at = sent;
  for (let ref = replies.refNext; ref < replies.refCount && count < PIECE_BYTES; ref++) {
    copy(bytes, at, replies.refAt[ref]!);
    at = replies.refAt[ref]!;
    if (count === PIECE_BYTES) break;
    copy(
      segments[replies.refSegment[ref]!]!,
      replies.refFrom[ref]!,
      replies.refTo[ref]!,
    );
  }
  if (count < PIECE_BYTES) copy(bytes, at, used);
  return viewOf(gathered, 0, count);
}
