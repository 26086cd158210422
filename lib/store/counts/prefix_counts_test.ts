// Goal: keys are counted by what stands before the delimiter, and the table never grows.

import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { PrefixCounts, PREFIXES_MAX } from "./prefix_counts.ts";
import { makeStore, storeTest } from "../store_fixture.ts";

function count(prefixes: PrefixCounts, key: string, kind: "get" | "hit" | "set" | "del"): void {
  const block = Block.of(ascii(`xx${key}yy`)); // A key lies somewhere in a buffer.
  const to = 2 + key.length;
  if (kind === "set") prefixes.countSet(block, 2, to);
  else if (kind === "del") prefixes.countDelete(block, 2, to);
  else prefixes.countGet(block, 2, to, kind === "hit");
}

storeTest("dump() lists the counts of each prefix", () => {
  const { prefixes } = makeStore();
  assertEquals(prefixes.dump(), "END\r\n");
  for (const kind of ["get", "hit", "hit", "set", "del"] as const) count(prefixes, "a:b:c", kind);
  count(prefixes, "aa:", "set");
  count(prefixes, ":x", "del");
  count(prefixes, "none", "get");
  assertEquals(
    prefixes.dump(),
    "PREFIX a get 3 hit 2 set 1 del 1\r\nPREFIX aa get 0 hit 0 set 1 del 0\r\n" +
      "PREFIX  get 0 hit 0 set 0 del 1\r\nEND\r\n",
  );
});

storeTest("all threads count in one table", () => {
  const { prefixes, assoc, control, locks } = makeStore({ prefixDelimiter: 0x2e });
  const other = new PrefixCounts(control, locks, assoc, 0x2e);
  count(prefixes, "a.b:c", "set");
  count(other, "a.d", "set");
  assertEquals(other.dump(), "PREFIX a get 0 hit 0 set 2 del 0\r\nEND\r\n");
  prefixes.turn(true);
  assertEquals(other.isOn, true);
});

storeTest("clear() forgets all, and what comes next counts from 0", () => {
  const { prefixes } = makeStore();
  count(prefixes, "a:b", "set");
  count(prefixes, "b:b", "set");
  prefixes.clear();
  assertEquals(prefixes.dump(), "END\r\n");
  count(prefixes, "b:b", "get");
  assertEquals(prefixes.dump(), "PREFIX b get 1 hit 0 set 0 del 0\r\nEND\r\n");
});

storeTest("a full table counts the prefixes that it has, and takes no other", () => {
  const { prefixes } = makeStore();
  const long = "x".repeat(240);
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < PREFIXES_MAX + 10; index++) {
      count(prefixes, `${long}${index}:k`, "set");
    }
  }
  const lines = prefixes.dump().split("\r\n");
  assertEquals(lines.length, PREFIXES_MAX + 2);
  assertEquals(lines[0], `PREFIX ${long}0 get 0 hit 0 set 2 del 0`);
  assertEquals(
    lines[PREFIXES_MAX - 1],
    `PREFIX ${long}${PREFIXES_MAX - 1} get 0 hit 0 set 2 del 0`,
  );
});
