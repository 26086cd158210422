// Goal: the pages of a class, the empty ones among them, those that it can miss and those of the
// pool are counted exactly, at each step of a page's life.
// Method: one story over a class of large chunks; after each step all counts are compared.

import { assert, assertEquals } from "@std/assert";
import type { ItemRef } from "../item/item.ts";
import { leavesHeld, makeStore, storeTest } from "../store_fixture.ts";
import type { Store } from "../store.ts";
import type { SlabClass } from "./classes.ts";
import { NO_PAGE } from "./pages.ts";
import { pageOf, SlabWord } from "./record.ts";

const MIB = 2 ** 20;
const CHUNK_BYTES = 100_000;

/** Counts of one class and of all pages. */
interface Counts {
  readonly pages: number;
  readonly empty: number;
  readonly unopened: number;
  /** Chunks that can be had. */
  readonly free: number;
  readonly surplus: number;
  readonly inUse: number;
  readonly pooled: number;
}

function countsOf({ slabs }: Store, clsid: SlabClass): Counts {
  return {
    pages: slabs.word(clsid, SlabWord.PAGES),
    empty: slabs.word(clsid, SlabWord.EMPTY),
    unopened: slabs.word(clsid, SlabWord.UNOPENED_COUNT),
    free: slabs.freeChunks(clsid),
    surplus: slabs.pages.surplus,
    inUse: slabs.pages.inUse,
    pooled: slabs.pages.pooled,
  };
}

storeTest("the counts of pages follow chunks that are taken and given, and pages that move", () => {
  const store = makeStore({ maxbytes: 3 * MIB });
  const { slabs, classes } = store;
  const clsid = classes.fit(CHUNK_BYTES);
  const perPage = classes.perPage[clsid]!;
  assert(perPage > 2);
  let counts: Counts = {
    pages: 0,
    empty: 0,
    unopened: 0,
    free: 0,
    surplus: 0,
    inUse: 0,
    pooled: 0,
  };
  const changes = (what: string, change: Partial<Counts>): void => {
    counts = { ...counts, ...change };
    assertEquals(countsOf(store, clsid), counts, what);
  };
  const chunks: ItemRef[] = [];
  const take = (count: number): void => {
    for (let n = 0; n < count; n++) chunks.push(slabs.take(clsid));
  };
  const giveLast = (): void => slabs.giveToClass(chunks.splice(-1)[0]!, clsid);

  changes("nothing is taken", {});
  take(1);
  changes("the first chunk opens a page", { pages: 1, inUse: 1, free: perPage - 1 });
  giveLast();
  changes("the last page of a class is no surplus", { empty: 1, free: perPage });
  take(perPage);
  changes("a full page", { empty: 0, free: 0 });
  take(1);
  changes("one chunk more opens a page", { pages: 2, inUse: 2, free: perPage - 1 });
  giveLast();
  changes("an empty page of two is surplus", { empty: 1, surplus: 1, free: perPage });
  take(2);
  giveLast();
  changes("a page with one chunk in use is not", { empty: 0, surplus: 0, free: perPage - 1 });
  giveLast();
  const page = slabs.leaving.takeEmpty(clsid, 1);
  changes("an empty page is taken away", { pages: 1, free: 0 });
  slabs.pages.give(page);
  changes("the pool has it", { pooled: 1 });
  assertEquals(slabs.leaving.takeEmpty(clsid, 1), NO_PAGE);
  slabs.arriving.add(slabs.pages.takeFromPool(), clsid);
  changes("a class that has it again has not opened it", {
    pages: 2,
    unopened: 1,
    free: perPage,
    pooled: 0,
  });
  assertEquals(slabs.leaving.takeUnopened(clsid), page);
  changes("it is taken away unopened", { pages: 1, unopened: 0, free: 0 });
  assertEquals(slabs.leaving.takeUnopened(clsid), NO_PAGE);
  slabs.arriving.add(page, clsid);
  take(1);
  changes("a chunk opens it", { pages: 2, free: perPage - 1 });
  assertEquals(slabs.leaving.begin(page, clsid), true);
  giveLast();
  changes("chunks of a page that moves are free, and it is neither empty nor surplus", {
    free: perPage,
  });
  slabs.leaving.cancel(clsid, page);
  changes("it stays, empty", { empty: 1, surplus: 1 });
  take(1);
  assertEquals([pageOf(chunks[chunks.length - 1]!), slabs.leaving.begin(page, clsid)], [
    page,
    true,
  ]);
  assertEquals(slabs.leaving.end(clsid, page), false, "A chunk is in use");
  const [last] = chunks.splice(-1) as [ItemRef];
  changes("it moves again", { empty: 0, surplus: 0, free: perPage - 1 });
  while (chunks.length > 0) giveLast();
  changes("the only page that stays is no surplus", { empty: 1, free: 2 * perPage - 1 });
  slabs.giveToClass(last, clsid);
  assertEquals(slabs.leaving.end(clsid, page), true);
  changes("the page has moved away", { pages: 1, free: perPage });
  slabs.pages.give(page);
  changes("the pool has it once more", { pooled: 1 });
  take(perPage);
  changes("a full page again", { empty: 0, free: 0 });
  take(perPage);
  changes("a class takes the page of the pool first", { pages: 2, pooled: 0 });
  take(perPage);
  changes("then one that was never used, up to the limit", { pages: 3, inUse: 3 });
  assertEquals([slabs.take(clsid), slabs.pages.hasRoom], [0 as ItemRef, false]);
  leavesHeld(store, chunks.length);
});

/** Which pages may be taken: of a limit of two, with so many in use and so many of these pooled. */
const ROOM: readonly (readonly [inUse: number, pooled: number, hasRoom: boolean])[] = [
  [0, 0, true],
  [1, 0, true],
  [1, 1, true],
  [2, 0, false],
  [2, 1, true],
  [3, 0, false],
  [3, 1, false],
];

for (const [inUse, pooled, hasRoom] of ROOM) {
  const what = `${hasRoom ? "true" : "false"} with ${inUse} of 2 pages in use, ${pooled} pooled`;
  storeTest(`hasRoom and take() within the limit: ${what}`, () => {
    const { slabs } = makeStore({ maxbytes: 4 * MIB });
    const { pages } = slabs;
    const clsid = 1 as SlabClass;
    const use = (page: number): void => {
      pages.handOver(page, 0);
      slabs.arriving.add(page, clsid);
    };
    const taken = Array.from({ length: inUse }, () => pages.take(clsid, false));
    taken.slice(0, pooled).forEach((page) => pages.give(page));
    taken.slice(pooled).forEach(use);
    pages.setLimit(2);
    assertEquals([pages.inUse, pages.pooled, pages.hasRoom], [inUse, pooled, hasRoom]);
    const page = pages.take(clsid, false);
    assertEquals(page !== NO_PAGE, hasRoom);
    if (page !== NO_PAGE) use(page);
  });
}
