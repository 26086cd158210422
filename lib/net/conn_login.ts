// PARSE_CMD of a connection that has not logged in (`-Y`): the gate in front of all commands.
//
// The token that follows the line waits in the read buffer until it is whole, so that no memory is
// taken for a client that nobody knows.

import { checkToken, NO_TOKEN, readLoginLine } from "../command/text/authenticate.ts";
import { Reply, type ReplyBuffer } from "../protocol/reply.ts";
import { type Conn, type ConnShared, Gate } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { closeAfterReplies, needInput } from "./conn_write.ts";
import { LINE_MAX, lineWithoutCr, NO_LINE, type ReadBuffer } from "./read_buffer.ts";

/**
 * Takes a line or a token from the read buffer and answers it; the right token opens the
 * gate. The caller has made sure that there is room for a line.
 */
export function logIn(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
): ConnState {
  if (conn.tokenBytes === NO_TOKEN) return takeLine(conn, shared, input, replies);
  if (input.pending < conn.tokenBytes) return needInput(conn, shared, replies);
  const from = input.consumed;
  const to = from + conn.tokenBytes;
  const isRight = checkToken(shared.executor, input.block, from, to, replies);
  conn.gate = isRight ? Gate.OPEN : Gate.SHUT;
  input.consume(conn.tokenBytes);
  conn.tokenBytes = NO_TOKEN;
  return ConnState.NEW_CMD;
}

function takeLine(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
): ConnState {
  const { block, consumed: from } = input;
  const lineFeed = input.lineEnd();
  const lineBytes = lineFeed === NO_LINE ? input.pending : lineFeed - from;
  if (lineBytes > LINE_MAX) return closeAfterReplies(conn, replies);
  if (lineFeed === NO_LINE) return needInput(conn, shared, replies);
  const to = lineWithoutCr(block.bytes, from, lineFeed);
  conn.tokenBytes = readLoginLine(shared.executor, block, from, to, replies);
  input.consume(lineFeed + 1 - from);
  if (conn.tokenBytes > block.bytes.length) {
    replies.write(Reply.TOKEN_TOO_LONG);
    return closeAfterReplies(conn, replies);
  }
  return ConnState.NEW_CMD;
}
