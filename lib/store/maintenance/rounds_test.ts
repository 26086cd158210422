// Goal: whatever the mix of sizes becomes, memory follows it, and limits are kept.
// Method: turns of the maintenance between commands, with a clock that the test drives.

import { assert, assertEquals } from "@std/assert";
import { Bed, fill, keyOf } from "../../../tests/support/maintained_store.ts";
import { Snapshot } from "../../stats/counters.ts";
import { checkStore } from "../check.ts";
import { askCrawl, askMove, isMoving, needPage } from "../control/requests.ts";
import type { StoreShape } from "../plan.ts";
import type { SlabClass } from "../slab/classes.ts";
import { POOL } from "../control/requests.ts";
import { SlabWord } from "../slab/record.ts";
import { SMALL_SHAPE, storeTest } from "../store_fixture.ts";
import { flushNow, setMemlimit } from "../whole_store.ts";

const MIB = 2 ** 20;
/** Length of values of which {@linkcode FULL} fill a bed, and more. */
const SMALL = 700;
const FULL = 25_000;

storeTest("memory follows when items grow, and no set is refused", () => {
  const bed = new Bed();
  fill(bed, SMALL, 0, FULL);
  assert(bed.pages(SMALL) >= 15);
  let refused = 0;
  bed.pass(40, (second) => {
    refused += fill(bed, 2000, 200_000 + second * 300, 200_000 + (second + 1) * 300);
  });
  assertEquals(refused, 0);
  assert(bed.pages(2000) >= 6, `${bed.pages(2000)} pages`);
  assert(bed.total("slabs_moved") >= 5);
});

storeTest("with automove off no page moves by itself, but one does when asked for", () => {
  const bed = new Bed({ tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 0 } });
  fill(bed, SMALL, 0, FULL);
  bed.pass(20, (second) => void fill(bed, 2000, 200_000 + second * 300, 200_300 + second * 300));
  assertEquals([bed.total("slabs_moved"), bed.pages(2000)], [0, 1]);
  const { classes, control } = bed.client.store;
  assert(askMove(control, { from: classes.fit(SMALL + 50), to: classes.fit(2042) }));
  assertEquals(askMove(control, { from: 1, to: 2 }), false, "One at a time");
  bed.pass(1);
  assertEquals([bed.total("slabs_moved"), bed.pages(2000), isMoving(control)], [1, 2, false]);
});

storeTest("with slab_automove=2 each eviction asks for a page", () => {
  const bed = new Bed({ tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 2 } });
  fill(bed, SMALL, 0, FULL);
  bed.pass(3, (second) => void fill(bed, 2000, 200_000 + second * 300, 200_300 + second * 300));
  assert(bed.pages(2000) >= 2, `${bed.pages(2000)} pages`);
});

storeTest("without slab_reassign pages stay", () => {
  const bed = new Bed({ slabReassign: false });
  fill(bed, SMALL, 0, FULL);
  bed.pass(20, (second) => void fill(bed, 2000, 200_000 + second * 300, 200_300 + second * 300));
  assertEquals(bed.total("slabs_moved"), 0);
});

storeTest("a large value that needs the pages of others takes them itself", () => {
  const bed = new Bed({ maxbytes: 16 * MIB, itemSizeMax: 8 * MIB });
  fill(bed, SMALL, 0, FULL);
  const value = "x".repeat(5 * MIB);
  assertEquals(bed.client.set("large", value), "STORED");
  assert(bed.total("direct_page_moves") >= 4, `${bed.total("direct_page_moves")} pages`);
  assertEquals(bed.client.get("large")?.value === value, true);
});

storeTest("free pages of a class go to the pool after a quiet window", () => {
  const bed = new Bed();
  fill(bed, SMALL, 0, FULL);
  flushNow(bed.client.store);
  const evicted = new Snapshot(bed.client.store.control).ofClasses("evictions");
  bed.pass(30);
  const { pages } = bed.client.store.slabs;
  assert(pages.pooled >= 8, `${pages.pooled} in the pool`);
  assertEquals(fill(bed, 5000, 0, 1500), 0);
  assertEquals(new Snapshot(bed.client.store.control).ofClasses("evictions"), evicted);
});

storeTest("cache_memlimit down takes pages from classes and gives their memory back", () => {
  const bed = new Bed({ maxbytes: 16 * MIB });
  fill(bed, SMALL, 0, 15_400);
  fill(bed, 2000, 200_000, 203_000);
  const { pages } = bed.client.store.slabs;
  assertEquals(pages.inUse, 16);
  setMemlimit(bed.client.store, 8 * MIB);
  bed.pass(5);
  assertEquals([pages.inUse, pages.isShrinking, bed.discarded.length], [8, false, 8]);
  assertEquals(checkStore(bed.client.store).problems, []);
  setMemlimit(bed.client.store, 16 * MIB);
  fill(bed, 2000, 300_000, 306_000);
  assertEquals(pages.inUse, 16, "Growing is immediate");
});

