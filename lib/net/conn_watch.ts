// WATCH: a connection that is sent log lines. What it sends is thrown away. Its end is seen when it
// cannot be sent to any more: a client that only sends no more goes on receiving.

import { endWatcherInput, hasLines, writeLines } from "../command/admin/watch.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import { Counter } from "../stats/names.ts";
import type { Conn, ConnShared } from "./conn_record.ts";
import { releaseInput } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { Io } from "./transport.ts";

/** Throws away what has come, then sends lines until there are none or no room is left. */
export function watch(conn: Conn, shared: ConnShared): ConnState {
  if (conn.mayHaveMore) return discard(conn, shared);
  if (conn.input !== undefined) {
    conn.input.clear();
    releaseInput(conn, shared);
  }
  const { executor, pool } = shared;
  const replies = conn.replies ?? (conn.replies = pool.takeReplies());
  if (replies === undefined) return ConnState.CLOSING;
  if (replies.isEmpty) {
    replies.reset();
    if (hasLines(executor, conn.session)) writeLines(executor, conn.session, replies);
  }
  if (replies.isEmpty) {
    pool.giveReplies(replies);
    conn.replies = undefined;
    conn.blocked = true;
    return ConnState.WATCH;
  }
  return sendLines(conn, shared, replies);
}

function sendLines(
  conn: Conn,
  { transport, executor }: ConnShared,
  replies: ReplyBuffer,
): ConnState {
  if (conn.sendBytesLeft <= 0) {
    conn.yielded = true;
    return ConnState.WATCH;
  }
  const count = transport.send(conn.fd, replies);
  if (count === Io.GONE) return ConnState.CLOSING;
  if (count === Io.AGAIN) {
    if (!conn.waitsWritable) transport.waitWritable(conn.fd);
    conn.waitsWritable = true;
    conn.blocked = true;
    return ConnState.WATCH;
  }
  executor.counters.add(Counter.BYTES_WRITTEN, count);
  conn.sendBytesLeft -= count;
  replies.advance(count);
  if (conn.waitsWritable && replies.isEmpty) {
    conn.waitsWritable = false;
    transport.waitReadable(conn.fd);
  }
  return ConnState.WATCH;
}

function discard(conn: Conn, shared: ConnShared): ConnState {
  if (conn.receivesLeft-- <= 0) {
    conn.yielded = true;
    return ConnState.WATCH;
  }
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  input.clear();
  const count = shared.transport.recv(conn.fd, input.block.bytes, 0);
  if (count === Io.GONE) return ConnState.CLOSING;
  conn.mayHaveMore = count > 0;
  if (count > 0) shared.executor.counters.add(Counter.BYTES_READ, count);
  if (count === 0) {
    endWatcherInput(shared.executor, conn.session);
    shared.transport.probe(conn.fd);
  }
  return ConnState.WATCH;
}
