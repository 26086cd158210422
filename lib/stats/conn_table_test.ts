// Goal: any thread sees what all connections do; a closed one, and one beyond the table, are not
// shown.

import { assertEquals } from "@std/assert";
import { openControl } from "../memory/regions.ts";
import { makeStore } from "../store/store_fixture.ts";
import { ConnTable } from "./conn_table.ts";

Deno.test("ConnTable shows the connections of all threads, in order of descriptors", () => {
  const { control } = makeStore();
  const table = new ConnTable(control);
  const other = new ConnTable(openControl(control.i32.buffer, control.regions));
  table.open(9, 1, 100, 2);
  other.open(5, 0, 90, 1);
  table.setState(9, 5);
  other.setLastCommand(9, 120);
  assertEquals([...other.rows()], [
    { fd: 5, state: 0, lastCommand: 90, listener: 1 },
    { fd: 9, state: 5, lastCommand: 120, listener: 2 },
  ]);
  other.close(5);
  assertEquals([...table.rows()].map(({ fd }) => fd), [9]);
});

Deno.test("ConnTable keeps the addresses of both ends, cut to their place", () => {
  const table = new ConnTable(makeStore().control);
  table.setNames(3, "tcp:127.0.0.1:5", "unix:/run/m.sock");
  table.setNames(4, `unix:/${"x".repeat(100)}`, "");
  assertEquals(table.namesOf(3), { peer: "tcp:127.0.0.1:5", local: "unix:/run/m.sock" });
  assertEquals(table.namesOf(4), { peer: `unix:/${"x".repeat(57)}`, local: "" });
  table.setNames(3, `unix:/${"é".repeat(60)}`, "unix:/é");
  assertEquals(table.namesOf(3).local, "unix:/é");
  assertEquals(table.namesOf(4).peer, `unix:/${"x".repeat(57)}`, "its neighbour's are untouched");
});

Deno.test("ConnTable records no descriptor beyond its end, and harms nothing there", () => {
  const { control } = makeStore();
  const table = new ConnTable(control);
  const { conns, connsAt } = control.regions;
  const before = control.u32.slice(connsAt / 4 + conns * 4);
  table.open(conns, 1, 100, 2);
  table.setState(conns + 1, 3);
  table.setLastCommand(conns, 7);
  table.close(conns);
  assertEquals([...table.rows()], []);
  assertEquals(control.u32.slice(connsAt / 4 + conns * 4), before);
});
