// Goal: every item stays findable while a shard grows bucket by bucket, wherever it hashes to.
// Method: one shard of few buckets, so that chains are long and growth is constant; a Set as model.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { Prng } from "../../base/prng.ts";
import { type Assoc, bucketIndex } from "./assoc.ts";
import { type ItemRef, NO_ITEM } from "../item/item.ts";
import type { StorePlan } from "../plan.ts";
import { hashKey, releaseItem } from "../link.ts";
import type { Store } from "../store.ts";
import { leavesBroken, makeItem, makeStore, storeTest, withShard } from "../store_fixture.ts";

/** A store for its table alone: items are in it and on no list. */
function storeWith(shards: number, bucketsMin: number, bucketsMax: number): Store {
  const tune = (plan: StorePlan): StorePlan => ({
    ...plan,
    hashKey: { k0: 1, k1: 2 },
    assoc: { shards, bucketsMin, bucketsMax },
    bucketBytes: shards * bucketsMax * 4,
  });
  const store = makeStore({}, undefined, tune);
  leavesBroken(store);
  return store;
}

function hashOf(store: Store, key: string): number {
  return hashKey(store, Block.of(ascii(key)), 0, key.length);
}

function insert(store: Store, key: string): ItemRef {
  const it = makeItem(store, key, "v");
  const hv = hashOf(store, key);
  withShard(store, hv, () => store.assoc.insertLocked(hv, it));
  return it;
}

function find(store: Store, key: string): ItemRef {
  const hv = hashOf(store, key);
  const block = Block.of(ascii(key));
  return withShard(store, hv, () => store.assoc.findLocked(hv, block, 0, key.length));
}

function remove(store: Store, key: string, it: ItemRef): void {
  const hv = hashOf(store, key);
  withShard(store, hv, () => store.assoc.removeLocked(hv, it));
}

/** Items and buckets of all shards. */
function totals(assoc: Assoc): { items: number; buckets: number } {
  let items = 0;
  for (let shard = 0; shard < assoc.shards; shard++) items += assoc.itemsOf(shard);
  return { items, buckets: assoc.bucketCount };
}

Deno.test("bucketIndex() is the low bits, one fewer where that bucket is still to come", () => {
  const prng = new Prng(11);
  for (let count = 1; count <= 300; count++) {
    let power = 1;
    while (power < count) power *= 2;
    for (const hv of [0, 1, count - 1, count, 0xffffffff, prng.next(), prng.next()]) {
      const whole = hv % power;
      const expected = whole < count ? whole : whole % (power / 2);
      assertEquals(bucketIndex(hv, count), expected, `${hv} of ${count}`);
    }
  }
});

Deno.test("bucketIndex() moves items into the new bucket only", () => {
  const prng = new Prng(12);
  for (let count = 1; count < 200; count++) {
    for (let draw = 0; draw < 50; draw++) {
      const hv = prng.next();
      const [before, after] = [bucketIndex(hv, count), bucketIndex(hv, count + 1)];
      assert(after === before || after === count, `${hv}: ${before} of ${count}, then ${after}`);
    }
  }
});

const SHAPES: readonly (readonly [shards: number, min: number, max: number])[] = [
  [1, 1, 1],
  [1, 1, 4096],
  [1, 16, 64],
  [8, 4, 256],
  [1024, 1, 2],
];

for (const [shards, min, max] of SHAPES) {
  storeTest(`insertLocked() loses nothing over ${shards} shards of ${min} to ${max}`, () => {
    const store = storeWith(shards, min, max);
    const items = new Map<string, ItemRef>();
    for (let n = 0; n < 1500; n++) {
      items.set(`key:${n}`, insert(store, `key:${n}`));
      if (n % 100 !== 99) continue;
      for (const [key, it] of items) assertEquals(find(store, key), it, `${key} of ${n + 1}`);
    }
    assertEquals(find(store, "key:1500"), NO_ITEM);
    assertEquals(totals(store.assoc).items, 1500);
    for (let shard = 0; shard < shards; shard++) {
      const wanted = Math.max(min, store.assoc.itemsOf(shard));
      assertEquals(store.assoc.bucketsOf(shard), Math.min(wanted, max), `shard ${shard}`);
    }
  });
}

storeTest("insertLocked() adds one bucket at a time, for the item that is one too many", () => {
  const store = storeWith(1, 2, 8);
  const counts = Array.from({ length: 10 }, (_, n) => {
    insert(store, `k${n}`);
    return store.assoc.bucketCount;
  });
  assertEquals(counts, [2, 2, 3, 4, 5, 6, 7, 8, 8, 8]);
});

storeTest("removeLocked() and swapLocked() find their item anywhere in a chain", () => {
  for (let place = 0; place < 4; place++) {
    const store = storeWith(1, 1, 1);
    const keys = ["a", "b", "c", "d"];
    const items = keys.map((key) => insert(store, key));
    const key = keys[place]!;
    const other = makeItem(store, key, "w");
    const hv = hashOf(store, key);
    withShard(store, hv, () => store.assoc.swapLocked(hv, items[place]!, other));
    assertEquals(find(store, key), other);
    assertEquals(totals(store.assoc).items, 4);
    remove(store, key, other);
    assertEquals(
      keys.map((each) => find(store, each)),
      items.with(place, NO_ITEM),
    );
    assertEquals(totals(store.assoc).items, 3);
  }
});

storeTest("Assoc agrees with a Set over random inserts and removals", () => {
  const prng = new Prng(13);
  const store = storeWith(2, 1, 64);
  const model = new Set<string>();
  for (let step = 0; step < 4000; step++) {
    const key = `k${prng.below(200)}`;
    const it = find(store, key);
    assertEquals(it !== NO_ITEM, model.has(key), key);
    if (it === NO_ITEM) {
      insert(store, key);
      model.add(key);
    } else {
      remove(store, key, it);
      releaseItem(store, it);
      model.delete(key);
    }
    assertEquals(totals(store.assoc).items, model.size);
  }
});
