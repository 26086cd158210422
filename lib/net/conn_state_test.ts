// Goal: MOVES is the truth about connections: every move in it is made, and no other one can be.
// Method: play conversations with records that note each move, close some of them in every state in
// which a connection may rest, and compare what was noted with the table.

import { assertEquals, assertThrows } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { makeStore } from "../store/store_fixture.ts";
import { closeConn } from "./conn.ts";
import { CloseReason, Conn } from "./conn_record.ts";
import { ConnState, moveName, MOVES, moveTo, stateName } from "./conn_state.ts";
import { converse, type Cut } from "./network_fixture.ts";

const WHOLE: Cut = { recv: 1 << 20, send: 1 << 20, always: true };
const WAITS: Cut = { recv: 1 << 20, send: 1 << 20 };
const PIECES: Cut = { recv: 700, send: 900 };

const STATES = Object.entries(ConnState) as [keyof typeof ConnState, ConnState][];

/** Every move in the table, by name. */
const LISTED = STATES.flatMap(([name, state]) =>
  MOVES[name].map((next) => moveName(state, ConnState[next]))
).sort();

/** A record that puts each of its moves into `moves`. */
function notingConn(moves: Set<string>): Conn {
  const conn = new Conn(5);
  let state = conn.state;
  Object.defineProperty(conn, "state", {
    get: () => state,
    set: (next: ConnState) => {
      moves.add(moveName(state, next));
      state = next;
    },
  });
  return conn;
}

const x = (count: number) => "x".repeat(count);
/** Above 4 KiB a value is sent from the item's memory. */
const BIG = `set big 0 0 9000\r\n${x(9000)}\r\n`;
const GETS = "get big\r\n".repeat(40);
const MNS = "mn\r\n".repeat(50);
/** Replies that leave no room for another line. */
const FULL = "mn\r\n".repeat(10_000);
const STORED = `set k 0 0 2000\r\n${x(2000)}\r\n`;
const REFUSED = `set ${x(251)} 0 0 2000\r\n${x(2000)}\r\n`;

/** Of small chunks, and full after a few large values: that is seen in the middle of one. */
const SHAPE = { slabChunkMax: 1024, evictions: false };

/** Conversations: what is sent, and in which cuts. */
const TALKS: readonly (readonly [input: string, ...cuts: Cut[]])[] = [
  [`${STORED}get k\r\n${BIG}get big\r\nmn\r\n`, WHOLE, WAITS, PIECES, { recv: 1, send: 1 << 20 }],
  [`${STORED}${REFUSED}${STORED}`, WHOLE, WAITS, PIECES, { recv: 1, send: 50 }],
  [`${BIG}${GETS}${STORED}${GETS}${REFUSED}${GETS}get`, WHOLE, WAITS, PIECES],
  [`${BIG}${"get big\r\n".repeat(2)}${REFUSED}${BIG}get big\r\nnonsense`, WHOLE, WAITS, PIECES],
  [`${BIG}get big\r\nset k 0 0 x\r\n`, WHOLE, WAITS],
  [`${BIG}get big\r\nget`, WHOLE, WAITS],
  [`${BIG}get big\r\nget ${x(16_370)}`, WHOLE, WAITS],
  ["mn\r\nge", WHOLE],
  ["mn  \r\n".repeat(5000), WHOLE],
  [[1, 2, 3, 4, 5].map((n) => `set k${n} 0 0 900000\r\n${x(900_000)}\r\n`).join(""), WHOLE],
  ["set k 0 0 x\r\n", WHOLE],
  ["get ", WHOLE],
  ["stats\r\n".repeat(50), WHOLE],
  [MNS, WHOLE],
  [FULL, WHOLE, WAITS],
  ["quit\r\n", WHOLE],
  [`set k 0 0 100000\r\n${x(10)}`, WHOLE, WAITS],
  [`set k 0 0 100000000\r\n${x(10)}`, WHOLE, WAITS],
];

/** Closed by the loop while they rest. */
const RESTS: readonly (readonly [state: ConnState, input: string, cut: Cut])[] = [
  [ConnState.NEW_CMD, MNS, WHOLE],
  [ConnState.WAITING, "mn\r\n", WAITS],
  [ConnState.READ, `get ${x(100)}\r\n`, { recv: 1, send: 1, always: true }],
  [ConnState.NREAD, STORED, { recv: 10, send: 10 }],
  [ConnState.SWALLOW, REFUSED, { recv: 10, send: 10 }],
  [ConnState.WRITE, MNS, { recv: 1 << 20, send: 10 }],
  [ConnState.MWRITE, `${BIG}get big\r\n`, { recv: 1 << 20, send: 100 }],
  [ConnState.WATCH, "watch\r\n", WAITS],
];

Deno.test("moveTo() makes every move that MOVES lists", () => {
  const moves = new Set<string>();
  for (const [input, ...cuts] of TALKS) {
    for (const cut of cuts) {
      const { conn } = converse(ascii(input), cut, makeStore(SHAPE), {}, notingConn(moves));
      assertEquals(stateName(conn.state), "conn_closed", input.slice(0, 40));
      conn.reset();
    }
  }
  for (const [state, input, cut] of RESTS) {
    const record = notingConn(moves);
    record.untilEmpty = state === ConnState.READ; // Else it would wait to be woken.
    let turns = 0;
    const rests = () => turns++ > 0 && record.state === state;
    const { conn, shared } = converse(ascii(input), cut, makeStore(SHAPE), {}, record, rests);
    assertEquals(stateName(conn.state), stateName(state), "It rests there");
    closeConn(conn, shared, CloseReason.SHUTDOWN);
    assertEquals(stateName(conn.state), "conn_closed");
  }
  assertEquals([...moves].sort(), LISTED);
});

Deno.test("moveTo() stops the worker at a move that MOVES does not list", () => {
  for (const [, state] of STATES) {
    for (const [, next] of STATES) {
      const name = moveName(state, next);
      const conn = { state };
      if (LISTED.includes(name)) moveTo(conn, next);
      else assertThrows(() => moveTo(conn, next), InvariantError, name);
      assertEquals(conn.state, LISTED.includes(name) ? next : state);
    }
  }
});

Deno.test("stateName() spells states as memcached does", () => {
  assertEquals(stateName(new Conn(1).state), "conn_new_cmd");
  assertEquals(stateName(ConnState.MWRITE), "conn_mwrite");
});
