// Goal: items are found as long as they live, their memory lasts as long as they have holders, and
// the counters show what happened.

import { assertEquals, assertThrows } from "@std/assert";
import { StoreClient } from "../../tests/support/store_client.ts";
import { ascii } from "../base/ascii.ts";
import { fail, InvariantError } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { Global } from "../memory/regions.ts";
import { Snapshot } from "../stats/counters.ts";
import { checkStore } from "./check.ts";
import {
  isExpired,
  itemGeneration,
  itemLruId,
  type ItemRef,
  itemTime,
  NO_ITEM,
} from "./item/item.ts";
import { addRefcount, dropOnlyHolder, loadRefcount } from "./item/refcount.ts";
import { classOf, lruIdOf, LruSegment } from "./lru/lists.ts";
import { LruMaintainer } from "./maintenance/lru_maintainer.ts";
import { isRefused, Refusal } from "./outcome.ts";
import {
  findLocked,
  hashKey,
  linkLocked,
  releaseItem,
  replaceLocked,
  retainLocked,
  unlinkLocked,
} from "./link.ts";
import { flushNow, resetCounters } from "./whole_store.ts";
import type { Store } from "./store.ts";
import { allocate } from "./room/allocate.ts";
import {
  leavesBroken,
  leavesHeld,
  makeItem,
  makeStore,
  storeTest,
  withList,
  withShard,
} from "./store_fixture.ts";

const NO_PROBLEMS = (items: number) => ({ problems: [], items });

function hashOf(store: Store, key: string): number {
  return hashKey(store, Block.of(ascii(key)), 0, key.length);
}

function find(store: Store, key: string): ItemRef {
  const hv = hashOf(store, key);
  return withShard(store, hv, () => findLocked(store, hv, Block.of(ascii(key)), 0, key.length));
}

function unlink(store: Store, key: string, it: ItemRef): void {
  const hv = hashOf(store, key);
  withShard(store, hv, () => unlinkLocked(store, hv, it));
}

/** Holds `it`, which has the key "key". */
function retain(store: Store, it: ItemRef): boolean {
  return withShard(store, hashOf(store, "key"), () => retainLocked(store, it));
}

function linkItem(store: Store, key: string, it: ItemRef): void {
  const hv = hashOf(store, key);
  withShard(store, hv, () => linkLocked(store, hv, it));
}

function link(store: Store, key: string, value = "v", flags = 0, exptime = 0): ItemRef {
  const it = makeItem(store, key, value, flags, exptime);
  linkItem(store, key, it);
  return it;
}

function gauges(store: Store): { number: number; bytes: number; total: number } {
  const totals = new Snapshot(store.control);
  return {
    number: totals.ofClasses("number"),
    bytes: totals.ofClasses("mem_requested"),
    total: totals.of("total_items"),
  };
}

storeTest("linkLocked() makes an item findable and counts it", () => {
  const store = makeStore();
  const it = makeItem(store, "key", "value");
  assertEquals(find(store, "key"), NO_ITEM);
  assertEquals(gauges(store).number, 0);
  linkItem(store, "key", it);
  assertEquals(find(store, "key"), it);
  // Header, version, key, value, CRLF.
  assertEquals(gauges(store), { number: 1, bytes: 32 + 8 + 3 + 5 + 2, total: 1 });
  assertEquals(checkStore(store), NO_PROBLEMS(1));
});

storeTest("linkLocked() and unlinkLocked() refuse to do it twice", () => {
  const store = makeStore();
  const it = link(store, "key");
  assertThrows(() => linkItem(store, "key", it), InvariantError);
  const other = makeStore();
  const unlinked = makeItem(other, "key", "v");
  assertThrows(() => unlink(other, "key", unlinked), InvariantError);
  leavesHeld(other, 1);
});

storeTest("unlinkLocked() makes an item unfindable and its chunk free", () => {
  const store = makeStore();
  const it = link(store, "key");
  unlink(store, "key", it);
  assertEquals(find(store, "key"), NO_ITEM);
  assertEquals(gauges(store), { number: 0, bytes: 0, total: 1 });
  assertEquals(checkStore(store), NO_PROBLEMS(0));
  assertEquals(makeItem(store, "other", "v"), it, "The chunk is used again");
  leavesHeld(store, 1);
});

const SIZES: readonly (readonly [what: string, before: string, after: string])[] = [
  ["the same size", "aaa", "bbb"],
  ["another size of the same class", "aaa", "bbbbbb"],
  ["another class", "aaa", "b".repeat(1000)],
];

