// Answers that may be longer than a reply buffer. What does not fit is written when the connection
// has sent what is there: a client that does not read costs no memory.
//
// A turn is so many requests (-R), and a get is what a request is meant to be. An answer takes far
// longer to make: it costs as many requests as its size says, so that clients that ask for one
// after another, and do not even read them, do not stop the others
// (docs/decisions/0030-stats-turn.md).

import type { ReplyBuffer } from "../protocol/reply.ts";
import type { Session } from "./session.ts";

/** A long answer that is under way. */
export interface Answer {
  /** What it cost to make, in requests of a turn. */
  readonly cost: number;
  /** What each call of {@linkcode write} costs. */
  readonly writeCost: number;
  /**
   * Writes as much of the rest as fits, and not more than is quickly made.
   *
   * @returns Whether there is more.
   */
  write(replies: ReplyBuffer): boolean;
}

/** What statistics cost, however short they are: all counters are added up. */
const STATS_REQUESTS = 10;
/** Bytes of statistics that are made in the time of a get; measured in the decision above. */
const BYTES_PER_REQUEST = 128;

/** An answer that is there as a whole. */
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
  session.answer = answer;
  session.cost += answer.cost;
  continueAnswer(session, replies);
}

/** Moves as much of a long answer into the replies as fits. */
export function continueAnswer(session: Session, replies: ReplyBuffer): void {
  const { answer } = session;
  if (answer === undefined) return;
  session.cost += answer.writeCost;
  if (!answer.write(replies)) session.answer = undefined;
}
