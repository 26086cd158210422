// WATCH: a connection that is sent log lines. What it sends is thrown away. Its end is seen when it
// cannot be sent to any more: a client that only sends no more goes on receiving.

import { endWatcherInput, hasLines, writeLines } from "../command/admin/watch.ts";
import { mayReceive, receiveInto, releaseInput } from "./conn_input.ts";
import { type Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { sendReplies } from "./conn_write.ts";
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
    conn.progress = Progress.BLOCKED;
    return ConnState.WATCH;
  }
  const count = sendReplies(conn, shared, replies);
  return count === Io.GONE ? ConnState.CLOSING : ConnState.WATCH;
}

function discard(conn: Conn, shared: ConnShared): ConnState {
  if (!mayReceive(conn)) return ConnState.WATCH;
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  input.clear();
  const count = receiveInto(conn, shared, input);
  if (count === Io.GONE) return ConnState.CLOSING;
  conn.mayHaveMore = count > 0;
  if (count === 0) {
    endWatcherInput(shared.executor, conn.session);
    shared.transport.probe(conn.fd);
  }
  return ConnState.WATCH;
}