for (const [what, before, after] of SIZES) {
  storeTest(`replaceLocked() puts an item of ${what} in the place of the old one`, () => {
    const store = makeStore();
    const neighbours = ["x", "y"].map((key) => link(store, key));
    const old = link(store, "key", before);
    const it = makeItem(store, "key", after);
    const hv = hashOf(store, "key");
    withShard(store, hv, () => replaceLocked(store, hv, old, it));
    assertEquals(find(store, "key"), it);
    assertEquals(["x", "y"].map((key) => find(store, key)), neighbours);
    const bytes = 2 * (32 + 8 + 1 + 1 + 2) + 32 + 8 + 3 + after.length + 2;
    assertEquals(gauges(store), { number: 3, bytes, total: 4 });
    assertEquals(checkStore(store), NO_PROBLEMS(3));
  });

  storeTest(`replaceLocked() leaves a held item of ${what} to its holder`, () => {
    const client = new StoreClient(makeStore());
    client.set("key", before);
    const held = client.hold("key");
    client.set("key", after);
    assertEquals(client.valueOf(held), before);
    assertEquals(client.get("key")?.value, after);
    client.letGo(held);
    assertEquals(checkStore(client.store), NO_PROBLEMS(1));
  });
}

storeTest("retainLocked() and release() count holders; the last one frees the chunk", () => {
  const store = makeStore();
  const it = link(store, "key");
  for (let holders = 2; holders <= 5; holders++) {
    assertEquals(retain(store, it), true);
    assertEquals(loadRefcount(store.items, it), holders);
  }
  unlink(store, "key", it);
  assertEquals(checkStore(store, 1), NO_PROBLEMS(0));
  for (let holders = 4; holders > 0; holders--) {
    assertEquals(loadRefcount(store.items, it), holders);
    releaseItem(store, it);
  }
  assertEquals(checkStore(store), NO_PROBLEMS(0));
  assertThrows(() => releaseItem(store, it), InvariantError);
});

storeTest("retainLocked() refuses more holders than can be counted", () => {
  for (const [holders, isTaken] of [[1, true], [59_999, true], [60_000, false]] as const) {
    const store = makeStore();
    const it = link(store, "key");
    addRefcount(store.items, it, holders - 1);
    assertEquals(retain(store, it), isTaken, `${holders} holders`);
    assertEquals(loadRefcount(store.items, it), holders + (isTaken ? 1 : 0));
    releaseItem(store, it);
    assertEquals(loadRefcount(store.items, it), holders - (isTaken ? 0 : 1));
    assertEquals(retain(store, it), true, "One has gone");
    leavesBroken(store); // Its holders stay.
  }
});

storeTest("dropOnlyHolder() takes away one holder, and not one of several", () => {
  const store = makeStore();
  const it = link(store, "key");
  for (const holders of [2, 3]) {
    addRefcount(store.items, it, 1);
    assertEquals([dropOnlyHolder(store.items, it), loadRefcount(store.items, it)], [
      false,
      holders,
    ]);
  }
  addRefcount(store.items, it, -2);
  assertEquals([dropOnlyHolder(store.items, it), loadRefcount(store.items, it)], [true, 0]);
  assertEquals([dropOnlyHolder(store.items, it), loadRefcount(store.items, it)], [false, 0]);
  addRefcount(store.items, it, 1);
});

/** What an item that is stored anew has from the moment, and not from the one before it. */
const ANEW: readonly (readonly [what: string, store: (client: StoreClient) => unknown])[] = [
  ["linkLocked()", (client) => (client.delete("key"), client.set("key", "v"))],
  ["replaceLocked() of an item of its class", (client) => client.set("key", "w")],
  ["replaceLocked() of one of another class", (client) => client.set("key", "w".repeat(1000))],
];

for (const [what, put] of ANEW) {
  storeTest(`${what} gives an item the time, the generation and the head of HOT`, () => {
    const client = new StoreClient(makeStore());
    const { store } = client;
    const { items, clock, lru } = store;
    store.control.u32[Global.FLUSH_GENERATION] = 7;
    client.set("key", "v");
    store.tunables.set("hotLruPct", 0);
    new LruMaintainer(store).run(0);
    assertEquals(itemLruId(items, client.find("key")) & LruSegment.TEMP, LruSegment.COLD);
    for (const value of ["v", "v".repeat(1000)]) client.set(`other${value.length}`, value);
    clock.now += 30;
    put(client);
    const it = client.find("key");
    assertEquals([itemTime(items, it), itemGeneration(items, it)], [clock.now, 7]);
    const list = lruIdOf(classOf(items, it), LruSegment.HOT);
    assertEquals(withList(store, list, () => lru.headLocked(list)), it);
  });
}

storeTest("release() refuses to free what can still be found", () => {
  const store = makeStore();
  const it = link(store, "key");
  assertThrows(() => releaseItem(store, it), InvariantError);
  leavesBroken(store);
});

