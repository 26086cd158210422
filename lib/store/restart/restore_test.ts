// Goal: a store that is made anew from its item memory is the same to its clients, whatever threads
// had in hand; and item memory that is not what it was never gets through, nor does harm.
// Method: fill a store, save it, change what is to be changed, restore it with other threads, and
// run the check that knows every rule of a store.

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Prng } from "../../base/prng.ts";
import { U64 } from "../../base/u64.ts";
import { Global } from "../../memory/regions.ts";
import { Snapshot } from "../../stats/counters.ts";
import { takeCas } from "../item/cas.ts";
import { checkStore } from "../check.ts";
import { chunkNext, firstChunk, isChunked } from "../item/chunk.ts";
import {
  itemExptime,
  ItemFlag,
  itemFlags,
  itemNext,
  type ItemRef,
  itemTime,
  NO_ITEM,
  setItemFlags,
} from "../item/item.ts";
import { type LruId, LRUS_MAX, LruSegment } from "../lru/lists.ts";
import { LruMaintainer } from "../maintenance/lru_maintainer.ts";
import type { StorePlan, StoreShape } from "../plan.ts";
import { restoreStore } from "./restore.ts";
import { checkSaved } from "./saved_check.ts";
import { type SavedStore, saveStore } from "./saved_store.ts";
import { SlabWord } from "../slab/record.ts";
import { POOL } from "../control/requests.ts";
import { SlabMover } from "../maintenance/mover.ts";
import type { SlabClass } from "../slab/classes.ts";
import {
  leavesBroken,
  makeStore,
  segmentsOf,
  SMALL_SHAPE,
  storeTest,
  testClock,
  withList,
} from "../store_fixture.ts";
import { flushAt, flushNow } from "../whole_store.ts";

const MIB = 2 ** 20;
/** Small chunks, so that items of a few kilobytes are in several. */
const SHAPE: Partial<StoreShape> = {
  maxbytes: 16 * MIB,
  slabChunkMax: 16 * 1024,
  trackSizes: true,
};

function valueOf(prng: Prng, number: number): string {
  const length = prng.pick([0, 10, 100, 100, 100, 1000, 5000, 40_000]);
  return `${number}:${"abcdefghijklmnop"[number % 16]!.repeat(length)}`;
}

/** A store with items of all kinds; a third of them has an expiry. */
function fill(shape: Partial<StoreShape> = {}, count = 600, seed = 1): StoreClient {
  const prng = new Prng(seed);
  const client = new StoreClient(makeStore({ ...SHAPE, ...shape }, testClock()));
  const { clock } = client.store;
  for (let number = 0; number < count; number++) {
    if (number % 50 === 0) clock.now++;
    const exptime = number % 3 === 0 ? 100 + number : 0;
    const flags = number % 2 === 0 ? number : 0;
    assertEquals(client.set(`key${number}`, valueOf(prng, number), { flags, exptime }), "STORED");
    if (number % 4 === 0) client.get(`key${prng.below(number + 1)}`);
    if (number % 7 === 0) client.delete(`key${prng.below(number + 1)}`);
  }
  const lru = new LruMaintainer(client.store);
  for (let round = 0; round < 40; round++) lru.run(round * 1000);
  return client;
}

/** Makes the store of `client` anew, `seconds` later, with other threads and another hash key. */
function restart(
  { store }: StoreClient,
  seconds = 0,
  shape: Partial<StoreShape> = {},
): { client: StoreClient; saved: SavedStore } {
  const saved = saveStore(store, store.clock.now);
  const clock = { ...store.clock, now: store.clock.now + seconds };
  const wanted = { ...SHAPE, threads: 5, ...shape };
  const next = makeStore(wanted, clock, undefined, segmentsOf(store));
  assertEquals(checkSaved(next.items, next.classes, saved), undefined);
  restoreStore(next, saved);
  assertEquals(checkStore(next).problems, []);
  return { client: new StoreClient(next), saved };
}

/** Everything that clients can tell of all items. */
function contents(client: StoreClient, count = 600): unknown[] {
  const all: unknown[] = [];
  for (let number = 0; number < count; number++) {
    const held = client.peek(`key${number}`);
    if (held === undefined) continue;
    const { it, ...found } = held;
    const { items } = client.store;
    all.push([number, found, itemTime(items, it), itemFlags(items, it)]);
  }
  return all;
}

