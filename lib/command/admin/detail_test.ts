// Goal: `stats detail` counts the commands that memcached counts, and answers as it does.

import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import type { Settings } from "../../config/settings.ts";
import { converse } from "../../net/network_fixture.ts";
import { makeStore } from "../../store/store_fixture.ts";
import {
  bytesOfLatin1,
  Op,
  packets,
  type Parts,
  readResponses,
} from "../../../tests/support/packets.ts";

const CUT = { recv: 1 << 20, send: 1 << 20 };
const SET = "set p:a 0 0 1\r\n1\r\n";
const EXTRAS = "\0".repeat(8);

/** The counts of prefix `p` after `input`: gets, hits, sets, deletions. */
function counted(input: string): readonly number[] {
  const store = makeStore({ detailEnabled: true });
  converse(ascii(input), CUT, store);
  return countsOf(store.prefixes.dump());
}

function countsOf(dump: string): readonly number[] {
  const match = /^PREFIX p get (\d+) hit (\d+) set (\d+) del (\d+)$/m.exec(dump);
  return match === null ? [] : match.slice(1).map(Number);
}

/** Commands, and the counts of memcached 1.6.18. */
const TEXT: readonly (readonly [input: string, counts: readonly number[]])[] = [
  [SET, [0, 0, 1, 0]],
  ["set p:a 0 0 2000000\r\n" + "x".repeat(2_000_000) + "\r\n", [0, 0, 1, 0]],
  ["set p:a x 0 1\r\n1\r\n", []],
  ["set p:a 0 0 1\r\n123\r\n", [0, 0, 1, 0]],
  ["append p:a 0 0 1\r\n1\r\ncas p:a 0 0 1 5\r\n1\r\n", [0, 0, 2, 0]],
  [SET + "get p:a p:b\r\n", [2, 1, 1, 0]],
  [SET + "gats 0 p:a p:b\r\n", [2, 1, 1, 0]],
  [SET + "touch p:a 0\r\nincr p:a 1\r\nme p:a\r\n", [0, 0, 1, 0]],
  [SET + "delete p:a\r\ndelete p:a\r\ndelete p:a 1\r\n", [0, 0, 1, 2]],
  ["ms p:a 1\r\n1\r\nmg p:a v\r\nmd p:a\r\nma p:a\r\n", []],
];

for (const [input, counts] of TEXT) {
  Deno.test(`stats detail counts ${JSON.stringify(input.slice(0, 40))}`, () => {
    assertEquals(counted(input), counts);
  });
}

Deno.test("a get that waits for room is counted once", () => {
  const value = "x".repeat(4000);
  const keys = Array.from({ length: 20 }, () => "p:a").join(" ");
  assertEquals(counted(`set p:a 0 0 4000\r\n${value}\r\nget ${keys}\r\n`), [20, 20, 1, 0]);
  assertEquals(
    counted(`set p:a 0 0 4000\r\n${value}\r\n` + "get p:a\r\n".repeat(20)),
    [20, 20, 1, 0],
  );
});

/** The same for packets. */
const BINARY: readonly (readonly [requests: readonly Parts[], counts: readonly number[]])[] = [
  [[{ op: Op.SET, key: "p:a", extras: EXTRAS, value: "1" }], [0, 0, 1, 0]],
  [[{ op: Op.GET, key: "p:a" }, { op: Op.GETK, key: "p:a" }], [2, 0, 0, 0]],
  [[{ op: Op.DELETE, key: "p:a" }], [0, 0, 0, 1]],
];

for (const [requests, counts] of BINARY) {
  Deno.test(`stats detail counts packet ${requests[0]?.op}`, () => {
    const store = makeStore({ detailEnabled: true });
    converse(packets(...requests), CUT, store);
    assertEquals(countsOf(store.prefixes.dump()), counts);
  });
}

/** The reply to `group` of the binary STAT: status, key and value of each packet. */
function stat(group: string, settings: Partial<Settings> = {}): string[] {
  const { client } = converse(packets({ op: Op.STAT, key: group }), CUT, makeStore(), settings);
  return readResponses(bytesOfLatin1(client.text)).map(({ status, key, value }) =>
    `${status} ${key} ${value}`
  );
}

Deno.test("the binary STAT turns details on and off, and dumps them in one packet", () => {
  assertEquals(stat("detail on"), ["0  "]);
  assertEquals(stat("detail off"), ["0  "]);
  assertEquals(stat("detail dump"), ["0 detailed END\r\n", "0  "]);
  assertEquals(stat("detail"), ["1  Not found"]);
  assertEquals(stat("detail x"), ["1  Not found"]);
  for (const group of ["detail on", "detail off", "detail dump", "detail x"]) {
    assertEquals(stat(group, { dumpEnabled: false }), ["1  Not found"]);
  }
});

Deno.test("stats detail dump shows the bytes of a prefix as they are", () => {
  const key = "\xc3\xa9\xff:a";
  const store = makeStore({ detailEnabled: true });
  const input = bytesOfLatin1(`set ${key} 0 0 1\r\n1\r\nstats detail dump\r\n`);
  const line = "PREFIX \xc3\xa9\xff get 0 hit 0 set 1 del 0\r\nEND\r\n";
  assertEquals(converse(input, CUT, store).client.text, `STORED\r\n${line}`);
  const { client } = converse(packets({ op: Op.STAT, key: "detail dump" }), CUT, store);
  assertEquals(readResponses(bytesOfLatin1(client.text))[0]?.value, line);
});

Deno.test("stats settings shows whether details are on, and stats reset clears them", () => {
  const store = makeStore();
  const say = (input: string) => converse(ascii(input), CUT, store).client.text;
  assertEquals(say("stats detail on\r\n" + SET), "OK\r\nSTORED\r\n");
  assertEquals(/detail_enabled (\w+)/.exec(say("stats settings\r\n"))?.[1], "yes");
  assertEquals(say("stats detail off\r\nstats detail dump\r\n").split("\r\n").length, 4);
  assertEquals(say("stats reset\r\nstats detail dump\r\n"), "RESET\r\nEND\r\n");
});
