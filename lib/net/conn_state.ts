// The states of a connection, and which may follow which. Names are memcached's
// (memcached.h, enum conn_states); phrases say what a connection in that state does.

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

/** For each state, the states that may follow. */
// deno-fmt-ignore
const MOVES: Readonly<Record<StateName, readonly StateName[]>> = {
  LISTENING: ["CLOSING"],
  NEW_CMD:   ["NEW_CMD", "PARSE_CMD", "WRITE", "MWRITE", "WAITING", "READ"],
  WAITING:   ["READ", "CLOSING"], // by the loop: readable, or the server stops
  READ:      ["READ", "PARSE_CMD", "WAITING", "CLOSING"],
  PARSE_CMD: ["NEW_CMD", "NREAD", "SWALLOW", "WRITE", "MWRITE", "WAITING", "READ",
              "CLOSING", "WATCH"],
  NREAD:     ["NREAD", "NEW_CMD", "SWALLOW", "WRITE", "MWRITE", "CLOSING"],
  SWALLOW:   ["SWALLOW", "NEW_CMD", "WRITE", "MWRITE", "CLOSING"],
  WRITE:     ["WRITE", "NEW_CMD", "NREAD", "SWALLOW", "WAITING", "READ", "CLOSING"],
  MWRITE:    ["MWRITE", "NEW_CMD", "NREAD", "SWALLOW", "WAITING", "READ", "CLOSING"],
  CLOSING:   ["CLOSED"],
  CLOSED:    ["NEW_CMD"], // the record is used again
  WATCH:     ["WATCH", "CLOSING"],
};

/** MOVES as bits: bit `next` of `MOVE_BITS[state]`. */
const MOVE_BITS = new Uint32Array(Object.keys(ConnState).length);
for (const [state, nexts] of Object.entries(MOVES)) {
  for (const next of nexts) MOVE_BITS[ConnState[state as StateName]]! |= 1 << ConnState[next];
}

/**
 * Whether `next` may follow `state`.
 * @hot
 */
export function mayMove(state: ConnState, next: ConnState): boolean {
  return ((MOVE_BITS[state]! >> next) & 1) === 1;
}

/** The state as memcached spells it in `stats conns`: `conn_new_cmd`. */
export function stateName(state: ConnState): string {
  const name = Object.entries(ConnState).find(([, value]) => value === state)?.[0] ?? "unknown";
  return `conn_${name.toLowerCase()}`;
}