/** Items of each list, newest first. */
function lists({ store }: StoreClient): ItemRef[][] {
  return Array.from({ length: LRUS_MAX }, (_, id) => {
    const list: ItemRef[] = [];
    let it = withList(store, id as LruId, () => store.lru.headLocked(id as LruId));
    for (; it !== NO_ITEM; it = itemNext(store.items, it)) list.push(it);
    return list;
  });
}

storeTest("restoreStore() brings back every item, and every list in its order", () => {
  const before = fill();
  const it = before.find("key8");
  const { items } = before.store;
  setItemFlags(items, it, itemFlags(items, it) | ItemFlag.STALE | ItemFlag.TOKEN_SENT);
  const wanted = contents(before);
  const order = lists(before);
  assert(order.filter((list) => list.length > 0).length > 10, "several lists have items");
  assert(wanted.length > 400);
  const { client } = restart(before);
  assertEquals(contents(client), wanted);
  assertEquals(lists(client), order);
  const totals = new Snapshot(client.store.control);
  assertEquals(totals.ofClasses("number"), wanted.length);
  assertEquals(totals.of("total_items"), wanted.length);
  assertEquals(totals.ofClasses("cmd_set"), 0);
});

/** Buckets of the table before a restart and after, with other hashes; and a level of them. */
function tables(items: number, deleted: number, bucketsMin: number, bucketsMax = 4096): number[] {
  const shards = 16;
  const shape = { maxbytes: 16 * MIB };
  const tune = (min: number) => (plan: StorePlan): StorePlan => ({
    ...plan,
    assoc: { shards, bucketsMin: min, bucketsMax },
    bucketBytes: shards * bucketsMax * 4,
  });
  const client = new StoreClient(makeStore(shape, testClock(), tune(4)));
  for (let n = 0; n < items; n++) client.set(`key${n}`, "v");
  for (let n = 0; n < deleted; n++) client.delete(`key${n}`);
  const { store } = client;
  const saved = saveStore(store, store.clock.now);
  const next = makeStore(shape, { ...store.clock }, tune(bucketsMin), segmentsOf(store));
  assertEquals(restoreStore(next, saved), items - deleted);
  assertEquals(checkStore(next).problems, []);
  return [store.assoc.bucketCount, next.assoc.bucketCount];
}

storeTest("restoreStore() makes a table of the size that was saved", () => {
  // Where shards of this size begin to grow, which ones do is a matter of the hash.
  for (const items of [0, 1, 4, 1000, 1023, 1024, 1025, 3000]) {
    for (const deleted of [0, Math.floor(items / 2), items]) {
      const [before, after] = tables(items, deleted, 4);
      assertEquals(after, before, `${items} items, ${deleted} deleted`);
    }
  }
});

storeTest("restoreStore() obeys a larger table that is asked for, and its limit", () => {
  assertEquals(tables(1000, 0, 256)[1], 16 * 256);
  const [before, after] = tables(3000, 0, 4, 64);
  assertEquals([before, after], [16 * 64, 16 * 64]);
});

storeTest("restoreStore() leaves nothing where nothing is evicted, whatever the lists were", () => {
  const temporary = { ...SMALL_SHAPE.tuning, temporaryTtl: 100_000 };
  const flat = { ...SMALL_SHAPE.tuning, segmented: 0 };
  for (const [name, tuning] of [["no TEMP", SMALL_SHAPE.tuning], ["flat", flat]] as const) {
    const before = fill({ tuning: temporary });
    const wanted = contents(before).length;
    const old = lists(before).map((list) => list.length);
    assert(old.slice(LruSegment.TEMP).some((count) => count > 0), "items are in TEMP");
    const { client } = restart(before, 0, { tuning });
    const counts = lists(client).map((list) => list.length);
    assertEquals(counts.reduce((sum, count) => sum + count), wanted, name);
    assertEquals(counts.slice(LruSegment.TEMP).some((count) => count > 0), false, name);
    if (name !== "flat") continue;
    assertEquals(counts.slice(0, LruSegment.COLD).some((count) => count > 0), false, name);
  }
});

