// Goal: what goes when a class is full: expired items at the tail, then what was not read lately,
// and a set finds room as long as there is anything that may go. What a client holds goes, too; its
// bytes stay.
// Method: one page (-m 1) filled with items of one class, in an order that the test knows; in flat
// mode where nothing else is said.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import type { ClassCounterName } from "../../stats/names.ts";
import { checkStore } from "../check.ts";
import { NO_ITEM } from "../item/item.ts";
import { classOf, lruIdOf, LruSegment } from "../lru/lists.ts";
import type { StoreShape } from "../plan.ts";
import { StoreMode } from "../outcome.ts";
import { FLAT, makeStore, SMALL_SHAPE, storeTest, testClock, withShard } from "../store_fixture.ts";
import { hashKey } from "../link.ts";
import { flushNow, tailAge } from "../whole_store.ts";

const PAGE_BYTES = 2 ** 20;
/** Most bytes of an item beyond its value here: header, version, key, CRLF. */
const OVERHEAD = 32 + 8 + 10 + 2;

interface Full {
  readonly client: StoreClient;
  /** What the page holds, oldest first. */
  readonly keys: readonly string[];
  readonly value: string;
}

/** A store with one page, full of items that are `perPage` to the page at least. */
function fullStore(perPage: number, shape: Partial<StoreShape> = {}, exptime = 0): Full {
  const one: Partial<StoreShape> = { maxbytes: PAGE_BYTES, slabChunkMax: PAGE_BYTES };
  const client = new StoreClient(makeStore({ ...one, ...FLAT, ...shape }, testClock()));
  const { classes } = client.store;
  let clsid = classes.last as number;
  while (classes.perPage[clsid]! < perPage) clsid--;
  const value = "v".repeat(classes.chunkBytes[clsid]! - OVERHEAD);
  const keys = Array.from({ length: classes.perPage[clsid]! }, (_, n) => `k${n}`);
  for (const key of keys) assertEquals(client.set(key, value, { exptime }), "STORED");
  assertEquals(count(client, "evictions") + count(client, "reclaimed"), 0);
  assertEquals(client.store.slabs.pages.used, 1);
  return { client, keys, value };
}

/** Which of `keys` are there; does not count as a read. */
function present({ store }: StoreClient, keys: readonly string[]): string[] {
  return keys.filter((key) => {
    const block = Block.of(ascii(key));
    const hv = hashKey(store, block, 0, key.length);
    const it = withShard(store, hv, () => store.assoc.findLocked(hv, block, 0, key.length));
    return it !== NO_ITEM;
  });
}

function count(client: StoreClient, name: ClassCounterName): number {
  return new Snapshot(client.store.control).ofClasses(name);
}

/** How many items fit in the page: few, some, many. */
const SIZES = [1, 2, 8, 25, 1000];

for (const size of SIZES) {
  storeTest(`makeRoom() evicts in the order of storing, ${size} in a page`, () => {
    const { client, keys, value } = fullStore(size);
    for (let n = 0; n < 2 * keys.length; n++) {
      assertEquals(client.set(`new${n}`, value), "STORED");
      const looks = size < 100 || n % 97 === 0;
      if (looks) assertEquals(present(client, keys), keys.slice(n + 1));
    }
    assertEquals(count(client, "evictions"), 2 * keys.length);
    assertEquals(count(client, "evicted_unfetched"), 2 * keys.length);
    assertEquals(checkStore(client.store), { problems: [], items: keys.length });
  });

  storeTest(`makeRoom() evicts although all have been read lately, ${size} in a page`, () => {
    const { client, keys, value } = fullStore(size);
    for (const key of [...keys, ...keys]) client.get(key); // Twice: FETCHED, then ACTIVE.
    for (let n = 0; n < 3; n++) assertEquals(client.set(`new${n}`, value), "STORED");
    assertEquals(count(client, "evictions"), 3);
    assertEquals(checkStore(client.store), { problems: [], items: keys.length });
  });
}

for (const [seconds, lives] of [[59, false], [60, true]] as const) {
  storeTest(`makeRoom() ${lives ? "spares" : "evicts"} what is read ${seconds} s after`, () => {
    // A read moves an item to the head of its list, but not more often than once a minute.
    const { client, keys, value } = fullStore(25);
    const [first, second, third] = keys as [string, string, string];
    client.store.clock.now += seconds;
    client.get(first);
    client.get(first);
    client.set("new0", value);
    const left = lives ? [first, third] : [second, third];
    assertEquals(present(client, [first, second, third]), left);
    for (let n = 1; n <= keys.length; n++) client.set(`new${n}`, value);
    assertEquals(present(client, [first]), []);
    assertEquals(count(client, "evicted_active"), 1, "read twice, and gone all the same");
  });
}

storeTest("reclaimTail() frees five dead items of the tail at an allocation, in flat mode", () => {
  for (const [shape, reclaimed] of [[FLAT, [5, 7, 7]], [SMALL_SHAPE, [0, 0, 0]]] as const) {
    const clock = testClock();
    const client = new StoreClient(makeStore(shape, clock));
    for (let n = 0; n < 7; n++) client.set(`k${n}`, "v", { exptime: 1 });
    for (let n = 0; n < 3; n++) client.set(`alive${n}`, "v");
    clock.now += 2;
    const counts = reclaimed.map((_, n) => {
      assertEquals(client.set(`new${n}`, "v"), "STORED");
      return count(client, "reclaimed");
    });
    assertEquals(counts, [...reclaimed]);
    assertEquals(checkStore(client.store).problems, []);
  }
});

