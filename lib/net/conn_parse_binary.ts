// PARSE_CMD of a connection that speaks the binary protocol: from received bytes to the packet's
// command. The states are those of every connection: a value goes through NREAD, a refused one
// through SWALLOW, and what does not fit in the replies waits in the read buffer.

import { ascii, latin1 } from "../base/ascii.ts";
import { refuseUnknownPacket, runPacket } from "../command/dispatch/binary_execute.ts";
import { continueBinaryGet } from "../command/binary/binary_retrieval.ts";
import { messageBytes } from "../command/binary/sasl.ts";
import { SaslState } from "../command/session.ts";
import { Action } from "../protocol/binary/opcodes.ts";
import { type BinaryRequest, Framing } from "../protocol/binary/binary_request.ts";
import { Status, writeStatus } from "../protocol/binary/response.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { afterCommand } from "./conn_outcome.ts";
import { type Conn, type ConnShared, Gate } from "./conn_record.ts";
import type { ConnState } from "./conn_state.ts";
import { closeAfterReplies, needInput } from "./conn_write.ts";
import type { ReadBuffer } from "./read_buffer.ts";

/**
 * Takes one packet from the read buffer and runs its command. The caller has made sure that there
 * is room for a line.
 *
 * Source: memcached proto_bin.c, try_read_command_binary and dispatch_bin_command, with what is
 * checked first, and what closes the connection.
 * @hot
 */
export function parsePacket(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
  request: BinaryRequest,
): ConnState {
  const { session } = conn;
  const { executor } = shared;
  const { block } = input;
  if (session.isSending) {
    session.resumeAt = input.consumed;
    const outcome = continueBinaryGet(executor, session, replies);
    return afterCommand(conn, input, replies, outcome, input.consumed);
  }
  let framing = request.readHeader(block, input.consumed, input.received);
  if (framing === Framing.READY) {
    if (conn.gate !== Gate.OPEN && !request.opcode.isOpen) {
      return refusePacket(conn, replies, request, Status.AUTH_FAILURE);
    }
    framing = request.readBody(input.received);
  }
  if (framing !== Framing.READY) {
    return waitOrRefuse(conn, shared, input, replies, framing, request);
  }
  conn.lastCommand = executor.store.clock.now;
  if (shared.trace !== undefined) trace(conn, shared, input, request);
  if (request.opcode.action >= Action.SASL_AUTH) {
    return logIn(conn, shared, input, replies, request);
  }
  const outcome = runPacket(executor, session, request, block, replies);
  return afterCommand(conn, input, replies, outcome, request.keyTo);
}

/** Waits for the rest of a packet that is not whole, and refuses one that is malformed. */
function waitOrRefuse(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
  framing: Framing,
  request: BinaryRequest,
): ConnState {
  switch (framing) {
    case Framing.PART:
      return needInput(conn, shared, replies);
    case Framing.SHORT_BODY:
      return refusePacket(conn, replies, request, Status.UNKNOWN_COMMAND);
    case Framing.MALFORMED:
      return refusePacket(conn, replies, request, Status.INVALID);
    case Framing.UNKNOWN: {
      const outcome = refuseUnknownPacket(conn.session, request, replies);
      return afterCommand(conn, input, replies, outcome, request.extrasFrom);
    }
    default:
      return closeAfterReplies(conn, replies);
  }
}

/** Answers a packet behind which the stream cannot be trusted, and closes. */
function refusePacket(
  conn: Conn,
  replies: ReplyBuffer,
  request: BinaryRequest,
  status: Status,
): ConnState {
  writeStatus(replies, request, status);
  return closeAfterReplies(conn, replies);
}

/**
 * Runs a part of a login. Its message waits in the read buffer until it is whole, so that no memory
 * is taken for a client that nobody knows.
 */
function logIn(
  conn: Conn,
  shared: ConnShared,
  input: ReadBuffer,
  replies: ReplyBuffer,
  request: BinaryRequest,
): ConnState {
  const { session } = conn;
  const { executor } = shared;
  const to = request.keyTo + messageBytes(executor, request);
  if (input.received < to) return needInput(conn, shared, replies);
  const outcome = runPacket(executor, session, request, input.block, replies);
  if (executor.settings.sasl) {
    conn.gate = session.sasl === SaslState.DONE ? Gate.OPEN : Gate.SHUT;
  }
  return afterCommand(conn, input, replies, outcome, to);
}

/** What a log line cannot hold. */
// deno-lint-ignore no-control-regex -- they are what it is about
const CONTROLS = /[\x00-\x1f\x7f-\x9f]/g;

/** Writes the command and its key to the log. */
function trace(
  { fd }: Conn,
  { trace }: ConnShared,
  { block: { bytes } }: ReadBuffer,
  { opcode, keyFrom, keyTo }: BinaryRequest,
): void {
  const key = latin1(bytes, keyFrom, keyTo).replaceAll(CONTROLS, ".");
  const line = ascii(`${opcode.name} ${key}`.trimEnd());
  trace?.(fd, line, 0, line.length);
}
