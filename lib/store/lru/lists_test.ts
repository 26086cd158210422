// Goal: a list is newest first, reads the same from both ends, and counts itself.

import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../../base/assert.ts";
import { Prng } from "../../base/prng.ts";
import { itemNext, itemPrev, type ItemRef, NO_ITEM } from "../item/item.ts";
import { classOf, type LruId, lruIdOf, LruSegment } from "./lists.ts";
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