storeTest("cache_memlimit below a page for each class stops at one", () => {
  const bed = new Bed({ maxbytes: 16 * MIB });
  for (const bytes of [50, 100, 500, 1000, 2000, 5000, 9000, 20_000, 50_000, 100_000]) {
    fill(bed, bytes, 0, 3);
  }
  setMemlimit(bed.client.store, 8 * MIB);
  bed.pass(3);
  assertEquals(bed.client.store.slabs.pages.isShrinking, false);
  assertEquals(bed.client.store.slabs.pages.inUse, 10);
});

/** Moves that shrink a class, one page each, and what they leave in it. */
const SHRINKS: readonly (readonly [
  what: string,
  shape: Partial<StoreShape>,
  valueBytes: number,
  toPool: boolean,
])[] = [
  ["to the pool", {}, 15_000, true],
  ["to another class", {}, 15_000, false],
  ["to the pool, of small values", {}, 700, true],
  [
    "to the pool, while each eviction asks for a page",
    {
      tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 2 },
    },
    15_000,
    true,
  ],
  ["to the pool, of chunks of large values", { slabChunkMax: 16 * 1024 }, 100_000, true],
];

for (const [what, shape, valueBytes, toPool] of SHRINKS) {
  storeTest(`a full class gives up its pages ${what}, one for each move`, () => {
    const bed = new Bed({ maxbytes: 12 * MIB, ...shape });
    const { classes, control, slabs } = bed.client.store;
    fill(bed, valueBytes, 0, Math.ceil(13 * MIB / valueBytes));
    const pagesOf = (id: number): number => slabs.word(id as SlabClass, SlabWord.PAGES);
    const ids = Array.from({ length: classes.last }, (_, index) => index + 1);
    const from = ids.reduce((most, id) => pagesOf(id) > pagesOf(most) ? id : most);
    const to = toPool ? POOL : from - 1;
    const full = pagesOf(from);
    assert(full > 4, `${full} pages`);
    for (let pages = full - 1; pages > 0; pages--) {
      assert(askMove(control, { from, to }));
      bed.pass(1);
      assertEquals([pagesOf(from), isMoving(control)], [pages, false]);
      assertEquals(toPool ? slabs.pages.pooled : pagesOf(to), full - pages);
      assertEquals(checkStore(bed.client.store).problems, []);
    }
    assert(askMove(control, { from, to }));
    bed.pass(1);
    assertEquals(pagesOf(from), 1, "The last one stays");
  });
}

storeTest("after a quiet window all free pages of a class go to the pool together", () => {
  const bed = new Bed({ tuning: { ...SMALL_SHAPE.tuning, slabAutomoveWindow: 3 } });
  fill(bed, 11_000, 0, 1600);
  for (let n = 0; n < 1600; n += 2) bed.client.delete(keyOf(n));
  const { store } = bed.client;
  const { items } = checkStore(store);
  const { pages } = store.slabs;
  for (let second = 0; second < 5 && pages.pooled === 0; second++) bed.pass(1);
  // Half of the chunks were free, and the class keeps 2.5 pages of them.
  assert(pages.pooled >= 5, `${pages.pooled} in the pool`);
  assertEquals(checkStore(store), { problems: [], items }, "No item went for it");
});

storeTest("empty pages go to the class that needs one before anything is evicted", () => {
  const bed = new Bed();
  fill(bed, 11_000, 0, 1600);
  const { store } = bed.client;
  const count = (): number => new Snapshot(store.control).ofClasses("evictions");
  for (let n = 0; n < 1600; n++) bed.client.delete(keyOf(n));
  const evicted = count();
  const room = store.classes.perPage[store.classes.fit(32 + 8 + 8 + 4096 + 2)]!;
  assertEquals(fill(bed, 4096, 0, 14 * room), 0);
  assertEquals(count(), evicted, "There was no turn of the maintenance");
  assertEquals(bed.pages(11_000), 16 - 14);
  assertEquals(fill(bed, 4096, 14 * room, 18 * room), 0);
  assertEquals(bed.pages(11_000), 1, "A class keeps its last page");
  assertEquals([bed.pages(4096), count() - evicted], [15, 3 * room]);
});

