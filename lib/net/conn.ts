// One client connection: a state machine that runs until it must wait.
//
// conn_state.ts has the whole diagram. Each handler returns the next state; only drive() assigns
// it, and checks each move against the diagram. A connection knows bytes in, bytes out and the
// commands; a transport feeds it. Source: memcached memcached.c, drive_machine.

import { assert, fail } from "../base/assert.ts";
import { continueAnswer } from "../command/answer.ts";
import { abandonWatch } from "../command/admin/watch.ts";
import {
  finishStorage,
  refuseValue,
  STORED_BYTES_MAX,
} from "../command/dispatch/finish_storage.ts";
import { abandonStorage, openPiece, receiveValue } from "../command/value_receive.ts";
import { abandonRetrieval, releaseHolders } from "../command/value_reply.ts";
import { LINE_BYTES_MAX } from "../protocol/reply.ts";
import { Verb } from "../protocol/text/commands.ts";
import { Counter } from "../stats/names.ts";
import { Watched } from "../log/event_log.ts";
import { parseCommand } from "./conn_parse.ts";
import {
  CloseReason,
  type Conn,
  type ConnShared,
  releaseInput,
  waitForInput,
  writeState,
} from "./conn_record.ts";
import { ConnState, mayMove } from "./conn_state.ts";
import { watch } from "./conn_watch.ts";
import { Io } from "./transport.ts";

/** Times that one connection may receive in one turn. */
const RECEIVES_PER_TURN = 16;

/**
 * Bytes that one connection may send in one turn: a client that is sent large values and does not
 * read fills its socket's buffer, megabytes of it, and the others would wait for that.
 */
const SEND_BYTES_PER_TURN = 256 * 1024;

/**
 * Advances `conn` until it must wait, has used up its turn, or is closed.
 * @hot
 */
