// Goal: chunks are handed out once each, come back, and never exceed the pages allowed.

import { assert, assertEquals } from "@std/assert";
import { checkStore } from "../check.ts";
import { itemPosition, type ItemRef, NO_ITEM } from "../item/item.ts";
import { SlabWord } from "./record.ts";
import { PAGE_BYTES, type SlabClass } from "./classes.ts";
import type { Store } from "../store.ts";
import { leavesHeld, makeStore, storeTest } from "../store_fixture.ts";

const MIB = 2 ** 20;

/** The class of items of up to `bytes` bytes. */
function classFor(store: Store, bytes: number): SlabClass {
  return store.classes.fit(bytes);
}

/** Takes chunks of `clsid` until there is none. */
function takeAll(store: Store, clsid: SlabClass): ItemRef[] {
  const chunks: ItemRef[] = [];
  for (let chunk = store.slabs.take(clsid); chunk !== NO_ITEM; chunk = store.slabs.take(clsid)) {
    chunks.push(chunk);
  }
  return chunks;
}

storeTest("Slabs.take() cuts pages into chunks that do not overlap, up to the limit", () => {
  const store = makeStore({ maxbytes: 3 * MIB });
  let taken = 0;
  for (const bytes of [1000, 5000]) {
    const clsid = classFor(store, bytes);
    const pages = bytes === 1000 ? 3 : 1; // The second class gets its first page in any case.
    const chunks = takeAll(store, clsid);
    assertEquals(chunks.length, pages * store.classes.perPage[clsid]!);
    const starts = chunks.map(itemPosition).sort((a, b) => a - b);
    starts.forEach((start, index) => {
      const page = Math.floor(start / PAGE_BYTES);
      const end = start + store.classes.chunkBytes[clsid]!;
      assert(page > 0, "Page 0 is not used");
      assertEquals(store.slabs.pages.ownerOf(page), clsid);
      assert(end <= (page + 1) * PAGE_BYTES, "A chunk stays within its page");
      assert(end <= (starts[index + 1] ?? Infinity), "Chunks do not overlap");
    });
    assertEquals(store.slabs.word(clsid, SlabWord.PAGES), pages);
    taken += chunks.length;
  }
  leavesHeld(store, taken);
  assertEquals(store.slabs.pages.used, 4);
});

storeTest("Slabs.take() gives each class its first page beyond the limit, and no second", () => {
  const store = makeStore({ maxbytes: MIB });
  let taken = 0;
  for (let id = 1; id <= store.classes.last; id++) {
    const clsid = id as SlabClass;
    const chunks = takeAll(store, clsid).length;
    assertEquals(chunks, store.classes.perPage[clsid]!, `class ${id}`);
    assertEquals(store.slabs.pages.used, id);
    taken += chunks;
  }
  leavesHeld(store, taken);
});

storeTest("Slabs.give() makes chunks free to be taken again, and opens no page for them", () => {
  const store = makeStore({ maxbytes: 2 * MIB });
  const clsid = classFor(store, 500);
  const chunks = takeAll(store, clsid);
  leavesHeld(store, chunks.length);
  const used = store.slabs.pages.used;
  for (let round = 0; round < 3; round++) {
    for (const chunk of chunks) store.slabs.give(chunk, clsid);
    assertEquals(checkStore(store).problems, []);
    assertEquals(store.slabs.word(clsid, SlabWord.FREE_COUNT), chunks.length);
    assertEquals(new Set(takeAll(store, clsid)), new Set(chunks));
    assertEquals(store.slabs.word(clsid, SlabWord.FREE_COUNT), 0);
  }
  assertEquals(store.slabs.pages.used, used);
});

storeTest("Slabs.give() keeps one small chunk of each class for the next take()", () => {
  const store = makeStore();
  const small = classFor(store, 100);
  const large = classFor(store, 20_000);
  const [first, second] = [store.slabs.take(small), store.slabs.take(small)];
  store.slabs.give(first, small);
  assertEquals(store.slabs.word(small, SlabWord.FREE_COUNT), 0);
  store.slabs.give(second, small);
  assertEquals(store.slabs.word(small, SlabWord.FREE_COUNT), 1);
  assertEquals(store.slabs.take(small), first);
  store.slabs.give(first, small);
  store.slabs.takeBackSpares(small);
  assertEquals(store.slabs.word(small, SlabWord.FREE_COUNT), 2);
  store.slabs.takeBackSpares(small);
  assertEquals(store.slabs.word(small, SlabWord.FREE_COUNT), 2);

  store.slabs.give(store.slabs.take(large), large);
  assertEquals(store.slabs.word(large, SlabWord.FREE_COUNT), 1, "Large chunks are not kept");
});
