// One client connection: a state machine that runs until it must wait.
//
// conn_state.ts has the whole diagram. Each handler returns the next state; only drive() assigns
// it, and checks each move against the diagram. A connection knows bytes in, bytes out and the
// commands; a transport feeds it. Source: memcached memcached.c, drive_machine.

import { assert, fail } from "../base/assert.ts";
import { CR } from "../base/ascii.ts";
import { execute, longCommand } from "../command/execute.ts";
import type { Executor } from "../command/executor.ts";
import {
  continueRetrieval,
  failRetrieval,
  releaseHolders,
  runRetrieval,
} from "../command/retrieval.ts";
import { Outcome, Session } from "../command/session.ts";
import { abandonStorage, finishStorage, receiveValue } from "../command/storage.ts";
import { LINE_BYTES_MAX, Reply, type ReplyBuffer } from "../protocol/reply.ts";
import { Verb } from "../protocol/text/commands.ts";
import { KEY_MAX } from "../protocol/text/tokens.ts";
import { Counter } from "../stats/names.ts";
import { NO_ITEM } from "../store/item.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { ConnState, mayMove } from "./conn_state.ts";
import { NO_LINE, type ReadBuffer } from "./read_buffer.ts";
import { Io, type Transport } from "./transport.ts";

/**
 * Longest command line, except for get, gets, gat and gats: a client that sends more is talking
 * another protocol. Source: memcached proto_text.c, try_read_command_ascii.
 */
export const LINE_MAX = 2048;

/** First byte of a binary request. Source: memcached protocol_binary.h, PROTOCOL_BINARY_REQ. */
const BINARY_REQUEST = 0x80;
const SPACE = 0x20;

/** What one thread's connections share. */
export interface ConnShared {
  readonly transport: Transport;
  readonly executor: Executor;
  readonly pool: BufferPool;
  /** Commands that one connection may run before the others get their turn (`-R`). */
  readonly reqsPerEvent: number;
  /** Called for each command line at `-vv`; undefined below. */
  trace: ((fd: number, bytes: Uint8Array, from: number, to: number) => void) | undefined;
}

/** The state of one connection. Fields are public to this file's handlers, the loop and tests. */
export class Conn {
  fd: number;
  state: ConnState = ConnState.NEW_CMD;
  readonly session = new Session();
  input: ReadBuffer | undefined;
  replies: ReplyBuffer | undefined;
  /** Commands left in this turn. */
  requestsLeft = 0;
  /** drive() stopped in the middle of the input: the loop calls it again after the others. */
  yielded = false;
  /** drive() stopped until the transport wakes the connection. */
  blocked = false;
  /** The transport was asked to wake it for writing. */
  waitsWritable = false;
  /** Once the replies are sent: nothing more can be done with the bytes at hand. */
  needsInput = false;
  /** Once the replies are sent: close. */
  closesAfterReplies = false;
  /** The rest of the current line is discarded. */
  skipsLine = false;
  /** No byte has been looked at yet. */
  isFresh = true;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Makes a closed record ready for the next connection. */
  reset(): void {
    assert(this.state === ConnState.CLOSED, "Connection record in use taken again");
    this.state = ConnState.NEW_CMD;
    this.session.reset();
    this.waitsWritable = false;
    this.needsInput = false;
    this.closesAfterReplies = false;
    this.skipsLine = false;
    this.isFresh = true;
  }
}

/**
 * Advances `conn` until it must wait, has used up its turn, or is closed.
 * @hot
 */
export function drive(conn: Conn, shared: ConnShared): void {
  conn.requestsLeft = shared.reqsPerEvent;
  conn.yielded = false;
  conn.blocked = false;
  while (!conn.blocked && !conn.yielded) {
    let next: ConnState;
    switch (conn.state) {
      case ConnState.NEW_CMD:
        next = newCommand(conn, shared);
        break;
      case ConnState.READ:
        next = read(conn, shared);
        break;
      case ConnState.PARSE_CMD:
        next = parseCommand(conn, shared);
        break;
      case ConnState.NREAD:
        next = receive(conn, shared);
        break;
      case ConnState.SWALLOW:
        next = swallow(conn, shared);
        break;
      case ConnState.WRITE:
      case ConnState.MWRITE:
        next = write(conn, shared);
        break;
      case ConnState.CLOSING:
        next = close(conn, shared);
        break;
      case ConnState.WAITING:
      case ConnState.CLOSED:
        return;
      default:
        fail("Unknown connection state");
    }
    assert(mayMove(conn.state, next), "Connection made a move not in MOVES");
    conn.state = next;
  }
}

