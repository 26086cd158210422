// One client connection: a state machine that runs until it must wait.
//
// conn_state.ts has the whole diagram. The handler of a state does its work and returns the next
// one; drive() makes that move, which moveTo() checks. A connection knows bytes in, bytes out and
// the commands; a transport feeds it.
//
//   conn.ts         NEW_CMD READ CLOSING       conn_parse*.ts, conn_login.ts   PARSE_CMD
//   conn_value.ts   NREAD SWALLOW              conn_write.ts   WRITE MWRITE
//   conn_watch.ts   WATCH                      conn_loop.ts    wakes WAITING, closes from outside
//
// Source: memcached memcached.c, drive_machine.

import { fail } from "../base/assert.ts";
import { continueAnswer } from "../command/answer.ts";
import { abandonWatch } from "../command/admin/watch.ts";
import { abandonStorage } from "../command/value_receive.ts";
import { abandonRetrieval, releaseHolders } from "../command/value_reply.ts";
import { Verb } from "../protocol/text/commands.ts";
import { Counter } from "../stats/names.ts";
import { Watched } from "../log/event_log.ts";
import {
  inputEnded,
  mayReceive,
  receiveInto,
  RECEIVES_PER_TURN,
  waitForInput,
} from "./conn_input.ts";
import { parseCommand } from "./conn_parse.ts";
import { type CloseReason, type Conn, type ConnShared, Progress } from "./conn_record.ts";
import { ConnState, moveTo } from "./conn_state.ts";
import { receive, swallow } from "./conn_value.ts";
import { watch } from "./conn_watch.ts";
import { SEND_BYTES_PER_TURN, write, writeThen } from "./conn_write.ts";
import { Io } from "./transport.ts";

/**
 * Gives `conn` a turn: advances it until it must wait, has used up its turn, or is closed.
 * {@linkcode Conn.progress} says which.
 * @hot
 */
export function drive(conn: Conn, shared: ConnShared): void {
  const { turn } = shared.executor;
  conn.requestsLeft = shared.reqsPerEvent;
  conn.costLeft = shared.reqsPerEvent;
  conn.receivesLeft = RECEIVES_PER_TURN;
  conn.sendBytesLeft = SEND_BYTES_PER_TURN;
  conn.progress = Progress.GOES_ON;
  turn.begin(conn.fd);
  while (conn.progress === Progress.GOES_ON) moveTo(conn, handle(conn, shared));
  turn.end();
}

/** @hot */
function handle(conn: Conn, shared: ConnShared): ConnState {
  switch (conn.state) {
    case ConnState.NEW_CMD:
      return newCommand(conn, shared);
    case ConnState.READ:
      return read(conn, shared);
    case ConnState.PARSE_CMD:
      return parseCommand(conn, shared);
    case ConnState.NREAD:
      return receive(conn, shared);
    case ConnState.SWALLOW:
      return swallow(conn, shared);
    case ConnState.WRITE:
    case ConnState.MWRITE:
      return write(conn, shared);
    case ConnState.WATCH:
      return watch(conn, shared);
    case ConnState.CLOSING:
      return close(conn, shared);
    default:
      fail("Turn of a connection that has nothing to do");
  }
}

/** Closes `conn` between two turns. */
export function closeConn(conn: Conn, shared: ConnShared, reason: CloseReason): void {
  conn.closeReason = reason;
  moveTo(conn, ConnState.CLOSING);
  drive(conn, shared);
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
    return writeThen(conn, replies, ConnState.NEW_CMD);
  }
  if (isOver) return giveWay(conn, shared);
  if (isAnswering) {
    continueAnswer(session, replies);
    return ConnState.NEW_CMD;
  }
  if (input !== undefined && (input.pending > 0 || session.retrieval !== Verb.NONE)) {
    return ConnState.PARSE_CMD;
  }
  if (replies !== undefined && !replies.isEmpty) {
    return writeThen(conn, replies, ConnState.NEW_CMD);
  }
  return waitForInput(conn, shared);
}

/** Ends a turn that is used up: the others come first, if there is more to do at all. */
function giveWay(conn: Conn, shared: ConnShared): ConnState {
  const { input, session } = conn;
  const isDone = session.answer === undefined && session.retrieval === Verb.NONE &&
    (input === undefined || input.pending === 0) && !conn.mayHaveMore;
  // Not for its cost alone: who asks for statistics now and then keeps nobody waiting.
  if (!isDone || conn.requestsLeft < 0) shared.executor.counters.add(Counter.CONN_YIELDS, 1);
  if (isDone) return waitForInput(conn, shared);
  conn.progress = Progress.YIELDED;
  return ConnState.NEW_CMD;
}

/** @hot */
function read(conn: Conn, shared: ConnShared): ConnState {
  if (!mayReceive(conn)) return ConnState.READ;
  const input = conn.input ?? (conn.input = shared.pool.takeRead());
  if (input === undefined) return ConnState.CLOSING;
  input.compact();
  const room = input.block.bytes.length - input.received;
  const count = receiveInto(conn, shared, input);
  if (count === Io.AGAIN) {
    conn.mayHaveMore = false;
    return waitForInput(conn, shared);
  }
  if (count <= 0) return inputEnded(conn, count);
  conn.mayHaveMore = count === room || conn.untilEmpty;
  return ConnState.PARSE_CMD;
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
  conn.progress = Progress.BLOCKED;
  return ConnState.CLOSED;
}
