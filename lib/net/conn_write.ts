// WRITE and MWRITE: a connection sends its replies, then goes on to the state that was named when
// it began to. WATCH sends its lines by the same function.
//
// Source: memcached memcached.c, drive_machine, conn_mwrite and write_and_go.

import { assert, fail } from "../base/assert.ts";
import { releaseHolders } from "../command/value_reply.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { Counter } from "../stats/names.ts";
import { waitForInput } from "./conn_input.ts";
import { type Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { Io } from "./transport.ts";

/**
 * Bytes that one connection may send in one turn: a client that is sent large values and does not
 * read fills its socket's buffer, megabytes of it, and the others would wait for that.
 */
export const SEND_BYTES_PER_TURN = 256 * 1024;

/**
 * The state that sends `replies`; `go` is the one that follows it.
 * @hot
 */
export function writeThen(conn: Conn, replies: ReplyBuffer, go: ConnState): ConnState {
  conn.writeAndGo = go;
  return replies.refNext < replies.refCount ? ConnState.MWRITE : ConnState.WRITE;
}

/** Sends what there is to send, then waits for the client. */
export function needInput(conn: Conn, shared: ConnShared, replies: ReplyBuffer): ConnState {
  if (replies.isEmpty) return waitForInput(conn, shared);
  return writeThen(conn, replies, ConnState.WAITING);
}

/** Sends what there is to send, then closes. */
export function closeAfterReplies(conn: Conn, replies: ReplyBuffer): ConnState {
  if (replies.isEmpty) return ConnState.CLOSING;
  return writeThen(conn, replies, ConnState.CLOSING);
}

/** @hot */
export function write(conn: Conn, shared: ConnShared): ConnState {
  const { replies } = conn;
  if (replies === undefined) fail("Connection writes without replies");
  const count = sendReplies(conn, shared, replies);
  if (count === Io.GONE) return ConnState.CLOSING;
  if (count === Io.AGAIN || !replies.isEmpty) return conn.state;
  replies.reset();
  return conn.writeAndGo === ConnState.WAITING ? waitForInput(conn, shared) : conn.writeAndGo;
}

/**
 * Sends once, and lets go of what was sent. When all is sent, the transport wakes the connection
 * for what comes again.
 *
 * @returns A count; {@linkcode Io.GONE}; or {@linkcode Io.AGAIN}, and the turn is over: the
 * connection yields, or waits for room.
 * @hot
 */
export function sendReplies(conn: Conn, shared: ConnShared, replies: ReplyBuffer): number {
  if (conn.sendBytesLeft <= 0) {
    conn.progress = Progress.YIELDED;
    return Io.AGAIN;
  }
  const count = shared.transport.send(conn.fd, replies);
  if (count === Io.GONE) return count;
  if (count === Io.AGAIN) {
    if (!conn.waitsWritable) shared.transport.waitWritable(conn.fd);
    conn.waitsWritable = true;
    conn.progress = Progress.BLOCKED;
    return count;
  }
  assert(count > 0, "Transport sent nothing and does not say why");
  shared.executor.counters.add(Counter.BYTES_WRITTEN, count);
  conn.sendBytesLeft -= count;
  replies.advance(count);
  releaseHolders(shared.executor, replies);
  if (conn.waitsWritable && replies.isEmpty) {
    conn.waitsWritable = false;
    shared.transport.waitReadable(conn.fd);
  }
  return count;
}
