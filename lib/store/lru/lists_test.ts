// Goal: a list is newest first, reads the same from both ends, and counts itself.

import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../base/assert.ts";
import { Prng } from "../../base/prng.ts";
import { itemNext, itemPrev, type ItemRef, NO_ITEM, setItemLruId } from "../item/item.ts";
import { releaseItem } from "../link.ts";
import { classOf, itemUnits, type LruId, lruIdOf, LruSegment } from "./lists.ts";
import type { SlabClass } from "../slab/classes.ts";
import type { Store } from "../store.ts";
import { leavesBroken, makeItem, makeStore, storeTest, withList } from "../store_fixture.ts";

const LIST = lruIdOf(1 as SlabClass, LruSegment.COLD);

/** A store for its lists alone: items are on them and not in the table. */
function listStore(): Store {
  const store = makeStore();
  leavesBroken(store);
  return store;
}

function makeItems(store: Store, count: number): ItemRef[] {
  return Array.from({ length: count }, (_, n) => makeItem(store, `key${n}`, "v"));
}

/** The list from head to tail; the other way round must be the same. */
function listed(store: Store, list: LruId): ItemRef[] {
  const { lru, items } = store;
  const forward: ItemRef[] = [];
  const back: ItemRef[] = [];
  withList(store, list, () => {
    for (let it = lru.headLocked(list); it !== NO_ITEM; it = itemNext(items, it)) forward.push(it);
    for (let it = lru.tailLocked(list); it !== NO_ITEM; it = itemPrev(items, it)) back.push(it);
  });
  assertEquals(back.reverse(), forward);
  assertEquals(lru.count(list), forward.length);
  assertEquals(lru.units(list), forward.reduce((sum, it) => sum + itemUnits(items, it), 0));
  return forward;
}

function link(store: Store, list: LruId, it: ItemRef): void {
  withList(store, list, () => store.lru.linkLocked(list, it));
}

function unlink(store: Store, list: LruId, it: ItemRef): void {
  withList(store, list, () => store.lru.unlinkLocked(list, it));
}

storeTest("linkLocked() puts an item at the head", () => {
  const store = listStore();
  const [a, b, c] = makeItems(store, 3) as [ItemRef, ItemRef, ItemRef];
  assertEquals(listed(store, LIST), []);
  link(store, LIST, a);
  assertEquals(listed(store, LIST), [a]);
  link(store, LIST, b);
  link(store, LIST, c);
  assertEquals(listed(store, LIST), [c, b, a]);
});

for (const [at, place] of ["head", "middle", "tail"].entries()) {
  storeTest(`unlinkLocked() takes out the ${place}`, () => {
    const store = listStore();
    const items = makeItems(store, 3);
    for (const it of items.toReversed()) link(store, LIST, it);
    unlink(store, LIST, items[at]!);
    assertEquals(listed(store, LIST), items.toSpliced(at, 1));
  });
}

storeTest("unlinkLocked() refuses an item that is on no list", () => {
  const store = listStore();
  const [on, off] = makeItems(store, 2) as [ItemRef, ItemRef];
  assertThrows(() => unlink(store, LIST, off), InvariantError);
  link(store, LIST, on);
  assertThrows(() => unlink(store, LIST, off), InvariantError);
});

/** Lists of up to four items; each place of them is tried. */
const LENGTHS = [1, 2, 3, 4];

storeTest("swapLocked() puts a copy in the place of any item", () => {
  for (const length of LENGTHS) {
    for (let at = 0; at < length; at++) {
      const store = listStore();
      const items = makeItems(store, length);
      for (const it of items.toReversed()) link(store, LIST, it);
      const copy = makeItem(store, "copy", "v");
      setItemLruId(store.items, copy, LIST);
      withList(store, LIST, () => store.lru.swapLocked(LIST, items[at]!, copy));
      assertEquals(listed(store, LIST), items.with(at, copy), `${at} of ${length}`);
    }
  }
});

storeTest("turnLocked() brings the items from any one to the tail before the others", () => {
  for (const length of LENGTHS) {
    for (let at = 0; at < length; at++) {
      const store = listStore();
      const items = makeItems(store, length);
      for (const it of items.toReversed()) link(store, LIST, it);
      withList(store, LIST, () => store.lru.turnLocked(LIST, items[at]!));
      const turned = [...items.slice(at), ...items.slice(0, at)];
      assertEquals(listed(store, LIST), turned, `${at} of ${length}`);
    }
  }
});

storeTest("noteEvictedLocked() counts evictions and keeps the age of the last one", () => {
  const store = listStore();
  const { lru } = store;
  for (const [count, age] of [[1, 5], [2, 9], [3, 0]] as const) {
    withList(store, LIST, () => lru.noteEvictedLocked(LIST, age));
    assertEquals([lru.evicted(LIST), lru.evictedAge(LIST)], [count, age]);
  }
  const other = lruIdOf(1 as SlabClass, LruSegment.HOT);
  assertEquals([lru.evicted(other), lru.evictedAge(other)], [0, 0]);
});

storeTest("itemUnits() rounds the bytes of an item up to units of 8", () => {
  const store = makeStore();
  // Header, version, key, value, CRLF.
  for (const [length, units] of [[5, 6], [6, 7], [13, 7], [14, 8]] as const) {
    const it = makeItem(store, "k", "v".repeat(length));
    assertEquals(itemUnits(store.items, it), units, `${32 + 8 + 1 + length + 2} bytes`);
    releaseItem(store, it);
  }
});

storeTest("hasItems() is true while any of the four lists of a class has one", () => {
  const store = listStore();
  const [it] = makeItems(store, 1) as [ItemRef];
  for (const segment of Object.values(LruSegment)) {
    const list = lruIdOf(1 as SlabClass, segment);
    link(store, list, it);
    assertEquals([1, 2].map((clsid) => store.lru.hasItems(clsid)), [true, false]);
    unlink(store, list, it);
    assertEquals(store.lru.hasItems(1), false);
  }
});

storeTest("Lru keeps lists of different segments and classes apart", () => {
  const store = listStore();
  const ids = [1, 2, 63].flatMap((clsid) =>
    Object.values(LruSegment).map((segment) => lruIdOf(clsid as SlabClass, segment))
  );
  const items = makeItems(store, ids.length);
  ids.forEach((list, index) => link(store, list, items[index]!));
  ids.forEach((list, index) => {
    assertEquals(listed(store, list), [items[index]!]);
    assertEquals(classOf(store.items, items[index]!), (list & 63) as SlabClass);
  });
  for (const [index, list] of ids.entries()) unlink(store, list, items[index]!);
  for (const list of ids) assertEquals(listed(store, list), []);
});

storeTest("Lru agrees with an array over random links and unlinks", () => {
  const prng = new Prng(7);
  const store = listStore();
  const off = makeItems(store, 40);
  const model: ItemRef[] = [];
  for (let step = 0; step < 3000; step++) {
    if (model.length === 0 || (off.length > 0 && prng.below(2) === 0)) {
      const [it] = off.splice(prng.below(off.length), 1) as [ItemRef];
      link(store, LIST, it);
      model.unshift(it);
    } else {
      const [it] = model.splice(prng.below(model.length), 1) as [ItemRef];
      unlink(store, LIST, it);
      off.push(it);
    }
    if (step % 50 === 0) assertEquals(listed(store, LIST), model);
  }
  assertEquals(listed(store, LIST), model);
});