storeTest("makeRoom() evicts items that a client holds, and goes on behind them", () => {
  const { client, keys, value } = fullStore(25);
  const held = keys.slice(0, 9).map((key) => client.hold(key));
  for (let n = 0; n < 2 * keys.length; n++) {
    assertEquals(client.set(`new${n}`, value.replaceAll("v", "x")), "STORED");
  }
  assertEquals(present(client, keys), []);
  assertEquals(count(client, "lrutail_reflocked"), held.length);
  for (const each of held) {
    assertEquals(client.valueOf(each), value);
    client.letGo(each);
  }
});

storeTest("makeRoom() lets held items go their way from list to list", () => {
  const { client, keys, value } = fullStore(60, { tuning: SMALL_SHAPE.tuning });
  const held = keys.slice(0, 20).map((key) => client.hold(key));
  let refused = 0;
  for (let n = 0; n < 4 * keys.length; n++) {
    if (client.set(`new${n}`, value) !== "STORED") refused++;
  }
  // A set moves and evicts ten items at most, and those that are held free nothing.
  assert(refused <= held.length * 3 / 10, `${refused} refused`);
  assertEquals(present(client, keys), []);
  for (const each of held) client.letGo(each);
});

storeTest("makeRoom() gives up when all that there is is held", () => {
  const { client, keys, value } = fullStore(2);
  const held = keys.map((key) => client.hold(key));
  assertEquals(client.set("new", value), "NO_MEMORY");
  assertEquals(count(client, "outofmemory"), 1);
  for (const each of held) client.letGo(each);
  assertEquals(client.set("new", value), "STORED");
});

storeTest("makeRoom() keeps the bytes of an item that is replaced and deleted while held", () => {
  const { client, keys, value } = fullStore(8);
  const held = client.hold("k3");
  client.set("k3", value.replaceAll("v", "w"));
  client.delete("k3");
  for (let n = 0; n < 3 * keys.length; n++) client.set(`new${n}`, value.replaceAll("v", "x"));
  assertEquals(client.valueOf(held), value);
  client.letGo(held);
});

storeTest("makeRoom() evicts nothing with -M", () => {
  const { client, keys, value } = fullStore(8, { evictions: false });
  assertEquals(client.set("new", value), "NO_MEMORY");
  assertEquals(client.put(StoreMode.ADD, "new", value), "NO_MEMORY");
  assertEquals(present(client, keys), keys);
  assertEquals(count(client, "evictions"), 0);
  client.delete("k1");
  assertEquals(client.set("new", value), "STORED");
});

for (const evictions of [true, false]) {
  storeTest(`makeRoom() reclaims expired items, evictions ${evictions}`, () => {
    const { client, keys, value } = fullStore(8, { evictions }, 10);
    client.store.clock.now += 10;
    for (let n = 0; n < keys.length; n++) assertEquals(client.set(`new${n}`, value), "STORED");
    assertEquals(present(client, keys), []);
    assertEquals(count(client, "evictions"), 0);
    assertEquals(count(client, "reclaimed"), keys.length);
    assertEquals(count(client, "expired_unfetched"), keys.length);
    assertEquals(checkStore(client.store).problems, []);
  });

  storeTest(`makeRoom() reclaims flushed items, evictions ${evictions}`, () => {
    const { client, keys, value } = fullStore(8, { evictions });
    flushNow(client.store);
    for (let n = 0; n < keys.length; n++) assertEquals(client.set(`new${n}`, value), "STORED");
    assertEquals(count(client, "evictions"), 0);
    assertEquals(count(client, "reclaimed"), keys.length);
  });
}

storeTest("makeRoom() counts an evicted item that had an expiry", () => {
  const { client, value } = fullStore(8, {}, 1000);
  client.set("new", value);
  assertEquals(count(client, "evicted_nonzero"), 1);
  assertEquals(count(client, "evictions"), 1);
});

storeTest("makeRoom() leaves the item that an append is growing", () => {
  const { client, keys, value } = fullStore(1);
  // The joined value would need the page that the old one is in.
  assertEquals(client.put(StoreMode.APPEND, keys[0]!, "x"), "NOT_STORED");
  assertEquals(client.get(keys[0]!)?.value, value);
});

storeTest("makeRoom() notes an age of 0 for an item of a thread whose clock is ahead", () => {
  // Each thread reads the clock once per turn of its loop, so that two may differ by a second.
  const { client, keys, value } = fullStore(2);
  const { store } = client;
  for (const key of keys) client.gat(key, 0);
  const held = client.hold(keys[1]!);
  const clsid = classOf(store.items, held.it);
  store.clock.now -= 1;
  assertEquals(tailAge(store, lruIdOf(clsid, LruSegment.COLD)), 0);
  assertEquals(client.set("new", value), "STORED");
  assertEquals(store.lru.evictedAge(lruIdOf(clsid, LruSegment.COLD)), 0);
  client.letGo(held);
});