/** @hot */
function newCommand(conn: Conn, shared: ConnShared): ConnState {
  const { input, replies } = conn;
  if (input !== undefined && (input.pending > 0 || conn.session.retrieval !== Verb.NONE)) {
    if (conn.requestsLeft > 0) {
      conn.requestsLeft--;
      return ConnState.PARSE_CMD;
    }
    if (replies !== undefined && !replies.isEmpty) return writeState(replies);
    shared.executor.counters.add(Counter.CONN_YIELDS, 1);
    conn.yielded = true;
    return ConnState.NEW_CMD;
  }
  if (replies !== undefined && !replies.isEmpty) return writeState(replies);
  return waitForInput(conn, shared);
}

/** Gives back the buffers that hold nothing. */
function waitForInput(conn: Conn, shared: ConnShared): ConnState {
  releaseInput(conn, shared);
  if (conn.replies !== undefined) {
    shared.pool.giveReplies(conn.replies);
    conn.replies = undefined;
  }
  return ConnState.WAITING;
}

function releaseInput(conn: Conn, shared: ConnShared): void {
  if (conn.input === undefined || conn.input.pending > 0) return;
  shared.pool.giveRead(conn.input);
  conn.input = undefined;
}

/** @hot */
function read(conn: Conn, shared: ConnShared): ConnState {
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  input.compact();
  const count = shared.transport.recv(conn.fd, input.block.bytes, input.received);
  if (count === Io.AGAIN) return waitForInput(conn, shared);
  if (count <= 0) return ConnState.CLOSING;
  shared.executor.counters.add(Counter.BYTES_READ, count);
  input.received += count;
  return ConnState.PARSE_CMD;
}

/** @hot */
function parseCommand(conn: Conn, shared: ConnShared): ConnState {
  const { input, session } = conn;
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (input === undefined || replies === undefined) return ConnState.CLOSING;
  if (replies.room < LINE_BYTES_MAX) return writeState(replies);

  const lineFeed = input.lineEnd();
  if (lineFeed === NO_LINE || conn.skipsLine || session.retrieval !== Verb.NONE) {
    return parsePart(conn, shared, input, replies, lineFeed);
  }
  const { bytes } = input.block;
  const from = input.consumed;
  if (conn.isFresh) {
    conn.isFresh = false;
    if (speaksBinary(bytes, from, shared)) return ConnState.CLOSING;
  }
  const to = lineFeed > from && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
  if (lineFeed - from > LINE_MAX && longCommand(input.block, from, to) === undefined) {
    return closeAfterReplies(conn, replies);
  }
  if (shared.trace !== undefined) shared.trace(conn.fd, bytes, from, to);
  const lineBytes = lineFeed + 1 - from;
  const outcome = execute(shared.executor, session, input.block, from, to, lineBytes, replies);
  return afterCommand(conn, input, replies, outcome, lineFeed + 1);
}

/**
 * Goes on after a call to a command.
 *
 * @param lineTo Position after the line: what is consumed once the command is done with it.
 * @hot
 */
function afterCommand(
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
      return closeAfterReplies(conn, replies);
    case Outcome.CLOSE_NOW:
      return ConnState.CLOSING;
  }
}

/** Whether the client opened with a binary request, which is not spoken here. */
function speaksBinary(bytes: Uint8Array, from: number, { executor }: ConnShared): boolean {
  return bytes[from] === BINARY_REQUEST && executor.settings.bindingProtocol !== "ascii";
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
  if (conn.isFresh) {
    conn.isFresh = false;
    if (speaksBinary(bytes, from, shared)) return ConnState.CLOSING;
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
    failRetrieval(conn.session, Reply.BAD_FORMAT, replies);
  }
  // An error ends the retrieval before its line does.
  if (conn.session.retrieval === Verb.NONE) conn.skipsLine = true;
  return needInput(conn, shared, replies);
}

/** Sends what there is to send, then waits for the client. */
function needInput(conn: Conn, shared: ConnShared, replies: ReplyBuffer): ConnState {
  if (replies.isEmpty) return waitForInput(conn, shared);
  conn.needsInput = true;
  return writeState(replies);
}

function closeAfterReplies(conn: Conn, replies: ReplyBuffer): ConnState {
  if (replies.isEmpty) return ConnState.CLOSING;
  conn.closesAfterReplies = true;
  return writeState(replies);
}

/** `to` without the CR before the line feed at `lineFeed`. */
function lineWithoutCr(bytes: Uint8Array, from: number, lineFeed: number): number {
  return lineFeed > from && bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed;
}