export function drive(conn: Conn, shared: ConnShared): void {
  conn.requestsLeft = shared.reqsPerEvent;
  conn.costLeft = shared.reqsPerEvent;
  conn.receivesLeft = RECEIVES_PER_TURN;
  conn.sendBytesLeft = SEND_BYTES_PER_TURN;
  conn.yielded = false;
  conn.blocked = false;
  shared.executor.store.log.fd = conn.fd;
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
      case ConnState.WATCH:
        next = watch(conn, shared);
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

/** Keys of one retrieval that cost a request: a list of thousands is one command. */
const KEYS_PER_REQUEST = 16;

/**
 * Each arrival here counts as a request: after a command, and again once its replies are sent. So a
 * turn ends where memcached's does, and `conn_yields` counts the same. What takes longer than a get
 * has a cost besides, and may end the turn before (docs/decisions/0030-stats-turn.md).
 * Source: memcached memcached.c, drive_machine, conn_new_cmd.
 * @hot
 */
function newCommand(conn: Conn, shared: ConnShared): ConnState {
  const { input, replies, session } = conn;
  conn.requestsLeft--;
  conn.costLeft -= session.cost + Math.floor(session.keys / KEYS_PER_REQUEST);
  session.cost = session.keys = 0;
  const isOver = conn.requestsLeft < 0 || conn.costLeft < 0;
  const isAnswering = session.answer !== undefined && replies !== undefined;
  if (replies !== undefined && !replies.isEmpty && (isAnswering || isOver)) {
    return writeState(replies);
  }
  if (isOver) return giveWay(conn, shared);
  if (isAnswering) {
    continueAnswer(session, replies);
    return ConnState.NEW_CMD;
  }
  if (input !== undefined && (input.pending > 0 || session.retrieval !== Verb.NONE)) {
    return ConnState.PARSE_CMD;
  }
  if (replies !== undefined && !replies.isEmpty) return writeState(replies);
  return waitForInput(conn, shared);
}

/** Ends a turn that is used up: the others come first, if there is more to do at all. */
function giveWay(conn: Conn, shared: ConnShared): ConnState {
  const { input, session } = conn;
  const isDone = session.answer === undefined && session.retrieval === Verb.NONE &&
    (input === undefined || input.pending === 0) && !conn.mayHaveMore;
  // Not for its cost alone: whoever asks for statistics now and then keeps nobody waiting.
  if (!isDone || conn.requestsLeft < 0) shared.executor.counters.add(Counter.CONN_YIELDS, 1);
  if (isDone) return waitForInput(conn, shared);
  conn.yielded = true;
  return ConnState.NEW_CMD;
}

/** Nothing more comes: the client has hung up, or is gone. */
function ended(conn: Conn, count: number): ConnState {
  if (count === 0) conn.closeReason = CloseReason.NORMAL;
  return ConnState.CLOSING;
}

/**
 * Whether the connection has received so often in this turn that the others come first.
 * @hot
 */
function takesTooLong(conn: Conn): boolean {
  if (conn.receivesLeft > 0) {
    conn.receivesLeft--;
    return false;
  }
  conn.yielded = true;
  return true;
}

/** @hot */
function read(conn: Conn, shared: ConnShared): ConnState {
  if (takesTooLong(conn)) return ConnState.READ;
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  input.compact();
  const room = input.block.bytes.length - input.received;
  const count = shared.transport.recv(conn.fd, input.block.bytes, input.received);
  conn.mayHaveMore = count === room || conn.untilEmpty;
  if (count === Io.AGAIN) {
    conn.mayHaveMore = false;
    return waitForInput(conn, shared);
  }
  if (count <= 0) return ended(conn, count);
  shared.executor.counters.add(Counter.BYTES_READ, count);
  input.received += count;
  return ConnState.PARSE_CMD;
}

/** Receives a value: first what is in the read buffer, then straight into the item. */
function receive(conn: Conn, shared: ConnShared): ConnState {
  const { session, input } = conn;
  const { executor } = shared;
  while (input !== undefined && input.pending > 0 && session.valueLeft > 0) {
    const count = Math.min(input.pending, session.valueLeft);
    const taken = receiveValue(executor, session, input.block, input.consumed, count);
    input.consume(taken);
    if (taken === 0 && !openPiece(executor, session)) return refuseRest(conn, shared);
  }
  if (session.valueLeft === 0) return valueComplete(conn, shared);
  if (conn.replies !== undefined && !conn.replies.isEmpty) return writeState(conn.replies);
  releaseInput(conn, shared);

  if (takesTooLong(conn)) return ConnState.NREAD;
  if (session.valueAt === session.valueTo && !openPiece(executor, session)) {
    return refuseRest(conn, shared);
  }
  const { valueSegment, valueAt, valueTo } = session;
  const count = shared.transport.recvValue(conn.fd, valueSegment, valueAt, valueTo);
  if (count === Io.AGAIN) {
    conn.blocked = true;
    return ConnState.NREAD;
  }
  if (count <= 0) return ended(conn, count);
  conn.mayHaveMore = true;
  executor.counters.add(Counter.BYTES_READ, count);
  session.valueAt += count;
  session.valueLeft -= count;
  return session.valueLeft === 0 ? valueComplete(conn, shared) : ConnState.NREAD;
}

function valueComplete(conn: Conn, shared: ConnShared): ConnState {
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (replies === undefined) return ConnState.CLOSING;
  if (replies.room < STORED_BYTES_MAX) return writeState(replies);
  finishStorage(shared.executor, conn.session, replies);
  return ConnState.NEW_CMD;
}

/** Memory ran out in the middle of a value: says so, and discards the rest. */
function refuseRest(conn: Conn, shared: ConnShared): ConnState {
  const replies = conn.replies ?? (conn.replies = shared.pool.takeReplies());
  if (replies === undefined) return ConnState.CLOSING;
  if (replies.room < LINE_BYTES_MAX) return writeState(replies);
  refuseValue(shared.executor, conn.session, replies);
  return ConnState.SWALLOW;
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

  if (takesTooLong(conn)) return ConnState.SWALLOW;
  input.clear();
  const count = shared.transport.recv(conn.fd, input.block.bytes, 0);
  if (count === Io.AGAIN) {
    releaseInput(conn, shared);
    conn.blocked = true;
    return ConnState.SWALLOW;
  }
  if (count <= 0) return ended(conn, count);
  conn.mayHaveMore = true;
  shared.executor.counters.add(Counter.BYTES_READ, count);
  input.received = count;
  return ConnState.SWALLOW;
}

/** @hot */
function write(conn: Conn, shared: ConnShared): ConnState {
  const { replies } = conn;
  if (replies === undefined) fail("Connection writes without replies");
  if (conn.sendBytesLeft <= 0) {
    conn.yielded = true;
    return conn.state;
  }
  const count = shared.transport.send(conn.fd, replies);
  if (count === Io.GONE) return ConnState.CLOSING;
  if (count === Io.AGAIN) {
    if (!conn.waitsWritable) shared.transport.waitWritable(conn.fd);
    conn.waitsWritable = true;
    conn.blocked = true;
    return conn.state;
  }
  shared.executor.counters.add(Counter.BYTES_WRITTEN, count);
  conn.sendBytesLeft -= count;
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
  if (conn.session.isReceiving) return ConnState.NREAD;
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
  abandonRetrieval(shared.executor, conn.session);
  abandonWatch(shared.executor, conn.session);
  if (shared.executor.store.log.wants(Watched.CONNEVENTS)) {
    shared.onClose?.(conn.fd, conn.closeReason);
  }
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
  shared.table.close(conn.fd); // First: the descriptor may be another connection's at once.
  shared.transport.close(conn.fd);
  return ConnState.CLOSED;
}
