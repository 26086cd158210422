// The record of one connection, and the moves that all its states share.

import { assert } from "../base/assert.ts";
import type { Executor } from "../command/executor.ts";
import { Outcome, Session } from "../command/session.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { BindingProtocol } from "../config/listen_address.ts";
import type { ConnTable } from "../stats/conn_table.ts";
import type { Workload } from "../stats/samples.ts";
import { ConnState } from "./conn_state.ts";
import type { ReadBuffer } from "./read_buffer.ts";
import type { Transport } from "./transport.ts";

/** Why a connection is closed. */
export const CloseReason = { ERROR: 0, NORMAL: 1, IDLE_TIMEOUT: 2, SHUTDOWN: 3 } as const;
export type CloseReason = typeof CloseReason[keyof typeof CloseReason];
/** The same as memcached writes them. */
export const CLOSE_REASONS = ["error", "normal", "idle_timeout", "shutdown"] as const;

/** What one thread's connections share. */
export interface ConnShared {
  readonly transport: Transport;
  readonly executor: Executor;
  readonly pool: BufferPool;
  /** Commands that one connection may run before the others get their turn (`-R`). */
  readonly reqsPerEvent: number;
  /** How busy this thread is. */
  readonly workload: Workload;
  /** What all connections do, for `stats conns`. */
  readonly table: ConnTable;
  /** Seconds after which an idle connection is closed; 0 for never. */
  readonly idleTimeout: number;
  /** Watchers that send no more, as long as they are so few: most of them may be gone. */
  readonly halfClosedMax: number;
  /**
   * Whether a receive from the connections of each listener may come short: on a Unix socket it
   * stops where descriptors were sent along.
   */
  readonly comesShort: readonly boolean[];
  /** What the connections of each listener may speak. */
  readonly protocols: readonly BindingProtocol[];
  /** Called before a connection is closed, while somebody watches for that. */
  readonly onClose?: ((fd: number, reason: CloseReason) => void) | undefined;
  /** Called for each command line at `-vv`; undefined below. */
  trace: ((fd: number, bytes: Uint8Array, from: number, to: number) => void) | undefined;
}

/** The state of one connection. Fields are public to this file's handlers, the loop and tests. */
export class Conn {
  fd: number;
  /** Index of the listener it came by. */
  listener = 0;
  /** When it ran its last command, or was opened: seconds since start. */
  lastCommand = 0;
  state: ConnState = ConnState.NEW_CMD;
  readonly session = new Session();
  input: ReadBuffer | undefined;
  replies: ReplyBuffer | undefined;
  /** Requests left in this turn. */
  requestsLeft = 0;
  /** Requests' worth of time that commands may take in this turn beyond that of a get each. */
  costLeft = 0;
  /** Times it may still receive in this turn. */
  receivesLeft = 0;
  /** Bytes it may still send in this turn. */
  sendBytesLeft = 0;
  /** drive() stopped in the middle of the input: the loop calls it again after the others. */
  yielded = false;
  /** drive() stopped until the transport wakes the connection. */
  blocked = false;
  /** The transport was asked to wake it for writing. */
  waitsWritable = false;
  /** Bytes may wait in the socket that the transport will not tell of again. */
  mayHaveMore = false;
  /** It is received from until there is nothing: a short receive does not tell that. */
  untilEmpty = false;
  /** Once the replies are sent: nothing more can be done with the bytes at hand. */
  needsInput = false;
  /** Once the replies are sent: close. */
  closesAfterReplies = false;
  /** The rest of the current line is discarded. */
  skipsLine = false;
  /** No byte has been looked at yet. */
  isFresh = true;
  /** May give commands: has logged in, or need not. */
  isAdmitted = false;
  /** Before it may: bytes of the token that follows its line; 0 while a line comes next. */
  tokenBytes = 0;
  closeReason: CloseReason = CloseReason.ERROR;
  /** The loop knows that it watches. */
  isWatcher = false;
  /** What it is served is timed: for how many turns that stands, 0 for not at all; since when. */
  timedWeight = 0;
  timedSinceMs = 0;
  /** Commands since then. */
  timedCount = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Makes a closed record ready for the next connection. */
  reset(): void {
    assert(this.state === ConnState.CLOSED, "Connection record in use taken again");
    this.state = ConnState.NEW_CMD;
    this.session.reset();
    this.waitsWritable = false;
    this.mayHaveMore = false;
    this.untilEmpty = false;
    this.needsInput = false;
    this.closesAfterReplies = false;
    this.skipsLine = false;
    this.isFresh = true;
    this.isAdmitted = false;
    this.tokenBytes = 0;
    this.closeReason = CloseReason.ERROR;
    this.isWatcher = false;
    this.timedWeight = 0;
  }
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
  return ConnState.WAITING;
}

/** Gives the read buffer back if it holds nothing. */
export function releaseInput(conn: Conn, shared: ConnShared): void {
  if (conn.input === undefined || conn.input.pending > 0) return;
  shared.pool.giveRead(conn.input);
  conn.input = undefined;
}

/** Sends what there is to send, then waits for the client. */
export function needInput(conn: Conn, shared: ConnShared, replies: ReplyBuffer): ConnState {
  if (replies.isEmpty) return waitForInput(conn, shared);
  conn.needsInput = true;
  return writeState(replies);
}

/** Sends what there is to send, then closes. */
export function closeAfterReplies(conn: Conn, replies: ReplyBuffer): ConnState {
  if (replies.isEmpty) return ConnState.CLOSING;
  conn.closesAfterReplies = true;
  return writeState(replies);
}

/** The state that sends `replies`. */
export function writeState(replies: ReplyBuffer): ConnState {
  return replies.refNext < replies.refCount ? ConnState.MWRITE : ConnState.WRITE;
}

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
      return writeState(replies);
    case Outcome.CLOSE:
      if (conn.session.hasQuit) conn.closeReason = CloseReason.NORMAL;
      return closeAfterReplies(conn, replies);
    case Outcome.WATCH:
      return ConnState.WATCH;
  }
}
