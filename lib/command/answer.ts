// Answers that may be longer than a reply buffer. What does not fit is written when the connection
// has sent what is there: a client that does not read costs no memory.

import type { ReplyBuffer } from "../protocol/reply.ts";
import type { Session } from "./session.ts";

/** A long answer that is under way. */
export interface Answer {
  /**
   * Writes as much of the rest as fits, and not more than is quickly made.
   *
   * @returns Whether there is more.
   */
  write(replies: ReplyBuffer): boolean;
}

/** An answer that is there as a whole. */
export class BytesAnswer implements Answer {
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
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
  continueAnswer(session, replies);
}

/** Moves as much of a long answer into the replies as fits. */
export function continueAnswer(session: Session, replies: ReplyBuffer): void {
  const { answer } = session;
  if (answer !== undefined && !answer.write(replies)) session.answer = undefined;
}
