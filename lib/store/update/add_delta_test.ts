// Goal: incr and decr are 64-bit arithmetic on decimal text, with memcached's padding and limits.

import { assertEquals, assertNotEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { checkStore } from "../check.ts";
import { makeStore, storeTest } from "../store_fixture.ts";

const U64_MAX = 2n ** 64n - 1n;
const MAX_TEXT = "18446744073709551615";

type Row = readonly [before: string, delta: bigint, answer: bigint, after: string];

const INCR: readonly Row[] = [
  ["0", 0n, 0n, "0"],
  ["0", 1n, 1n, "1"],
  ["9", 1n, 10n, "10"],
  ["99", 1n, 100n, "100"],
  ["10", 5n, 15n, "15"],
  ["007", 1n, 8n, "8  "],
  [" 41", 1n, 42n, "42 "],
  ["\t\n\v\f\r41", 1n, 42n, "42     "],
  ["+41", 1n, 42n, "42 "],
  ["10 ab", 1n, 11n, "11   "],
  ["10\tab", 1n, 11n, "11   "],
  ["10 ", 1n, 11n, "11 "],
  ["4294967295", 1n, 4294967296n, "4294967296"],
  ["4294967296", 4294967296n, 8589934592n, "8589934592"],
  ["9007199254740991", 2n, 9007199254740993n, "9007199254740993"],
  ["18446744073709551614", 1n, U64_MAX, MAX_TEXT],
  [MAX_TEXT, 0n, U64_MAX, MAX_TEXT],
  [MAX_TEXT, 1n, 0n, "0                   "],
  [MAX_TEXT, 12n, 11n, "11                  "],
  [MAX_TEXT, U64_MAX, U64_MAX - 1n, "18446744073709551614"],
  ["1", U64_MAX, 0n, "0"],
  ["00000000000000000001", 1n, 2n, "2                   "],
  ["000000000000000000001", 1n, 2n, `2${" ".repeat(20)}`],
  [`${"0".repeat(100)}9`, 1n, 10n, `10${" ".repeat(99)}`],
  [`+${"0".repeat(30)}${MAX_TEXT} x`, 1n, 0n, `0${" ".repeat(52)}`],
];

const DECR: readonly Row[] = [
  ["0", 1n, 0n, "0"],
  ["5", 3n, 2n, "2"],
  ["5", 5n, 0n, "0"],
  ["5", 6n, 0n, "0"],
  ["10", 1n, 9n, "9 "],
  ["100", 99n, 1n, "1  "],
  ["4294967296", 1n, 4294967295n, "4294967295"],
  ["4294967296", 4294967297n, 0n, "0         "],
  [MAX_TEXT, 1n, U64_MAX - 1n, "18446744073709551614"],
  [MAX_TEXT, U64_MAX, 0n, "0                   "],
  ["12345", U64_MAX, 0n, "0    "],
];

for (const [name, increment, rows] of [["incr", true, INCR], ["decr", false, DECR]] as const) {
  const client = new StoreClient(makeStore());
  for (const [before, delta, answer, after] of rows) {
    storeTest(`addDeltaLocked() ${name} ${JSON.stringify(before)} by ${delta}`, () => {
      client.set("n", before, { flags: 3, exptime: 100 });
      const cas = client.get("n")?.cas;
      assertEquals(client.add("n", delta, increment), answer);
      const found = client.get("n");
      assertEquals([found?.value, found?.flags], [after, 3]);
      assertNotEquals(found?.cas, cas);
      assertEquals(checkStore(client.store).problems, []);
      client.store.clock.now += 100;
      assertEquals(client.get("n"), undefined, "The expiry stays");
    });
  }
}

const REFUSED: readonly string[] = [
  "",
  " ",
  "-1",
  "- 1",
  "+",
  "++1",
  "+ 1",
  "a",
  "1a",
  "1.5",
  "0x10",
  "1,000",
  "\0",
  "1\0",
  "\u00a01",
  "18446744073709551616",
  "99999999999999999999",
  "184467440737095516150",
];

for (const value of REFUSED) {
  storeTest(`addDeltaLocked() refuses ${JSON.stringify(value)} and leaves it alone`, () => {
    const client = new StoreClient(makeStore());
    client.set("n", value);
    const before = client.get("n");
    assertEquals(client.add("n", 1n), "NON_NUMERIC");
    assertEquals(client.add("n", 1n, false), "NON_NUMERIC");
    assertEquals(client.get("n"), before);
  });
}

storeTest("addDeltaLocked() does not change the bytes that a client is being sent", () => {
  const client = new StoreClient(makeStore());
  client.set("n", "10", { flags: 5, exptime: 100 });
  const held = client.hold("n");
  assertEquals(client.add("n", 1n), 11n);
  assertEquals(client.valueOf(held), "10");
  assertEquals(client.get("n")?.value, "11");
  assertEquals(client.get("n")?.flags, 5);
  client.letGo(held);
  assertEquals(client.add("n", 2n, false), 9n);
  assertEquals(client.get("n")?.value, "9 ");
});

storeTest("addDeltaLocked() moves a held value without the padding of one in place", () => {
  const client = new StoreClient(makeStore());
  client.set("n", "10");
  const held = client.hold("n");
  assertEquals(client.add("n", 1n, false), 9n);
  assertEquals(client.get("n")?.value, "9");
  client.letGo(held);
});

storeTest("addDeltaLocked() counts without a version under -C", () => {
  const client = new StoreClient(makeStore({ useCas: false }));
  client.set("n", "9");
  assertEquals(client.add("n", 1n), 10n);
  assertEquals(client.get("n"), { value: "10", flags: 0, cas: 0n });
});
