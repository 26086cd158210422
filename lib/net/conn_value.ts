// NREAD and SWALLOW: a connection receives a value into its item, or discards one that was refused.
//
// Replies that wait are sent before it waits for the client: who sends a command and half a value
// may read first. What is in the read buffer is taken, then the socket is received from straight
// into the item; the read buffer goes back meanwhile.
//
// Source: memcached memcached.c, drive_machine, conn_nread and conn_swallow.

import { assert } from "../base/assert.ts";
import {
  finishStorage,
  refuseValue,
  STORED_BYTES_MAX,
} from "../command/dispatch/finish_storage.ts";
import { openPiece, receiveValue } from "../command/value_receive.ts";
import { LINE_BYTES_MAX } from "../protocol/reply.ts";
import { Counter } from "../stats/names.ts";
import { inputEnded, mayReceive, receiveInto, releaseInput } from "./conn_input.ts";
import { type Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { writeThen } from "./conn_write.ts";
import { Io } from "./transport.ts";

/** Receives a value: first what is in the read buffer, then straight into the item. */
export function receive(conn: Conn, shared: ConnShared): ConnState {
  const { session, input } = conn;
  const { executor } = shared;
  while (input !== undefined && input.pending > 0 && session.valueLeft > 0) {
    const count = Math.min(input.pending, session.valueLeft);
    const taken = receiveValue(executor, session, input.block, input.consumed, count);
    input.consume(taken);
    if (taken === 0 && !openPiece(executor, session)) return refuseRest(conn, shared);
  }
  if (session.valueLeft === 0) return valueComplete(conn, shared);
  if (conn.replies !== undefined && !conn.replies.isEmpty) {
    return writeThen(conn, conn.replies, ConnState.NREAD);
  }
  releaseInput(conn, shared);

  if (!mayReceive(conn)) return ConnState.NREAD;
  if (session.valueAt === session.valueTo && !openPiece(executor, session)) {
    return refuseRest(conn, shared);
  }
  const { valueSegment, valueAt, valueTo } = session;
  const count = shared.transport.recvValue(conn.fd, valueSegment, valueAt, valueTo);
  if (count === Io.AGAIN) {
    conn.progress = Progress.BLOCKED;
    return ConnState.NREAD;
  }
  if (count <= 0) return inputEnded(conn, count);
  assert(count <= valueTo - valueAt, "Received more of a value than its item has room for");
  conn.mayHaveMore = true;
  executor.counters.add(Counter.BYTES_READ, count);
  session.valueAt += count;
  session.valueLeft -= count;
  assert(session.valueLeft >= 0, "Received more than a value has");
  return session.valueLeft === 0 ? valueComplete(conn, shared) : ConnState.NREAD;
}

function valueComplete(conn: Conn, shared: ConnShared): ConnState {
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (replies === undefined) return ConnState.CLOSING;
  if (replies.room < STORED_BYTES_MAX) return writeThen(conn, replies, ConnState.NREAD);
  finishStorage(shared.executor, conn.session, replies);
  return ConnState.NEW_CMD;
}

/** Memory ran out in the middle of a value: says so, and discards the rest. */
function refuseRest(conn: Conn, shared: ConnShared): ConnState {
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (replies === undefined) return ConnState.CLOSING;
  if (replies.room < LINE_BYTES_MAX) return writeThen(conn, replies, ConnState.NREAD);
  refuseValue(shared.executor, conn.session, replies);
  return ConnState.SWALLOW;
}

/** Discards the value of a command that was refused. */
export function swallow(conn: Conn, shared: ConnShared): ConnState {
  const { session } = conn;
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  assert(session.valueLeft >= 0, "Discards less than nothing");
  const held = Math.min(input.pending, session.valueLeft);
  input.consume(held);
  session.valueLeft -= held;
  if (session.valueLeft === 0) return ConnState.NEW_CMD;
  if (conn.replies !== undefined && !conn.replies.isEmpty) {
    return writeThen(conn, conn.replies, ConnState.SWALLOW);
  }

  if (!mayReceive(conn)) return ConnState.SWALLOW;
  input.clear();
  const count = receiveInto(conn, shared, input);
  if (count === Io.AGAIN) {
    releaseInput(conn, shared);
    conn.progress = Progress.BLOCKED;
    return ConnState.SWALLOW;
  }
  if (count <= 0) return inputEnded(conn, count);
  conn.mayHaveMore = true;
  return ConnState.SWALLOW;
}
