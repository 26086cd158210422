// Goal: a client that becomes a watcher gets what it asked for before.

import { assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { checkStore } from "../store/check.ts";
import { makeStore } from "../store/store_fixture.ts";
import { ConnState } from "./conn_state.ts";
import { Conn } from "./conn_record.ts";
import { converse, type Cut } from "./network_fixture.ts";

/** Enough that it is sent from the item's memory. */
const BIG = "x".repeat(9000);
const CUTS: readonly Cut[] = [
  { recv: 1 << 20, send: 1 << 20 },
  { recv: 1 << 20, send: 1000 },
  { recv: 7, send: 1000 },
];

Deno.test("watch() sends the replies that wait, and lets go of the items in them", () => {
  const input = `set big 0 0 9000\r\n${BIG}\r\nget big\r\nwatch\r\n`;
  const expected = `STORED\r\nVALUE big 0 9000\r\n${BIG}\r\nEND\r\nOK\r\n`;
  for (const cut of CUTS) {
    const store = makeStore();
    const conn = new Conn(5);
    let turns = 0;
    const isOver = () => conn.state === ConnState.WATCH && turns++ > 40;
    const { client } = converse(ascii(input), cut, store, {}, conn, isOver);
    assertEquals(client.text, expected);
    assertEquals(checkStore(store).problems, []);
  }
});