for (
  const [name, shape] of [
    ["-o slab_automove=0", { tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 0 } }],
    ["-o no_slab_reassign", { slabReassign: false }],
  ] as const
) {
  storeTest(`with ${name} empty pages stay where they are`, () => {
    const bed = new Bed(shape);
    fill(bed, 11_000, 0, 1600);
    for (let n = 0; n < 1600; n++) bed.client.delete(keyOf(n));
    fill(bed, 4096, 0, 2000);
    assertEquals([bed.pages(11_000), bed.pages(4096)], [16, 1]);
  });
}

storeTest("a page that a class was handed is not taken from it before it is used", () => {
  const bed = new Bed({ itemSizeMax: 8 * MIB });
  fill(bed, SMALL, 0, FULL);
  const { store } = bed.client;
  const handed = () => store.slabs.word(store.classes.last, SlabWord.PAGES);
  needPage(store.control, store.classes.last, 5);
  bed.pass(2);
  assertEquals(handed(), 5);
  fill(bed, SMALL, 200_000, 212_000); // Evicts, and would take empty pages.
  assertEquals(handed(), 5);
  assertEquals(bed.client.set("large", "x".repeat(5 * MIB - 100_000)), "STORED");
  assertEquals(bed.total("direct_page_moves"), 0);
});

storeTest("expired items go in the background", () => {
  const bed = new Bed();
  for (let n = 0; n < 1000; n++) bed.client.set(`k${n}`, "v", { exptime: 3 });
  bed.pass(15);
  assertEquals(checkStore(bed.client.store), { problems: [], items: 0 });
});

for (
  const [name, tuning, maintained] of [
    ["the crawler is off", { ...SMALL_SHAPE.tuning, lruCrawler: 0 }, true],
    ["no maintainer schedules it", SMALL_SHAPE.tuning, false],
  ] as const
) {
  storeTest(`no crawl starts by itself where ${name}`, () => {
    const bed = new Bed({ tuning }, maintained);
    for (let n = 0; n < 1000; n++) bed.client.set(`k${n}`, "v", { exptime: 3 });
    bed.pass(15);
    assertEquals(bed.total("lru_crawler_starts"), 0);
  });
}

storeTest("a crawl that is asked for runs without a maintainer, too, one at a time", () => {
  const bed = new Bed({}, false);
  for (let n = 0; n < 1000; n++) bed.client.set(`k${n}`, "v", { exptime: 3 });
  bed.client.store.clock.now += 3;
  const { control } = bed.client.store;
  assert(askCrawl(control, { low: -1, high: -1 }));
  assertEquals(askCrawl(control, { low: -1, high: -1 }), false);
  bed.pass(1);
  assertEquals(checkStore(bed.client.store), { problems: [], items: 0 });
  assert(askCrawl(control, { low: -1, high: -1 }), "The next one may come");
});

storeTest("with -M no item goes for a page: not for a needy class, not for a lower limit", () => {
  const bed = new Bed({ maxbytes: 8 * MIB, evictions: false });
  let stored = 0;
  while (bed.client.set(`k${stored}`, "v".repeat(5000)) === "STORED") stored++;
  for (let n = 0; n < 2000; n++) bed.client.set(`small${n}`, "v".repeat(1000));
  bed.pass(15, () => void bed.client.set("large", "v".repeat(200_000)));
  setMemlimit(bed.client.store, 4 * MIB);
  bed.pass(3);
  const kept = Array.from({ length: stored }, (_, n) => bed.client.get(`k${n}`) !== undefined);
  assertEquals(kept.filter((here) => here).length, stored);
  assertEquals(new Snapshot(bed.client.store.control).ofClasses("evictions"), 0);
});

storeTest("every class that found no chunk gets a page", () => {
  const bed = new Bed();
  fill(bed, SMALL, 0, FULL);
  const { classes, control, slabs } = bed.client.store;
  const needy = [classes.fit(500), classes.fit(20_000), classes.last];
  for (const clsid of needy) needPage(control, clsid);
  bed.pass(2);
  assertEquals(needy.map((clsid) => slabs.word(clsid, SlabWord.PAGES)), [1, 1, 1]);
});

storeTest(
  "the crawler rests for lru_crawler sleep, however often the maintenance has other work",
  () => {
    const bed = new Bed({
      hashpowerInit: 16,
      tuning: { ...SMALL_SHAPE.tuning, lruCrawlerSleep: 1_000_000 },
    });
    for (let n = 0; n < 1000; n++) bed.client.set(`k${n}`, "v", { exptime: 1 });
    const { store } = bed.client;
    store.clock.now += 1;
    store.tunables.set("segmented", 0);
    assert(askCrawl(store.control, { low: -1, high: -1 }));
    for (let turn = 0; turn < 100; turn++) bed.maintainer.turn(1_000_000 + turn);
    const checked = new Snapshot(store.control).ofClasses("crawler_items_checked");
    assert(checked > 0 && checked < 100, `${checked} of 1000 items`);
  },
);
