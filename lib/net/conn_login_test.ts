// Goal: with -Y nothing but a login gets past the gate, however the bytes are cut.
// Method: play one conversation at every receive size, and compare replies, counters and the store.

import { assertEquals } from "@std/assert";
import { Logins } from "../auth/logins.ts";
import { ascii } from "../base/ascii.ts";
import { Snapshot } from "../stats/counters.ts";
import { checkStore } from "../store/check.ts";
import type { Store } from "../store/store.ts";
import { makeStore } from "../store/store_fixture.ts";
import { flushNow, resetCounters } from "../store/whole_store.ts";
import { READ_BYTES } from "./buffer_pool.ts";
import { Gate } from "./conn_record.ts";
import { ConnState } from "./conn_state.ts";
import { converse, type Cut, cutsUpTo, type Talk } from "./network_fixture.ts";

const LOGIN = "set k 0 0 9\r\nuser pass\r\n";
const UNAUTHENTICATED = "CLIENT_ERROR unauthenticated\r\n";
const FAILURE = "CLIENT_ERROR authentication failure\r\n";
const BAD_FORMAT = "CLIENT_ERROR bad authentication token format\r\n";
const BAD_END = "CLIENT_ERROR bad command line termination\r\n";
const TOO_LONG = "CLIENT_ERROR auth token too long\r\n";

function makeGuardedStore(): Store {
  const store = makeStore();
  new Logins(store.control, store.locks).replace([
    { user: ascii("user"), pass: ascii("pass") },
    { user: ascii("other"), pass: ascii("longer password") },
  ]);
  return store;
}

/** Plays `input` to a server that asks for a login, whose counters are at 0. */
function knock(input: string, cut: Cut, store = makeGuardedStore()): Talk {
  flushNow(store);
  resetCounters(store);
  return converse(ascii(input), cut, store, { authFile: "logins.txt", bindingProtocol: "ascii" });
}

/** A login line for `token`, and `token`. */
const asks = (token: string): string => `set k 0 0 ${token.length}\r\n${token}\r\n`;

// deno-fmt-ignore
const SCRIPTS: readonly (readonly [
  name: string, input: string, replies: string, commands: number, errors: number,
])[] = [
  ["lets the right pair in", `${LOGIN}get k\r\nmn\r\n`, "STORED\r\nEND\r\nMN\r\n", 1, 0],
  ["takes a second login for a set", `${LOGIN}${LOGIN}get k\r\n`,
    "STORED\r\nSTORED\r\nVALUE k 0 9\r\nuser pass\r\nEND\r\n", 1, 0],
  ["lets nobody in by a wrong pair", `${asks("user wrong")}${asks("nobody pass")}get k\r\n${LOGIN}`,
    `${FAILURE}${FAILURE}${UNAUTHENTICATED}STORED\r\n`, 3, 2],
  ["answers any other line by one error", `get k\r\nquit\r\n\r\n\nstats\r\nversion\n${LOGIN}`,
    UNAUTHENTICATED.repeat(6) + "STORED\r\n", 1, 0],
  ["reads the value of another command as a line", `add k 0 0 3\r\nabc\r\n${LOGIN}`,
    UNAUTHENTICATED.repeat(2) + "STORED\r\n", 1, 0],
  ["refuses a length that is no number", `set k 0 0 x\r\nset k 0 0 -1\r\n${LOGIN}`,
    UNAUTHENTICATED.repeat(2) + "STORED\r\n", 1, 0],
  ["ignores key, flags, exptime and noreply",
    ` set ${"k".repeat(300)} x -  9  noreply\nuser pass\r\n`, "STORED\r\n", 1, 0],
  ["takes a password with spaces", asks("other longer password"), "STORED\r\n", 1, 0],
  ["skips spaces before name and password", asks("  user   pass"), "STORED\r\n", 1, 0],
  ["refuses less than two parts", ["", " ", "user", "user ", " pass"].map(asks).join("") + LOGIN,
    BAD_FORMAT.repeat(5) + "STORED\r\n", 1, 0],
  ["refuses a token without its CRLF", `set k 0 0 9\r\nuser passxx${LOGIN}`,
    `${BAD_END}STORED\r\n`, 1, 0],
  ["goes on behind a token of another length", `set k 0 0 9\r\nuser passwd\r\n${LOGIN}`,
    `${BAD_END}${UNAUTHENTICATED}STORED\r\n`, 1, 0],
  ["closes on a line over 2,048 bytes", `${"x".repeat(2049)}\r\n${LOGIN}`, "", 0, 0],
  ["closes on a token over a buffer", `set k 0 0 ${READ_BYTES - 1}\r\n${LOGIN}`, TOO_LONG, 0, 0],
];

for (const [name, input, replies, commands, errors] of SCRIPTS) {
  Deno.test(`logIn() ${name}, however the bytes are cut`, () => {
    const store = makeGuardedStore();
    for (const recv of cutsUpTo(Math.min(input.length, 80))) {
      for (const send of [1, 7, 4096]) {
        const { client, conn } = knock(input, { recv, send }, store);
        const told = `recv ${recv}, send ${send}`;
        assertEquals(client.text, replies, told);
        assertEquals(conn.state, ConnState.CLOSED, told);
        const counted = new Snapshot(store.control);
        assertEquals(counted.of("auth_cmds"), commands, told);
        assertEquals(counted.of("auth_errors"), errors, told);
        assertEquals(checkStore(store).problems, [], told);
      }
    }
  });
}

Deno.test("logIn() takes the longest token that fits in a buffer", () => {
  const input = asks(`user ${"p".repeat(READ_BYTES - 2 - 5)}`) + LOGIN;
  for (const recv of [1000, 4096, READ_BYTES, READ_BYTES + 24, 100_000]) {
    assertEquals(knock(input, { recv, send: 4096 }).client.text, `${FAILURE}STORED\r\n`);
  }
});

Deno.test("logIn() asks each client that uses a record again", () => {
  const { conn } = knock(LOGIN, { recv: 100, send: 100 });
  assertEquals(conn.gate, Gate.OPEN);
  conn.reset();
  assertEquals(conn.gate, Gate.FRESH);
});

Deno.test("logIn() stores nothing", () => {
  const { shared } = knock(LOGIN, { recv: 100, send: 100 });
  const counted = new Snapshot(shared.executor.store.control);
  assertEquals([counted.of("total_items"), counted.ofClasses("cmd_set")], [0, 0]);
});
