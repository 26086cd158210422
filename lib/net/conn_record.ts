// The record of one connection, and what all connections of a thread share.

import { assert } from "../base/assert.ts";
import type { Executor } from "../command/executor.ts";
import { Session } from "../command/session.ts";
import type { ReplyBuffer } from "../protocol/reply.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { BindingProtocol } from "../config/listen_address.ts";
import type { ConnTable } from "../stats/conn_table.ts";
import type { Workload } from "../stats/samples.ts";
import { ConnState, moveTo } from "./conn_state.ts";
import type { ReadBuffer } from "./read_buffer.ts";
import type { Transport } from "./transport.ts";

/** Why a connection is closed. */
export const CloseReason = { ERROR: 0, NORMAL: 1, IDLE_TIMEOUT: 2, SHUTDOWN: 3 } as const;
export type CloseReason = typeof CloseReason[keyof typeof CloseReason];
/** The same as memcached writes them. */
export const CLOSE_REASONS = ["error", "normal", "idle_timeout", "shutdown"] as const;

/** Whether the turn of a connection goes on; if not, what brings its next one. */
export const Progress = {
  /** drive() makes the next move. */
  GOES_ON: 0,
  /** The turn is used up: the loop gives it another one after the others. */
  YIELDED: 1,
  /** There is nothing to do until the transport wakes it; for good, once it is closed. */
  BLOCKED: 2,
} as const;
export type Progress = typeof Progress[keyof typeof Progress];

/** Whether a connection may give commands. */
export const Gate = {
  /** No byte has been looked at: its protocol is not known yet. */
  FRESH: 0,
  /** It must log in first. */
  SHUT: 1,
  /** It has logged in, or need not. */
  OPEN: 2,
} as const;
export type Gate = typeof Gate[keyof typeof Gate];

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

/** The state of one connection. Fields are public to the states' handlers, the loop and tests. */
export class Conn {
  fd: number;
  /** Index of the listener it came by. */
  listener = 0;
  /** When it ran its last command, or was opened: seconds since start. */
  lastCommand = 0;
  /** Written by moveTo() only. */
  readonly state: ConnState = ConnState.NEW_CMD;
  /** In WRITE and MWRITE: the state that follows once the replies are sent. */
  writeAndGo: ConnState = ConnState.NEW_CMD;
  progress: Progress = Progress.BLOCKED;
  readonly session = new Session();
  input: ReadBuffer | undefined;
  replies: ReplyBuffer | undefined;
  /** Requests left in this turn. */
  requestsLeft = 0;
  /** Requests' worth of time that commands may take in this turn beyond that of a get each. */
  costLeft = 0;
  /** Times it may still receive in this turn. */
  receivesLeft = 0;
  /** Bytes it may still send in this turn; what was sent last may take it below 0. */
  sendBytesLeft = 0;
  /** The transport was asked to wake it for writing. */
  waitsWritable = false;
  /** Bytes may wait in the socket that the transport will not tell of again. */
  mayHaveMore = false;
  /** It is received from until there is nothing: a short receive does not tell that. */
  untilEmpty = false;
  /** The rest of the current line is discarded. */
  skipsLine = false;
  gate: Gate = Gate.FRESH;
  /** Before the gate opens: bytes of the token that follows its line; 0 while a line comes next. */
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
    assert(this.input === undefined && this.replies === undefined, "Closed conn has a buffer");
    moveTo(this, ConnState.NEW_CMD);
    this.session.reset();
    this.writeAndGo = ConnState.NEW_CMD;
    this.waitsWritable = false;
    this.mayHaveMore = false;
    this.untilEmpty = false;
    this.skipsLine = false;
    this.gate = Gate.FRESH;
    this.tokenBytes = 0;
    this.closeReason = CloseReason.ERROR;
    this.isWatcher = false;
    this.timedWeight = 0;
  }
}