storeTest("restoreStore() goes on with versions where they were", () => {
  const before = fill();
  const cas = new U64();
  takeCas(before.store.control, cas);
  const { client } = restart(before);
  client.set("key1", "new");
  assertEquals(client.get("key1")?.cas, BigInt(cas.hi) * 2n ** 32n + BigInt(cas.lo) + 1n);
});

storeTest("restoreStore() leaves out what has expired meanwhile, and only that", () => {
  const before = fill();
  const now = before.store.clock.now + 300;
  const wanted = contents(before).filter((_, at, all) => {
    const exptime = itemExptime(before.store.items, before.find(`key${(all[at] as number[])[0]}`));
    return exptime === 0 || exptime > now;
  });
  const gone = contents(before).length - wanted.length;
  assert(gone > 50 && wanted.length > 200, `${gone} expire`);
  assertEquals(contents(restart(before, 300).client), wanted);
});

storeTest("restoreStore() keeps a flush, done or to come", () => {
  const before = fill();
  flushNow(before.store);
  before.set("later", "lives");
  flushAt(before.store, before.store.clock.now + 10);
  const { client } = restart(before, 5);
  assertEquals(contents(client), []);
  assertEquals(client.get("later")?.value, "lives");
  client.store.clock.now += 10;
  assertEquals(client.get("later"), undefined);
});

storeTest("a restored store can be flushed at once", () => {
  const { client } = restart(fill());
  assert(client.get("key1") !== undefined);
  flushNow(client.store);
  assertEquals(client.get("key1"), undefined);
});

storeTest("restoreStore() keeps when the quarters of the flush generations were left", () => {
  const before = fill();
  before.store.control.u32[Global.FLUSH_GENERATION] = 0xffff;
  before.store.control.u32[Global.QUARTER_LEFT] = 50;
  before.set("key", "x");
  const { client } = restart(before);
  const { u32 } = client.store.control;
  assertEquals(client.get("key")?.value, "x");
  flushNow(client.store);
  assertEquals([u32[Global.FLUSH_GENERATION], u32[Global.FLUSHED_UNTIL]], [0, 50]);
});

storeTest("restoreStore() frees what threads and clients had in hand", () => {
  const before = fill();
  const { store } = before;
  const kept = contents(before).length;
  before.make("half", "x".repeat(100));
  before.make("large", "x".repeat(100_000));
  before.set("held", "old");
  const held = before.hold("held");
  before.delete("held");
  before.hold("key1");
  const mover = new SlabMover(store);
  const clsid = Array.from({ length: store.classes.last }, (_, at) => at + 1 as SlabClass)
    .find((id) => store.slabs.word(id, SlabWord.PAGES) > 1 && store.lru.hasItems(id));
  assert(mover.start(clsid ?? 0, POOL) && mover.isRunning, "a page begins to move");
  assertEquals(before.valueOf(held), "old");
  const { client } = restart(before);
  assertEquals(contents(client).length, kept);
});

storeTest("restoreStore() takes any number of threads, buckets and modes", () => {
  let client = fill();
  const wanted = contents(client);
  const shapes: Partial<StoreShape>[] = [
    { threads: 1 },
    { threads: 64, hashpowerInit: 20, trackSizes: false },
    { hashExpand: false, hashpowerInit: 12, evictions: false, slabReassign: false },
  ];
  for (const shape of shapes) {
    client = restart(client, 1, shape).client;
    assertEquals(contents(client), wanted);
  }
});

storeTest("a restored store evicts the oldest first, and stores on", () => {
  const before = new StoreClient(makeStore({ ...SHAPE, maxbytes: 2 * MIB }, testClock()));
  const value = "v".repeat(5000);
  let stored = 0;
  while (new Snapshot(before.store.control).ofClasses("evictions") === 0) {
    before.set(`key${stored++}`, value);
  }
  const { client } = restart(before, 1, { maxbytes: 2 * MIB });
  assertEquals(client.peek("key0"), undefined);
  for (let number = 1; number <= 20; number++) {
    assertNotEquals(client.peek(`key${number}`), undefined, `key${number} is the oldest`);
    assertEquals(client.set(`new${number}`, value), "STORED");
    assertEquals(client.peek(`key${number}`), undefined);
  }
  for (let number = 21; number < stored; number++) client.delete(`key${number}`);
});

