// The states of a connection, and which may follow which. Names are memcached's
// (memcached.h, enum conn_states); phrases say what a connection in that state does.
//
// moveTo() is the one place that writes a state: drive() calls it for the moves of a turn, the loop
// for those from outside of one. A move that MOVES does not list stops the worker.

import { fail } from "../base/assert.ts";

/** What a connection is doing. */
export const ConnState = {
  /** Accepts connections: a listening socket. */
  LISTENING: 0,
  /** Between two commands. */
  NEW_CMD: 1,
  /** Waits for the client; owns no buffer unless part of a line has come. */
  WAITING: 2,
  /** Receives whatever the socket holds. */
  READ: 3,
  /** Takes one command from the read buffer and runs it. */
  PARSE_CMD: 4,
  /** Receives the value of a storage command into its item. */
  NREAD: 5,
  /** Discards the value of a command that was refused. */
  SWALLOW: 6,
  /** Sends replies that are all in the buffer. */
  WRITE: 7,
  /** Sends replies that are partly in the memory of items. */
  MWRITE: 8,
  /** About to be closed. */
  CLOSING: 9,
  /** Closed; the record is spare. */
  CLOSED: 10,
  /** Receives log lines (`watch`). */
  WATCH: 11,
} as const;
export type ConnState = typeof ConnState[keyof typeof ConnState];
type StateName = keyof typeof ConnState;

/**
 * For each state, the states that may follow. CLOSING follows where a connection may rest between
 * two turns, besides where it fails: the loop closes what is idle, and at shutdown everything.
 */
// deno-fmt-ignore
export const MOVES: Readonly<Record<StateName, readonly StateName[]>> = {
  LISTENING: [], // Of the table of connections only: a socket that listens has no Conn.
  NEW_CMD:   ["NEW_CMD", "PARSE_CMD", "WRITE", "MWRITE", "WAITING", "READ", "CLOSING"],
  WAITING:   ["READ", "CLOSING"],
  READ:      ["READ", "PARSE_CMD", "WAITING", "CLOSING"],
  PARSE_CMD: ["NEW_CMD", "NREAD", "SWALLOW", "WRITE", "MWRITE", "WAITING", "READ",
              "CLOSING", "WATCH"],
  NREAD:     ["NREAD", "NEW_CMD", "SWALLOW", "WRITE", "MWRITE", "CLOSING"],
  SWALLOW:   ["SWALLOW", "NEW_CMD", "WRITE", "MWRITE", "CLOSING"],
  WRITE:     ["WRITE", "NEW_CMD", "NREAD", "SWALLOW", "WAITING", "READ", "CLOSING"],
  MWRITE:    ["MWRITE", "NEW_CMD", "NREAD", "SWALLOW", "WAITING", "READ", "CLOSING"],
  CLOSING:   ["CLOSED"],
  CLOSED:    ["NEW_CMD"], // The record is used again.
  WATCH:     ["WATCH", "CLOSING"],
};

/** MOVES as bits: bit `next` of `MOVE_BITS[state]`. */
const MOVE_BITS = new Uint32Array(Object.keys(ConnState).length);
for (const [state, nexts] of Object.entries(MOVES)) {
  for (const next of nexts) MOVE_BITS[ConnState[state as StateName]]! |= 1 << ConnState[next];
}

/** What has a state that nobody writes but {@linkcode moveTo}. */
export interface Stateful {
  readonly state: ConnState;
}

/**
 * Brings `conn` into the state `next`.
 *
 * @throws InvariantError if {@linkcode MOVES} does not list that move.
 * @hot
 */
export function moveTo(conn: Stateful, next: ConnState): void {
  if (((MOVE_BITS[conn.state]! >> next) & 1) === 0) {
    fail("Move of a connection that is not in MOVES: " + moveName(conn.state, next));
  }
  (conn as { state: ConnState }).state = next;
}

/** A move in text: `conn_read -> conn_closing`. */
export function moveName(state: ConnState, next: ConnState): string {
  return `${stateName(state)} -> ${stateName(next)}`;
}

/** The state as memcached spells it in `stats conns`: `conn_new_cmd`. */
export function stateName(state: ConnState): string {
  const name = Object.entries(ConnState).find(([, value]) => value === state)?.[0] ?? "unknown";
  return `conn_${name.toLowerCase()}`;
}
