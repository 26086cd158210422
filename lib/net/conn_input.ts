// What a connection receives: how often in a turn, into which buffer, and what it does when there
// is nothing.

import { Counter } from "../stats/names.ts";
import { CloseReason, type Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import type { ReadBuffer } from "./read_buffer.ts";

/** Times that one connection may receive in one turn. */
export const RECEIVES_PER_TURN = 16;

/**
 * Takes one of the receives of this turn; where none is left the connection yields.
 * @hot
 */
export function mayReceive(conn: Conn): boolean {
  if (conn.receivesLeft > 0) {
    conn.receivesLeft--;
    return true;
  }
  conn.progress = Progress.YIELDED;
  return false;
}

/**
 * Receives once, behind what is in `input`.
 *
 * @returns A count, 0 at the end of the stream, or an `Io` value.
 * @hot
 */
export function receiveInto(conn: Conn, shared: ConnShared, input: ReadBuffer): number {
  const count = shared.transport.recv(conn.fd, input.block.bytes, input.received);
  if (count > 0) {
    input.fill(count);
    shared.executor.counters.add(Counter.BYTES_READ, count);
  }
  return count;
}

/**
 * Waits for the client, without the buffers that hold nothing; or goes on receiving where the
 * transport will not tell again.
 */
export function waitForInput(conn: Conn, shared: ConnShared): ConnState {
  if (conn.mayHaveMore) return ConnState.READ;
  releaseInput(conn, shared);
  if (conn.replies !== undefined) {
    shared.pool.giveReplies(conn.replies);
    conn.replies = undefined;
  }
  conn.progress = Progress.BLOCKED;
  return ConnState.WAITING;
}

/** Gives the read buffer back if it holds nothing. */
export function releaseInput(conn: Conn, shared: ConnShared): void {
  if (conn.input === undefined || conn.input.pending > 0) return;
  shared.pool.giveRead(conn.input);
  conn.input = undefined;
}

/**
 * Nothing more comes: the client has hung up, or is gone.
 *
 * @param count What the transport said: 0 where the client has hung up.
 */
export function inputEnded(conn: Conn, count: number): ConnState {
  if (count === 0) conn.closeReason = CloseReason.NORMAL;
  return ConnState.CLOSING;
}
