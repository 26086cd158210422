// What a connection does after a call to a command.

import { assert } from "../base/assert.ts";
import { Outcome } from "../command/session.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { CloseReason, type Conn } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { closeAfterReplies, writeThen } from "./conn_write.ts";
import type { ReadBuffer } from "./read_buffer.ts";

/**
 * Goes on after a call to a command.
 *
 * @param lineTo Position after the line, or after the packet but for its value: what is consumed
 * once the command is done with it.
 * @hot
 */
export function afterCommand(
  conn: Conn,
  input: ReadBuffer,
  replies: ReplyBuffer,
  outcome: Outcome,
  lineTo: number,
): ConnState {
  const consumedTo = outcome === Outcome.FLUSH ? conn.session.resumeAt : lineTo;
  input.consume(consumedTo - input.consumed);
  switch (outcome) {
    case Outcome.DONE:
      return ConnState.NEW_CMD;
    case Outcome.VALUE:
      return ConnState.NREAD;
    case Outcome.SWALLOW:
      return ConnState.SWALLOW;
    case Outcome.FLUSH:
      assert(!replies.isEmpty, "Command needs more room than a buffer has");
      return writeThen(conn, replies, ConnState.NEW_CMD);
    case Outcome.QUIT:
      conn.closeReason = CloseReason.NORMAL;
      return closeAfterReplies(conn, replies);
    case Outcome.CLOSE:
      return closeAfterReplies(conn, replies);
    case Outcome.WATCH:
      return ConnState.WATCH;
  }
}
