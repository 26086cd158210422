// Goal: items move between HOT, WARM and COLD by memcached's rules, and by no others.

import { assert, assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import type { ClassCounterName } from "../../stats/names.ts";
import { BumpBuffer, BUMPS_PER_THREAD } from "../lru/bump_buffer.ts";
import { itemLruId, type ItemRef, NO_ITEM } from "../item/item.ts";
import { lruIdOf, LruSegment } from "../lru/lists.ts";
import { juggle, LruMaintainer, warmUp } from "./lru_maintainer.ts";
import type { SlabClass } from "../slab/classes.ts";
import { makeStore, SMALL_SHAPE, storeTest, testClock } from "../store_fixture.ts";
import type { TunableValues } from "../control/tunables.ts";
import { flushAt, flushNow } from "../whole_store.ts";

const CLASS = 1 as SlabClass;

function clientOf(tuning: Partial<TunableValues> = {}): StoreClient {
  return new StoreClient(makeStore({ tuning: { ...SMALL_SHAPE.tuning, ...tuning } }, testClock()));
}

function fill(client: StoreClient, count: number, prefix = "k"): string[] {
  const keys = Array.from({ length: count }, (_, n) => `${prefix}${n}`);
  for (const key of keys) client.set(key, "v");
  return keys;
}

/** Items in HOT, WARM, COLD and TEMP of the first class. */
function counts({ store: { lru } }: StoreClient): number[] {
  return Object.values(LruSegment).map((segment) => lru.count(lruIdOf(CLASS, segment)));
}

function segmentOf(client: StoreClient, key: string): string {
  const segment = itemLruId(client.store.items, client.find(key)) & LruSegment.TEMP;
  return Object.entries(LruSegment).find(([, value]) => value === segment)?.[0] ?? "none";
}

function read(client: StoreClient, key: string, times: number): void {
  for (let n = 0; n < times; n++) client.get(key);
}

function total(client: StoreClient, name: ClassCounterName): number {
  return new Snapshot(client.store.control).ofClasses(name);
}

storeTest("juggle() keeps a fifth in HOT and moves the oldest of the rest to COLD", () => {
  const client = clientOf();
  const keys = fill(client, 100);
  assertEquals(counts(client), [100, 0, 0, 0]);
  assertEquals(juggle(client.store, CLASS), 80);
  assertEquals(counts(client), [20, 0, 80, 0]);
  assertEquals(keys.map((key) => segmentOf(client, key)), [
    ...Array(80).fill("COLD"),
    ...Array(20).fill("HOT"),
  ]);
  assertEquals(total(client, "moves_to_cold"), 80);
});

storeTest("juggle() moves items of HOT that were read twice to WARM", () => {
  const client = clientOf();
  fill(client, 100);
  read(client, "k0", 2);
  read(client, "k1", 1);
  juggle(client.store, CLASS);
  assertEquals(segmentOf(client, "k0"), "WARM");
  assertEquals(segmentOf(client, "k1"), "COLD");
  assertEquals(total(client, "moves_to_warm"), 1);
});

storeTest("juggle() moves at most 500 items of each list at a time", () => {
  const client = clientOf();
  fill(client, 2000);
  assertEquals(juggle(client.store, CLASS), 500);
});

storeTest("juggle() keeps two fifths in WARM: active ones come round, idle ones leave", () => {
  const client = clientOf();
  const keys = fill(client, 100);
  for (const key of keys) read(client, key, 2);
  for (let round = 0; round < 3; round++) juggle(client.store, CLASS);
  const [hot, warm, cold] = counts(client) as [number, number, number];
  assertEquals(hot + warm + cold, 100);
  assert(hot <= 20 && warm <= 41, `${hot} in HOT, ${warm} in WARM`);
  assert(total(client, "moves_to_warm") > 0, "Active items leave HOT for WARM");
  assert(total(client, "moves_to_cold") > 0, "Idle ones leave WARM for COLD");
  const active = keys.filter((key) => segmentOf(client, key) === "WARM");
  for (const key of active) read(client, key, 2);
  fill(client, 30, "new");
  for (const key of active) read(client, key, 2);
  client.store.tunables.set("warmLruPct", 1);
  juggle(client.store, CLASS);
  assert(total(client, "moves_within_lru") > 0, "Active ones come round");
});

storeTest("juggle() moves idle items of HOT on when they are old beside COLD's oldest", () => {
  const client = clientOf();
  fill(client, 100);
  juggle(client.store, CLASS);
  client.store.clock.now += 100; // COLD's oldest: 100 s. HOT's limit: 20 s.
  assertEquals(juggle(client.store, CLASS), 20);
  assertEquals(counts(client), [0, 0, 100, 0]);
});

storeTest("a second hit in COLD is put down, and moved to WARM by the maintainer", () => {
  const client = clientOf();
  fill(client, 100);
  juggle(client.store, CLASS);
  client.store.clock.now += 1;
  read(client, "k5", 2);
  assertEquals(segmentOf(client, "k5"), "COLD");
  new LruMaintainer(client.store).run(0);
  assertEquals(segmentOf(client, "k5"), "WARM");
  assertEquals(total(client, "moves_to_warm"), 1);
});

storeTest("an item that is gone when its turn comes is left alone", () => {
  const client = clientOf();
  fill(client, 100);
  juggle(client.store, CLASS);
  for (const key of ["k1", "k2", "k3"]) read(client, key, 2);
  client.delete("k1");
  client.set("k2", "another value, of another class".repeat(9));
  flushNow(client.store);
  new LruMaintainer(client.store).run(0);
  assertEquals(total(client, "moves_to_warm"), 0);
});

storeTest("a full bump buffer drops a hit, and the next one counts again", () => {
  const client = clientOf();
  fill(client, 100);
  juggle(client.store, CLASS);
  const buffer = new BumpBuffer(client.store.control, 1);
  while (buffer.push(client.find("k0")));
  read(client, "k1", 2);
  assertEquals(new Snapshot(client.store.control).of("lru_bumps_dropped"), 1);
  for (let it: ItemRef = buffer.shift(); it !== NO_ITEM;) it = buffer.shift();
  read(client, "k1", 1);
  assertEquals(buffer.shift(), client.find("k1"));
});

storeTest("BumpBuffer gives items out in order, past its end and round again", () => {
  const client = clientOf();
  const buffer = new BumpBuffer(client.store.control, 1);
  for (let round = 0; round < 3; round++) {
    for (let n = 1; n <= BUMPS_PER_THREAD; n++) assert(buffer.push(n as ItemRef));
    assertEquals(buffer.push(1 as ItemRef), false);
    for (let n = 1; n <= BUMPS_PER_THREAD; n++) assertEquals(buffer.shift(), n as ItemRef);
    assertEquals(buffer.shift(), NO_ITEM);
  }
});

storeTest("short-lived items go to TEMP, stay there, and leave when they expire", () => {
  const client = clientOf({ temporaryTtl: 10 });
  client.set("short", "v", { exptime: 10 });
  client.set("longer", "v", { exptime: 11 });
  client.set("dead", "v", { exptime: -1 });
  fill(client, 100);
  assertEquals([segmentOf(client, "short"), segmentOf(client, "longer")], ["TEMP", "HOT"]);
  read(client, "short", 3);
  juggle(client.store, CLASS);
  assertEquals(segmentOf(client, "short"), "TEMP");
  client.store.clock.now += 10;
  juggle(client.store, CLASS);
  assertEquals(counts(client)[3], 0);
  assertEquals(client.find("short"), NO_ITEM);
});

storeTest("an item in TEMP is never evicted", () => {
  const client = clientOf({ temporaryTtl: 100 });
  for (let n = 0; n < 50; n++) client.set(`t${n}`, "v".repeat(1000), { exptime: 100 });
  for (let n = 0; n < 6000; n++) client.set(`k${n}`, "v".repeat(1000));
  assert(total(client, "evictions") > 0);
  for (let n = 0; n < 50; n++) assert(client.get(`t${n}`) !== undefined, `t${n}`);
});

storeTest("flat mode drains HOT and WARM into COLD, where new items go", () => {
  const client = clientOf();
  const keys = fill(client, 100);
  for (const key of keys.slice(0, 30)) read(client, key, 2);
  juggle(client.store, CLASS);
  client.store.tunables.set("segmented", 0);
  client.set("new", "v");
  assertEquals(segmentOf(client, "new"), "COLD");
  for (let round = 0; round < 3; round++) juggle(client.store, CLASS);
  assertEquals(counts(client), [0, 0, 101, 0]);
});

storeTest("a set in a full cache evicts from COLD before HOT and WARM", () => {
  const client = clientOf({ hotLruPct: 20 });
  const value = "v".repeat(1000);
  for (let n = 0; n < 2000; n++) client.set(`k${n}`, value);
  const clsid = client.store.classes.fit(32 + 8 + 2 + 1002);
  for (let n = 0; n < 100; n++) read(client, `k${n}`, 2);
  for (let round = 0; round < 20; round++) juggle(client.store, clsid);
  for (let n = 0; n < 5000; n++) {
    client.set(`new${n}`, value);
    if (n % 100 === 0) juggle(client.store, clsid);
  }
  assert(total(client, "evictions") > 2000);
  const kept = Array.from({ length: 100 }, (_, n) => client.find(`k${n}`) !== NO_ITEM);
  assertEquals(kept.filter((here) => here).length, 100, "What was read twice is in WARM");
});

storeTest("LruMaintainer looks less and less often at lists that rest, up to once a second", () => {
  const client = clientOf();
  const maintainer = new LruMaintainer(client.store);
  let ms = 0;
  const rests: number[] = [];
  for (let turn = 0; turn < 14; turn++) {
    rests.push(maintainer.run(ms));
    ms += rests[turn]!;
  }
  assertEquals(rests.slice(-2), [1000, 1000]);
  fill(client, 1000);
  for (let turn = 0; turn < 6; turn++) ms += maintainer.run(ms);
  assertEquals(counts(client), [200, 0, 800, 0]);
});

storeTest("a maintainer whose clock lags does not make an item older", () => {
  const client = clientOf();
  fill(client, 100);
  juggle(client.store, CLASS);
  client.store.clock.now = 25;
  client.set("k0", "v");
  flushAt(client.store, 25);
  for (let n = 0; n < 2; n++) juggle(client.store, CLASS);
  client.store.clock.now = 24;
  warmUp(client.store, client.find("k0"));
  client.store.clock.now = 25;
  assert(client.get("k0") !== undefined);
});