storeTest("a store can be restored again and again while it is used", () => {
  let client = fill();
  const prng = new Prng(7);
  const values = new Map<string, string>();
  for (let round = 0; round < 12; round++) {
    for (let step = 0; step < 300; step++) {
      const key = `key${prng.below(200)}`;
      if (prng.below(4) === 0) {
        client.delete(key);
        values.delete(key);
      } else {
        const value = valueOf(prng, step);
        assertEquals(client.set(key, value), "STORED");
        values.set(key, value);
      }
    }
    client = restart(client, round).client;
    for (const [key, value] of values) assertEquals(client.get(key)?.value, value, key);
  }
});

/** Broken rules that each are made by hand. */
const BREAKS: readonly (readonly [what: string, (saved: SavedStore) => SavedStore, RegExp])[] = [
  ["more pages than there are", (saved) => {
    return { ...saved, owners: new Uint8Array(1000) };
  }, /pages beyond/],
  ["a page of no class", (saved) => {
    return { ...saved, owners: saved.owners.map((clsid, page) => page === 2 ? 60 : clsid) };
  }, /no slab class/],
  ["page 0 in use", (saved) => {
    return { ...saved, owners: saved.owners.map((clsid, page) => page === 0 ? 1 : clsid) };
  }, /page 0/],
  ["a page of another class", (saved) => {
    return { ...saved, owners: saved.owners.map((clsid) => clsid === 0 ? 0 : clsid % 5 + 1) };
  }, /LRU list/],
  ["a time before the last access", (saved) => ({ ...saved, now: 1 }), /in the future/],
  ["a list without a tail", (saved) => {
    return { ...saved, lists: saved.lists.map((word, at) => at % 3 === 1 ? 0 : word) };
  }, /begins elsewhere/],
  ["a list of another length", (saved) => {
    return { ...saved, lists: saved.lists.map((word, at) => at % 3 === 2 ? word + 1 : word) };
  }, /items, not/],
  ["a list that begins anywhere", (saved) => {
    return { ...saved, lists: saved.lists.map((word, at) => at % 3 === 1 ? word + 1 : word) };
  }, /no item can be at/],
];

for (const [what, change, problem] of BREAKS) {
  storeTest(`checkSaved() notices ${what}`, () => {
    const { store } = fill({}, 200);
    const saved = saveStore(store, store.clock.now);
    assertMatch(checkSaved(store.items, store.classes, change(saved)) ?? "", problem);
  });
}

storeTest("item memory with any bit changed is noticed, or does no harm", () => {
  const { store } = fill({}, 120);
  const saved = saveStore(store, store.clock.now);
  const segments = segmentsOf(store);
  const bytes = segments[0]!.bytes.subarray(0, saved.owners.length * MIB);
  const original = bytes.slice();
  const headers = lists(new StoreClient(store)).flat();
  for (const it of headers.filter((it) => isChunked(store.items, it))) {
    let chunk = firstChunk(store.items, it);
    for (; chunk !== NO_ITEM; chunk = chunkNext(store.items, chunk)) headers.push(chunk);
  }
  const seed = Date.now() >>> 0;
  const prng = new Prng(seed);
  let noticed = 0;
  const rounds = 500;
  for (let round = 0; round < rounds; round++) {
    const at = prng.pick(headers) * 8 + prng.below(64);
    const bit = 1 << prng.below(8);
    bytes[at]! ^= bit;
    if (checkSaved(store.items, store.classes, saved) !== undefined) {
      noticed++;
      bytes[at]! ^= bit;
      continue;
    }
    const next = makeStore(SHAPE, { ...store.clock }, undefined, segments);
    restoreStore(next, saved);
    assertEquals(checkStore(next).problems, [], `byte ${at}, seed ${seed}`);
    leavesBroken(next);
    bytes.set(original);
  }
  // 146 of 500 as a rule, 10 more or fewer: most bits may have any value.
  assert(noticed > rounds / 5, `${noticed} of ${rounds} noticed`);
});
