import { assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { NO_CONN } from "../stats/turn.ts";
import { Snapshot } from "../stats/counters.ts";
import { makeStore, storeTest } from "../store/store_fixture.ts";
import { Conn } from "./conn_record.ts";
import { drive } from "./conn.ts";
import { ConnState, moveTo } from "./conn_state.ts";
import { converse, type Cut, makeShared, ScriptedClient } from "./network_fixture.ts";

const WHOLE: Cut = { recv: 1 << 20, send: 1 << 20, always: true };

storeTest("drive() names its connection while it runs, and nobody's afterwards", () => {
  const store = makeStore();
  const during: number[] = [];
  class NotingClient extends ScriptedClient {
    override send(...args: Parameters<ScriptedClient["send"]>): number {
      during.push(store.turn.fd);
      return super.send(...args);
    }
  }
  const client = new NotingClient(store, ascii("mn\r\n"), WHOLE);
  const conn = new Conn(7);
  const shared = makeShared(store, client);
  drive(conn, shared);
  moveTo(conn, ConnState.READ);
  drive(conn, shared);
  assertEquals(during, [7]);
  assertEquals(store.turn.fd, NO_CONN);
});

storeTest("drive() counts the bytes that come and go, and each connection's end", () => {
  const input = ascii("set k 0 0 3\r\nabc\r\nget k\r\nset k 0 x 4\r\nabcd\r\n");
  for (const recv of [1, 5, 1 << 20]) {
    const store = makeStore();
    const { client } = converse(input, { recv, send: 7 }, store);
    const counted = new Snapshot(store.control);
    assertEquals(counted.of("bytes_read"), input.length, `recv ${recv}`);
    assertEquals(counted.of("bytes_written"), client.text.length, `recv ${recv}`);
  }
});

/** Gets of so many keys, sixteen of which cost a request: how often they give way at -R 4. */
const COSTS: readonly (readonly [keys: number, gets: number, yields: number])[] = [
  [16, 3, 0],
  [32, 2, 0],
  [32, 6, 1],
  [31, 6, 1],
  [80, 2, 1],
];

for (const [keys, gets, yields] of COSTS) {
  storeTest(`drive() gives way ${yields} times in ${gets} gets of ${keys} keys`, () => {
    const input = ascii(`get${" k".repeat(keys)}\r\n`.repeat(gets));
    assertEquals(converse(input, WHOLE, makeStore(), { reqsPerEvent: 4 }).yields, yields);
  });
}