/** Position of the last space in `bytes[from, to)`; `from` when there is none. */
function lastSpace(bytes: Uint8Array, from: number, to: number): number {
  let at = to - 1;
  while (at > from && bytes[at] !== SPACE) at--;
  return Math.max(at, from);
}

/** Receives a value: first what is in the read buffer, then straight into the item. */
function receive(conn: Conn, shared: ConnShared): ConnState {
  const { session, input } = conn;
  const { executor } = shared;
  if (input !== undefined && input.pending > 0) {
    const count = Math.min(input.pending, session.valueLeft);
    receiveValue(executor, session, input.block, input.consumed, count);
    input.consume(count);
  }
  if (session.valueLeft === 0) return valueComplete(conn, shared);
  if (conn.replies !== undefined && !conn.replies.isEmpty) return writeState(conn.replies);
  releaseInput(conn, shared);

  const to = session.valueAt + session.valueLeft;
  const count = shared.transport.recvValue(conn.fd, session.valueSegment, session.valueAt, to);
  if (count === Io.AGAIN) {
    conn.blocked = true;
    return ConnState.NREAD;
  }
  if (count <= 0) return ConnState.CLOSING;
  executor.counters.add(Counter.BYTES_READ, count);
  session.valueAt += count;
  session.valueLeft -= count;
  return session.valueLeft === 0 ? valueComplete(conn, shared) : ConnState.NREAD;
}

function valueComplete(conn: Conn, shared: ConnShared): ConnState {
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (replies === undefined) return ConnState.CLOSING;
  if (replies.room < LINE_BYTES_MAX) return writeState(replies);
  finishStorage(shared.executor, conn.session, replies);
  return ConnState.NEW_CMD;
}

/** Discards the value of a command that was refused. */
function swallow(conn: Conn, shared: ConnShared): ConnState {
  const { session } = conn;
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  const held = Math.min(input.pending, session.valueLeft);
  input.consume(held);
  session.valueLeft -= held;
  if (session.valueLeft === 0) return ConnState.NEW_CMD;
  if (conn.replies !== undefined && !conn.replies.isEmpty) return writeState(conn.replies);

  input.clear();
  const count = shared.transport.recv(conn.fd, input.block.bytes, 0);
  if (count === Io.AGAIN) {
    releaseInput(conn, shared);
    conn.blocked = true;
    return ConnState.SWALLOW;
  }
  if (count <= 0) return ConnState.CLOSING;
  shared.executor.counters.add(Counter.BYTES_READ, count);
  input.received = count;
  return ConnState.SWALLOW;
}

/** The state that sends `replies`. */
function writeState(replies: ReplyBuffer): ConnState {
  return replies.refNext < replies.refCount ? ConnState.MWRITE : ConnState.WRITE;
}

/** @hot */
function write(conn: Conn, shared: ConnShared): ConnState {
  const { replies } = conn;
  if (replies === undefined) fail("Connection writes without replies");
  const count = shared.transport.send(conn.fd, replies);
  if (count === Io.GONE) return ConnState.CLOSING;
  if (count === Io.AGAIN) {
    if (!conn.waitsWritable) shared.transport.waitWritable(conn.fd);
    conn.waitsWritable = true;
    conn.blocked = true;
    return conn.state;
  }
  shared.executor.counters.add(Counter.BYTES_WRITTEN, count);
  replies.advance(count);
  releaseHolders(shared.executor, replies);
  if (!replies.isEmpty) return conn.state;
  replies.reset();
  return written(conn, shared);
}

/** Goes on where the connection was when its replies had to be sent. */
function written(conn: Conn, shared: ConnShared): ConnState {
  if (conn.waitsWritable) {
    conn.waitsWritable = false;
    shared.transport.waitReadable(conn.fd);
  }
  if (conn.closesAfterReplies) return ConnState.CLOSING;
  if (conn.session.item !== NO_ITEM) return ConnState.NREAD;
  if (conn.session.valueLeft > 0) return ConnState.SWALLOW;
  if (conn.needsInput) {
    conn.needsInput = false;
    return waitForInput(conn, shared);
  }
  return ConnState.NEW_CMD;
}

/** Lets go of everything the connection holds. */
function close(conn: Conn, shared: ConnShared): ConnState {
  abandonStorage(shared.executor, conn.session);
  if (conn.replies !== undefined) {
    conn.replies.refNext = conn.replies.refCount;
    releaseHolders(shared.executor, conn.replies);
    conn.replies.clear();
    shared.pool.giveReplies(conn.replies);
    conn.replies = undefined;
  }
  if (conn.input !== undefined) {
    shared.pool.giveRead(conn.input);
    conn.input = undefined;
  }
  shared.transport.close(conn.fd);
  return ConnState.CLOSED;
}
