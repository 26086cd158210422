// Goal: every storage mode does what memcached's do_store_item does, whatever is in the place.
// Method: one table of mode x what is there; each row is checked for the answer, for what is found
// afterwards and for a store without a fault.

import { assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import { checkStore } from "../check.ts";
import { ItemFlag, itemFlags } from "../item/item.ts";
import { StoreMode } from "../outcome.ts";
import { makeStore, storeTest, testClock } from "../store_fixture.ts";
import { flushAt, flushNow } from "../whole_store.ts";

const { SET, ADD, REPLACE, APPEND, PREPEND, CAS } = StoreMode;

/** What is in the place beforehand: nothing, a live item, or one that is of no more use. */
type Before = "absent" | "present" | "expired" | "flushed";
const GONE: readonly Before[] = ["absent", "expired", "flushed"];

function storeWith(before: Before): StoreClient {
  const clock = testClock();
  const client = new StoreClient(makeStore({ maxbytes: 2 ** 21 }, clock));
  if (before === "absent") return client;
  client.set("key", "old", { flags: 7, exptime: 100 });
  if (before === "expired") clock.now += 100;
  if (before === "flushed") flushNow(client.store);
  return client;
}

const ON_PRESENT: readonly (readonly [StoreMode, answer: string, value: string, flags: number])[] =
  [
    [SET, "STORED", "new", 9],
    [ADD, "NOT_STORED", "old", 7],
    [REPLACE, "STORED", "new", 9],
    [APPEND, "STORED", "oldnew", 7],
    [PREPEND, "STORED", "newold", 7],
  ];

for (const [mode, answer, value, flags] of ON_PRESENT) {
  storeTest(`storeLocked() answers ${answer} to mode ${mode} where an item is`, () => {
    const client = storeWith("present");
    const cas = client.get("key")?.cas;
    assertEquals(client.put(mode, "key", "new", { flags: 9 }), answer);
    const found = client.get("key");
    assertEquals([found?.value, found?.flags], [value, flags]);
    assertEquals(found?.cas === cas, answer === "NOT_STORED");
    // append and prepend keep the expiry, set and replace bring their own.
    client.store.clock.now += 100;
    assertEquals(client.get("key") !== undefined, mode === SET || mode === REPLACE);
  });
}

const ON_GONE: readonly (readonly [StoreMode, answer: string])[] = [
  [SET, "STORED"],
  [ADD, "STORED"],
  [REPLACE, "NOT_STORED"],
  [APPEND, "NOT_STORED"],
  [PREPEND, "NOT_STORED"],
  [CAS, "NOT_FOUND"],
];

for (const before of GONE) {
  for (const [mode, answer] of ON_GONE) {
    storeTest(`storeLocked() answers ${answer} to mode ${mode} where the item is ${before}`, () => {
      const client = storeWith(before);
      assertEquals(client.put(mode, "key", "new", { flags: 9, cas: 1n }), answer);
      assertEquals(client.get("key")?.value, answer === "STORED" ? "new" : undefined);
      const { problems, items } = checkStore(client.store);
      assertEquals(problems, []);
      assertEquals(items, answer === "STORED" ? 1 : 0);
    });
  }
}

storeTest("storeLocked() stores a cas only with the version that the item has", () => {
  const client = storeWith("present");
  const cas = client.get("key")?.cas ?? 0n;
  for (const wrong of [0n, cas + 1n, cas + (1n << 32n), 2n ** 64n - 1n]) {
    assertEquals(client.put(CAS, "key", "new", { cas: wrong }), "EXISTS");
    assertEquals(client.get("key")?.value, "old");
  }
  assertEquals(client.put(CAS, "key", "new", { cas }), "STORED");
  assertEquals(client.put(CAS, "key", "newer", { cas }), "EXISTS");
  assertEquals(client.get("key")?.value, "new");
  const totals = new Snapshot(client.store.control);
  assertEquals(totals.ofClasses("cas_hits"), 1);
  assertEquals(totals.ofClasses("cas_badval"), 5);
  assertEquals(totals.of("cas_misses"), 0);
});

storeTest("storeLocked() lets no cas through with -C", () => {
  const client = new StoreClient(makeStore({ useCas: false }));
  client.set("key", "old");
  for (const cas of [0n, 1n]) assertEquals(client.put(CAS, "key", "new", { cas }), "EXISTS");
  assertEquals(client.put(CAS, "other", "new", { cas: 0n }), "NOT_FOUND");
  assertEquals(client.get("key"), { value: "old", flags: 0, cas: 0n });
});

storeTest("storeLocked() joins values whose total needs a chunk of another class", () => {
  const client = storeWith("present");
  let expected = "old";
  for (let round = 0; round < 12; round++) {
    const piece = String.fromCharCode(97 + round).repeat(1 << round);
    const mode = round % 2 === 0 ? APPEND : PREPEND;
    expected = mode === APPEND ? expected + piece : piece + expected;
    assertEquals(client.put(mode, "key", piece), "STORED");
    assertEquals(client.get("key")?.value, expected);
    assertEquals(client.get("key")?.flags, 7);
  }
});

storeTest("storeLocked() does not join values to more than an item may have", () => {
  const client = new StoreClient(makeStore({ itemSizeMax: 1024 }));
  client.set("key", "a".repeat(900));
  assertEquals(client.put(APPEND, "key", "b".repeat(200)), "NOT_STORED");
  assertEquals(client.put(PREPEND, "key", "b".repeat(200)), "NOT_STORED");
  assertEquals(client.get("key")?.value, "a".repeat(900));
});

storeTest("storeLocked() notes the time of an add that is kept out, and no read", () => {
  for (const [adds, lives] of [[0, false], [1, true]] as const) {
    const client = storeWith("present");
    const now = client.store.clock.now += 60;
    for (let i = 0; i < adds; i++) assertEquals(client.put(ADD, "key", "new"), "NOT_STORED");
    const flags = itemFlags(client.store.items, client.find("key"));
    assertEquals(flags & (ItemFlag.FETCHED | ItemFlag.ACTIVE), 0);
    flushAt(client.store, now); // Whatever was not accessed in this second.
    assertEquals(client.get("key") !== undefined, lives);
  }
});
