// Answers that may be longer than a reply buffer. The connection sends what fits, and then asks for
// the next part: a client that does not read costs no memory.
//
// A turn has a number of requests (-R), and a request is worth a get. A long answer takes more time
// than a get and costs as many requests as its size is worth. So clients that ask for one after
// another, without reading them, do not stop other clients (docs/decisions/0030-stats-turn.md).

import { assert } from "../base/assert.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import type { Answer, Session } from "./session.ts";

/** Cost of the shortest statistics, in requests: all counters are added up. */
const STATS_REQUESTS = 10;
/** Bytes of statistics that take as long as a get; measured in the decision above. */
const BYTES_PER_REQUEST = 128;

/** An answer whose bytes are all made. */
export class BytesAnswer implements Answer {
  readonly cost: number;
  readonly writeCost = 1;
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
    this.cost = STATS_REQUESTS + Math.floor(bytes.length / BYTES_PER_REQUEST);
  }

  write(replies: ReplyBuffer): boolean {
    const count = Math.min(this.#rest.length, replies.room);
    replies.writeBytes(this.#rest, count);
    this.#rest = this.#rest.subarray(count);
    return this.#rest.length > 0;
  }
}

/** Begins an answer: writes what fits, and leaves the rest to {@linkcode continueAnswer}. */
export function startAnswer(session: Session, answer: Answer, replies: ReplyBuffer): void {
  assert(session.answer === undefined, "Answer begun while another one is under way");
  session.answer = answer;
  session.cost += answer.cost;
  continueAnswer(session, replies);
}

/** Writes as much of the session's answer, if it has one, as fits in the replies. */
export function continueAnswer(session: Session, replies: ReplyBuffer): void {
  const { answer } = session;
  if (answer === undefined) return;
  session.cost += answer.writeCost;
  if (!answer.write(replies)) session.answer = undefined;
}
