// PARSE_CMD: from received bytes to the command that handles them.
//
// A line that fits in a buffer is handled whole. A longer one can only be a retrieval: its keys are
// answered as they come.

import { CR, SPACE } from "../base/ascii.ts";
import { execute, longCommand } from "../command/dispatch/execute.ts";
import { continueRetrieval, failRetrieval, runRetrieval } from "../command/text/retrieval.ts";
import { Outcome } from "../command/session.ts";
import { BinaryRequest, REQUEST_MAGIC } from "../protocol/binary/binary_request.ts";
import { LINE_BYTES_MAX, Reply, type ReplyBuffer } from "../protocol/reply.ts";
import { Verb } from "../protocol/text/commands.ts";
import { KEY_MAX } from "../protocol/text/tokens.ts";
import { logIn } from "./conn_login.ts";
import { afterCommand } from "./conn_outcome.ts";
import { parsePacket } from "./conn_parse_binary.ts";
import { type Conn, type ConnShared, Gate } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { closeAfterReplies, needInput, writeThen } from "./conn_write.ts";
import { LINE_MAX, lineWithoutCr, NO_LINE, type ReadBuffer } from "./read_buffer.ts";

/**
 * Takes one command from the read buffer and runs it.
 * @hot
 */
export function parseCommand(conn: Conn, shared: ConnShared): ConnState {
  const { input, session } = conn;
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (input === undefined || replies === undefined) return ConnState.CLOSING;
  if (replies.room < LINE_BYTES_MAX) return writeThen(conn, replies, ConnState.NEW_CMD);
  if (conn.gate === Gate.FRESH) chooseProtocol(conn, shared, input);
  if (session.request !== undefined) {
    return parsePacket(conn, shared, input, replies, session.request);
  }
  if (conn.gate !== Gate.OPEN) return logIn(conn, shared, input, replies);

  const lineFeed = input.lineEnd();
  if (lineFeed === NO_LINE || conn.skipsLine || session.retrieval !== Verb.NONE) {
    return parsePart(conn, shared, input, replies, lineFeed);
  }
  const { bytes } = input.block;
  const from = input.consumed;
  const to = lineFeed > from && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
  if (lineFeed - from > LINE_MAX && longCommand(input.block, from, to) === undefined) {
    return closeAfterReplies(conn, replies);
  }
  conn.lastCommand = shared.executor.store.clock.now;
  if (shared.trace !== undefined) shared.trace(conn.fd, bytes, from, to);
  const lineBytes = lineFeed + 1 - from;
  const outcome = execute(shared.executor, session, input.block, from, to, lineBytes, replies);
  return afterCommand(conn, input, replies, outcome, lineFeed + 1);
}

/**
 * Decides by its first byte what a connection speaks, if its listener leaves that open. The
 * gate of one that must log in stays shut.
 * Source: memcached memcached.c, drive_machine, conn_parse_cmd.
 */
function chooseProtocol(
  conn: Conn,
  { executor: { settings }, protocols }: ConnShared,
  input: ReadBuffer,
): void {
  const protocol = protocols[conn.listener];
  const opensBinary = input.block.bytes[input.consumed] === REQUEST_MAGIC;
  if (protocol === "binary" || (protocol !== "ascii" && opensBinary)) {
    conn.session.request = new BinaryRequest();
  }
  conn.gate = settings.authFile === null && !settings.sasl ? Gate.OPEN : Gate.SHUT;
}

/**
 * Handles a line of which only a part is at hand, or a retrieval that is under way.
 *
 * A line that fits in a buffer is waited for. A longer one can only be a retrieval: its keys are
 * answered as they come, up to the last one that is complete.
 */
function parsePart(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
  lineFeed: number,
): ConnState {
  const { session } = conn;
  const whole = lineFeed !== NO_LINE;
  const { bytes } = input.block;
  const from = input.consumed;
  if (conn.skipsLine) {
    if (whole) conn.skipsLine = false;
    input.consume(whole ? lineFeed + 1 - from : input.pending);
    return whole ? ConnState.NEW_CMD : needInput(conn, shared, replies);
  }
  if (session.retrieval !== Verb.NONE) {
    conn.lastCommand = shared.executor.store.clock.now;
    const to = whole
      ? lineWithoutCr(bytes, from, lineFeed)
      : lastSpace(bytes, from, input.received);
    const outcome = continueRetrieval(
      shared.executor,
      session,
      input.block,
      from,
      to,
      whole,
      replies,
    );
    if (whole) return afterCommand(conn, input, replies, outcome, lineFeed + 1);
    return afterPart(conn, shared, input, replies, outcome, to);
  }
  if (input.pending <= LINE_MAX) return needInput(conn, shared, replies);
  const command = longCommand(input.block, from, input.received);
  if (command === undefined) return closeAfterReplies(conn, replies);
  if (!input.isFull) return needInput(conn, shared, replies);
  const to = lastSpace(bytes, from, input.received);
  const keysFrom = Math.min(from + command.name.length, to);
  const outcome = runRetrieval(
    shared.executor,
    session,
    command,
    input.block,
    keysFrom,
    to,
    false,
    replies,
  );
  return afterPart(conn, shared, input, replies, outcome, to);
}

/** Goes on after a retrieval has answered the keys up to `to`, and its line has not ended. */
function afterPart(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
  outcome: Outcome,
  to: number,
): ConnState {
  if (outcome !== Outcome.DONE) return afterCommand(conn, input, replies, outcome, to);
  input.consume(to - input.consumed);
  if (conn.session.retrieval !== Verb.NONE && input.pending > KEY_MAX + 1) {
    const failed = failRetrieval(conn.session, Reply.BAD_FORMAT, replies);
    if (failed === Outcome.CLOSE) return closeAfterReplies(conn, replies);
  }
  // An error ends the retrieval before its line does.
  if (conn.session.retrieval === Verb.NONE) conn.skipsLine = true;
  return needInput(conn, shared, replies);
}

/** Position of the last space in `bytes[from, to)`; `from` when there is none. */
function lastSpace(bytes: Uint8Array, from: number, to: number): number {
  let at = to - 1;
  while (at > from && bytes[at] !== SPACE) at--;
  return Math.max(at, from);
}