storeTest("isExpired() is true from the second of the expiry on, and never of 0", () => {
  const store = makeStore();
  for (
    const [exptime, now, expected] of [
      [0, 0, false],
      [0, 2 ** 32 - 1, false],
      [1, 0, false],
      [1, 1, true],
      [100, 99, false],
      [100, 100, true],
      [100, 101, true],
      [2 ** 32 - 1, 2 ** 32 - 2, false],
      [2 ** 32 - 1, 2 ** 32 - 1, true],
    ] as const
  ) {
    const it = makeItem(store, "key", "v", 0, exptime);
    assertEquals(isExpired(store.items, it, now), expected, `${exptime} at ${now}`);
    releaseItem(store, it);
  }
});

storeTest("findLocked() unlinks what has expired, in the second of its expiry", () => {
  const store = makeStore();
  const { clock } = store;
  link(store, "key", "v", 0, clock.now + 10);
  clock.now += 9;
  assertEquals(find(store, "key") !== NO_ITEM, true);
  clock.now += 1;
  for (let finds = 0; finds < 2; finds++) {
    assertEquals(find(store, "key"), NO_ITEM);
    assertEquals(new Snapshot(store.control).of("get_expired"), 1, "The second find misses");
  }
  assertEquals(checkStore(store), NO_PROBLEMS(0));
});

storeTest("findLocked() unlinks what is flushed", () => {
  const store = makeStore();
  link(store, "key");
  flushNow(store);
  for (let finds = 0; finds < 2; finds++) {
    assertEquals(find(store, "key"), NO_ITEM);
    assertEquals(new Snapshot(store.control).of("get_flushed"), 1, "The second find misses");
  }
  assertEquals(checkStore(store), NO_PROBLEMS(0));
});

storeTest("touchLocked() changes the expiry and keeps the version", () => {
  const client = new StoreClient(makeStore());
  client.set("key", "v", { exptime: 10 });
  const { cas } = client.get("key") ?? {};
  assertEquals(client.touch("key", 100), true);
  assertEquals(client.touch("other", 100), false);
  client.store.clock.now += 50;
  assertEquals(client.get("key")?.cas, cas);
  assertEquals(client.gat("key", -1)?.value, "v");
  assertEquals(client.get("key"), undefined);
});

storeTest("allocate() keeps key, flags and value of every size apart", () => {
  const client = new StoreClient(makeStore());
  const sizes = [0, 1, 2, 10, 100, 1000, 8192, 100_000, 400_000];
  for (const size of sizes) {
    client.set(`k${"y".repeat(size % 249)}`, String(size).padEnd(size, "."), {
      flags: size === 10 ? 0 : 0xffff_ffff - size,
    });
  }
  for (const size of sizes) {
    const found = client.get(`k${"y".repeat(size % 249)}`);
    assertEquals(found?.value, String(size).padEnd(size, "."));
    assertEquals(found?.flags, size === 10 ? 0 : 0xffff_ffff - size);
  }
  assertEquals(checkStore(client.store), NO_PROBLEMS(sizes.length));
});

storeTest("allocate() refuses more than an item may have", () => {
  const store = makeStore({ itemSizeMax: 1000 });
  // Header, version, key, value, CRLF: 1000 bytes in all, then one more.
  const nbytes = 1000 - 32 - 8 - 3;
  const key = Block.of(ascii("key"));
  const largest = allocate(store, key, 0, 3, 0, 0, nbytes);
  if (isRefused(largest)) fail("There is memory");
  assertEquals(allocate(store, key, 0, 3, 0, 0, nbytes + 1), Refusal.TOO_LARGE);
  releaseItem(store, largest);
});

storeTest("allocate() uses the class whose chunks waste least", () => {
  const store = makeStore();
  for (const size of [1, 38, 39, 500, 5000, 50_000, 300_000, 524_000]) {
    const it = makeItem(store, "k", "v".repeat(size));
    const clsid = classOf(store.items, it);
    assertEquals(clsid, store.classes.fit(32 + 8 + 1 + size + 2));
    releaseItem(store, it);
  }
  assertEquals(checkStore(store), NO_PROBLEMS(0));
});

storeTest("renewCasLocked() gives each change a version of its own", () => {
  const client = new StoreClient(makeStore());
  const seen = new Set<bigint | undefined>();
  for (let n = 0; n < 10; n++) {
    client.set("n", String(n));
    seen.add(client.get("n")?.cas);
    client.add("n", 1n);
    seen.add(client.get("n")?.cas);
  }
  assertEquals(seen.size, 20);
});

storeTest("resetCounters() keeps what is there now", () => {
  const client = new StoreClient(makeStore());
  client.set("a", "v");
  client.set("b", "v");
  resetCounters(client.store);
  assertEquals(gauges(client.store).number, 2);
  assertEquals(gauges(client.store).total, 0);
  client.delete("a");
  client.set("c", "v");
  assertEquals(gauges(client.store).number, 2);
  assertEquals(gauges(client.store).total, 1);
  assertEquals(checkStore(client.store), NO_PROBLEMS(2));
});
