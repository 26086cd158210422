// Goal: no more pages are in use than -m allows, but for what memcached exceeds it by: the first
// page of a class; and a class without a page can store.

import { assert, assertEquals } from "@std/assert";
import { Bed, fill, keyOf } from "../../../tests/support/maintained_store.ts";
import { Snapshot } from "../../stats/counters.ts";
import { checkStore } from "../check.ts";
import type { SlabClass } from "./classes.ts";
import { SlabWord } from "./record.ts";
import { storeTest } from "../store_fixture.ts";

const MIB = 2 ** 20;

/** A value for each class there is, and more. */
const SIZES = Array.from({ length: 93 }, (_, n) => Math.floor(1.15 ** (n + 2)));
/** Classes that memcached has by default: it gives each one page at least. */
const THEIR_CLASSES = 39;

function setSizes({ client }: Bed): void {
  SIZES.forEach((bytes, n) => {
    assertEquals(client.set(`size${n}`, "v".repeat(bytes)), "STORED", `${bytes}`);
  });
}

for (const mib of [2, 32, 64]) {
  storeTest(`values of every size take no more beyond ${mib} pages than memcached takes`, () => {
    const empty = new Bed({ maxbytes: mib * MIB });
    setSizes(empty);
    for (let n = 0; n < 4; n++) setSizes(empty);
    empty.pass(2);
    const { pages } = empty.client.store.slabs;
    assert(pages.inUse <= Math.max(mib, THEIR_CLASSES), `${pages.inUse} pages`);
    assertEquals(checkStore(empty.client.store).problems, []);

    const full = new Bed({ maxbytes: mib * MIB });
    fill(full, 5000, 0, mib * 220);
    const evicted = new Snapshot(full.client.store.control).ofClasses("evictions");
    setSizes(full);
    full.pass(2);
    const { inUse, isShrinking } = full.client.store.slabs.pages;
    assert(inUse < mib + THEIR_CLASSES, `${inUse} pages`);
    assertEquals([full.pages(5000), isShrinking], [mib, false], "It is not to suffer for that");
    const more = new Snapshot(full.client.store.control).ofClasses("evictions") - evicted;
    assert(more <= 2 * SIZES.length, `${more} evicted`);
  });
}

storeTest("what classes in between have taken within the limit is no reason to exceed it", () => {
  const bed = new Bed({ maxbytes: 64 * MIB });
  const { store } = bed.client;
  const { classes, slabs } = store;
  const ids = Array.from({ length: classes.last }, (_, index) => index + 1 as SlabClass);
  const between = ids.filter((id) => classes.isBetween(id));
  const set = (clsid: SlabClass): void => {
    const value = "v".repeat(classes.chunkBytes[clsid]! - 32 - 8 - 8 - 2);
    assertEquals(bed.client.set(`size${String(clsid).padStart(4, "0")}`, value), "STORED");
  };
  for (const clsid of between) set(clsid);
  fill(bed, 100_000, 0, 700);
  assertEquals(slabs.pages.inUse, 64);
  const large = ids.filter((id) => slabs.word(id, SlabWord.PAGES) === 0)
    .filter((id) => id > Math.max(...between));
  assert(large.length > between.length);
  for (const clsid of large) set(clsid);
  bed.pass(2);
  assertEquals(slabs.pages.inUse, 64 + large.length - between.length);
});

storeTest("with -L every class has its first page within the limit", () => {
  for (const mib of [50, 64]) {
    const bed = new Bed({ maxbytes: mib * MIB, reservesFirstPages: true });
    fill(bed, 5000, 0, mib * 220);
    assertEquals(bed.pages(5000), mib - THEIR_CLASSES + 2, "There are 38, and it is one of them");
    setSizes(bed);
    bed.pass(2);
    assertEquals(bed.client.store.slabs.pages.inUse <= mib, true);
    assertEquals(checkStore(bed.client.store).problems, []);
  }
});

storeTest("large values of several chunks take a page beyond the limit for each new class", () => {
  const bed = new Bed({ maxbytes: 16 * MIB, itemSizeMax: 4 * MIB });
  fill(bed, 5000, 0, 3400);
  for (let n = 0; n < 20; n++) {
    bed.client.set(`large${n}`, "x".repeat(600_000 + n * 150_000));
    bed.pass(1);
  }
  const { classes, slabs } = bed.client.store;
  const ids = Array.from({ length: classes.last }, (_, index) => index + 1 as SlabClass);
  const used = ids.filter((id) => slabs.word(id, SlabWord.PAGES) > 0).length;
  // The first class has filled the limit before the others came.
  assert(slabs.pages.inUse < 16 + used, `${slabs.pages.inUse} pages, ${used} classes`);
  assertEquals(bed.client.set("large", "x".repeat(3_000_000)), "STORED");
});

storeTest("a full cache has no page for a class in between: its items go to the next class", () => {
  const bed = new Bed({ maxbytes: 64 * MIB });
  const { store } = bed.client;
  const { classes, slabs } = store;
  let between = classes.fit(400);
  while (!classes.isBetween(between)) between = between + 1 as SlabClass;
  const value = "v".repeat(classes.chunkBytes[between]! - 32 - 8 - 8 - 2);
  fill(bed, 2000, 0, 40_000);
  const next = between + 1 as SlabClass;
  const pages = (): number[] => [between, next].map((id) => slabs.word(id, SlabWord.PAGES));
  assertEquals(bed.client.set("key00001", value), "STORED");
  assertEquals(pages(), [0, 1]);
  assertEquals(checkStore(store).problems, []);
  for (let n = 0; n < 2000; n++) bed.client.delete(keyOf(39_999 - n));
  assertEquals(bed.client.set("key00002", value), "STORED");
  assertEquals(pages(), [1, 1], "It gets an empty one");
  assertEquals(bed.client.get("key00001")?.value, value);
});
