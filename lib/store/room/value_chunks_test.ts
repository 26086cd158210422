// Goal: a value in many chunks is the same bytes as in one, and leaves no chunk behind.

import { assert, assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import { checkStore } from "../check.ts";
import { chunkNext, firstChunk, isChunked } from "../item/chunk.ts";
import { itemNbytes, type ItemRef, NO_ITEM } from "../item/item.ts";
import { classOf } from "../lru/lists.ts";
import type { StoreShape } from "../plan.ts";
import { SlabWord } from "../slab/record.ts";
import type { SlabClass } from "../slab/classes.ts";
import type { Store } from "../store.ts";
import { StoreMode } from "../outcome.ts";
import { makeStore, storeTest, testClock } from "../store_fixture.ts";
import { lastTwoBytes } from "../item/value_cursor.ts";

const MIB = 2 ** 20;

function clientOf(shape: Partial<StoreShape> = {}): StoreClient {
  return new StoreClient(makeStore({ slabChunkMax: 1024, ...shape }, testClock()));
}

const LINE = Array.from({ length: 89 }, (_, n) => String.fromCharCode(33 + n)).join("");

/** Text in which each place differs from the next. */
function text(length: number): string {
  return LINE.repeat(Math.ceil(length / LINE.length)).slice(0, length);
}

function chunksOf({ items }: Store, it: ItemRef): number {
  let count = 0;
  for (let chunk = firstChunk(items, it); chunk !== NO_ITEM; chunk = chunkNext(items, chunk)) {
    count++;
  }
  return count;
}

/** Value lengths around what one chunk of 1,024 bytes, two, and many hold. */
const LENGTHS = [
  900,
  977,
  978,
  979,
  980,
  981,
  990,
  991,
  992,
  993,
  1982,
  1983,
  1984,
  5000,
  100_000,
  700_000,
];

for (const length of LENGTHS) {
  storeTest(`a value of ${length} bytes reads back as it was set, in chunks of 1 KiB`, () => {
    const client = clientOf();
    const value = text(length);
    assertEquals(client.set("k", value, { flags: 7 }), "STORED");
    assertEquals(client.get("k")?.value === value, true);
    const it = client.find("k");
    const { items, classes } = client.store;
    assertEquals(isChunked(items, it), length > 977);
    assertEquals(lastTwoBytes(items, it), 0x0d0a);
    if (isChunked(items, it)) {
      assertEquals(classOf(items, it), classes.last);
      assertEquals(chunksOf(client.store, it), Math.ceil(itemNbytes(items, it) / 992));
    }
    assertEquals(checkStore(client.store), { problems: [], items: 1 });
    client.delete("k");
    assertEquals(checkStore(client.store), { problems: [], items: 0 });
  });
}

for (const [left, right] of [[500, 400], [500, 600], [979, 1], [3000, 10], [10, 3000]] as const) {
  for (const mode of [StoreMode.APPEND, StoreMode.PREPEND]) {
    storeTest(`${left} bytes ${mode === StoreMode.APPEND ? "and then" : "after"} ${right}`, () => {
      const client = clientOf();
      const [old, added] = [text(left), text(right).toUpperCase()];
      client.set("k", old, { flags: 3 });
      assertEquals(client.put(mode, "k", added), "STORED");
      const joined = mode === StoreMode.APPEND ? old + added : added + old;
      const found = client.get("k");
      assertEquals([found?.value === joined, found?.flags], [true, 3]);
      assertEquals(checkStore(client.store), { problems: [], items: 1 });
    });
  }
}

storeTest("incr refuses a number in chunks", () => {
  const client = clientOf();
  client.set("n", `1${" ".repeat(5000)}`);
  assertEquals(client.add("n", 1n), "NON_NUMERIC");
});

storeTest("a held value keeps all its chunks while its item is replaced", () => {
  const client = clientOf();
  const value = text(20_000);
  client.set("k", value);
  const held = client.hold("k");
  client.set("k", "new");
  for (let n = 0; n < 50; n++) client.set(`other${n}`, text(20_000).toUpperCase());
  assertEquals(client.valueOf(held) === value, true);
  client.letGo(held);
});

storeTest("a value that finds no room for a chunk leaves none behind", () => {
  const shape = { maxbytes: 2 * MIB, slabChunkMax: MIB / 2, itemSizeMax: 2 * MIB };
  const client = clientOf({ ...shape, evictions: false });
  const { store } = client;
  for (let n = 0; n < 60; n++) client.set(`small${n}`, text(40_000));
  const before = new Snapshot(store.control).ofClasses("outofmemory");
  assertEquals(client.set("large", text(1_600_000)), "NO_MEMORY");
  assert(new Snapshot(store.control).ofClasses("outofmemory") > before);
  assertEquals(client.get("large"), undefined);
});

storeTest("large items evict each other", () => {
  const client = clientOf({ maxbytes: 4 * MIB, slabChunkMax: MIB / 2 });
  for (let n = 0; n < 20; n++) assertEquals(client.set(`large${n}`, text(700_000)), "STORED");
  assertEquals(client.get("large19")?.value.length, 700_000);
  assertEquals(client.get("large0"), undefined);
});

storeTest("the last chunk of a value is of the class that fits", () => {
  const client = clientOf({ slabChunkMax: MIB / 2 });
  client.set("k", text(MIB / 2 + 1000));
  const { store } = client;
  const used = (clsid: number): number =>
    store.slabs.word(clsid as SlabClass, SlabWord.PAGES) * store.classes.perPage[clsid]! -
    store.slabs.freeChunks(clsid as SlabClass);
  assertEquals(used(store.classes.last), 1);
  const rest = MIB / 2 + 1002 - (MIB / 2 - 32);
  assertEquals(used(store.classes.fit(rest + 32)), 1);
});

storeTest("a large item evicts another when its last chunk finds no room in its class", () => {
  const client = clientOf({ maxbytes: 8 * MIB, slabChunkMax: MIB / 2 });
  for (let n = 0; n < 100; n++) {
    const length = MIB / 2 + 20_000 + (n * 7919) % 400_000;
    assertEquals(client.set(`large${n % 30}`, "v".repeat(length)), "STORED", `${length} bytes`);
  }
});
