// Goal: whatever the mix of sizes becomes, memory follows it, and limits are kept.
// Method: turns of the maintenance between commands, with a clock that the test drives.

import { assert, assertEquals } from "@std/assert";
import { StoreClient } from "../../tests/support/store_client.ts";
import { Snapshot } from "../stats/counters.ts";
import { checkStore } from "./check.ts";
import { Maintainer } from "./maintainer.ts";
import { askCrawl, askMove, isMoving, needPage } from "./maintenance.ts";
import type { StoreShape } from "./memory.ts";
import { SlabWord } from "./slab.ts";
import { makeStore, SMALL_SHAPE, testClock } from "./testing.ts";

const MIB = 2 ** 20;

class Bed {
  readonly client: StoreClient;
  readonly maintainer: Maintainer;
  readonly discarded: number[] = [];
  #ms = 0;

  constructor(shape: Partial<StoreShape> = {}, isLruMaintained = true) {
    this.client = new StoreClient(makeStore({ maxbytes: 16 * MIB, ...shape }, testClock()));
    this.maintainer = new Maintainer(
      this.client.store,
      isLruMaintained,
      (page) => void this.discarded.push(page),
    );
  }

  /** Lets `seconds` seconds go by, with `each` in each of them. */
  pass(seconds: number, each: (second: number) => void = () => {}): void {
    for (let second = 0; second < seconds; second++) {
      this.client.store.clock.now++;
      each(second);
      const until = this.#ms + 1000;
      while (this.#ms < until) this.#ms += Math.max(0.1, this.maintainer.turn(this.#ms));
    }
  }

  pages(valueBytes: number): number {
    const { slabs, classes } = this.client.store;
    return slabs.word(classes.fit(32 + 8 + 8 + valueBytes + 2), SlabWord.PAGES);
  }

  total(name: "slabs_moved" | "lru_crawler_starts"): number {
    return new Snapshot(this.client.store.control).of(name);
  }
}

function fill({ client }: Bed, valueBytes: number, from: number, to: number): number {
  const value = "v".repeat(valueBytes);
  let refused = 0;
  for (let n = from; n < to; n++) {
    if (client.set(`k${String(n).padStart(7, "0")}`, value) !== "STORED") refused++;
  }
  return refused;
}

Deno.test("memory follows when items grow, and no set is refused", () => {
  const bed = new Bed();
  fill(bed, 100, 0, 130_000);
  assert(bed.pages(100) >= 15);
  let refused = 0;
  bed.pass(40, (second) => {
    refused += fill(bed, 2000, 200_000 + second * 300, 200_000 + (second + 1) * 300);
  });
  assertEquals(refused, 0);
  assert(bed.pages(2000) >= 6, `${bed.pages(2000)} pages`);
  assert(bed.total("slabs_moved") >= 5);
  assertEquals(checkStore(bed.client.store).problems, []);
});

Deno.test("with automove off no page moves by itself, but one does when asked for", () => {
  const bed = new Bed({ tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 0 } });
  fill(bed, 100, 0, 130_000);
  bed.pass(20, (second) => void fill(bed, 2000, 200_000 + second * 900, 200_900 + second * 900));
  assertEquals([bed.total("slabs_moved"), bed.pages(2000)], [0, 1]);
  const { classes, control } = bed.client.store;
  assert(askMove(control, { from: classes.fit(150), to: classes.fit(2042) }));
  assertEquals(askMove(control, { from: 1, to: 2 }), false, "One at a time");
  bed.pass(1);
  assertEquals([bed.total("slabs_moved"), bed.pages(2000), isMoving(control)], [1, 2, false]);
});

Deno.test("with slab_automove=2 each eviction asks for a page", () => {
  const bed = new Bed({ tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 2 } });
  fill(bed, 100, 0, 130_000);
  bed.pass(3, (second) => void fill(bed, 2000, 200_000 + second * 900, 200_900 + second * 900));
  assert(bed.pages(2000) >= 2, `${bed.pages(2000)} pages`);
  assertEquals(checkStore(bed.client.store).problems, []);
});

Deno.test("without slab_reassign pages stay", () => {
  const bed = new Bed({ slabReassign: false });
  fill(bed, 100, 0, 130_000);
  bed.pass(20, (second) => void fill(bed, 2000, 200_000 + second * 900, 200_900 + second * 900));
  assertEquals(bed.total("slabs_moved"), 0);
});

Deno.test("a large value that finds no room gets pages: the next try succeeds", () => {
  const bed = new Bed({ maxbytes: 16 * MIB, itemSizeMax: 8 * MIB });
  fill(bed, 100, 0, 130_000);
  const value = "x".repeat(5 * MIB);
  assertEquals(bed.client.set("large", value), "NO_MEMORY");
  bed.pass(2);
  assertEquals(bed.client.set("large", value), "STORED");
  assertEquals(bed.client.get("large")?.value === value, true);
  assertEquals(checkStore(bed.client.store).problems, []);
});

Deno.test("free pages of a class go to the pool after a quiet window", () => {
  const bed = new Bed();
  fill(bed, 100, 0, 130_000);
  bed.client.store.flushNow();
  const evicted = new Snapshot(bed.client.store.control).ofClasses("evictions");
  bed.pass(30);
  const { pages } = bed.client.store.slabs;
  assert(pages.pooled >= 8, `${pages.pooled} in the pool`);
  assertEquals(fill(bed, 5000, 0, 1500), 0);
  assertEquals(new Snapshot(bed.client.store.control).ofClasses("evictions"), evicted);
});

Deno.test("cache_memlimit down takes pages from classes and gives their memory back", () => {
  const bed = new Bed({ maxbytes: 16 * MIB });
  fill(bed, 100, 0, 80_000);
  fill(bed, 2000, 200_000, 203_000);
  const { pages } = bed.client.store.slabs;
  assertEquals(pages.inUse, 16);
  bed.client.store.setMemlimit(8 * MIB);
  bed.pass(5);
  assertEquals([pages.inUse, pages.isShrinking, bed.discarded.length], [8, false, 8]);
  assertEquals(checkStore(bed.client.store).problems, []);
  bed.client.store.setMemlimit(16 * MIB);
  fill(bed, 2000, 300_000, 306_000);
  assertEquals(pages.inUse, 16, "Growing is immediate");
  assertEquals(checkStore(bed.client.store).problems, []);
});

Deno.test("cache_memlimit below a page for each class stops at one", () => {
  const bed = new Bed({ maxbytes: 16 * MIB });
  for (const bytes of [50, 100, 500, 1000, 2000, 5000, 9000, 20_000, 50_000, 100_000]) {
    fill(bed, bytes, 0, 3);
  }
  bed.client.store.setMemlimit(8 * MIB);
  bed.pass(3);
  assertEquals(bed.client.store.slabs.pages.isShrinking, false);
  assertEquals(bed.client.store.slabs.pages.inUse, 10);
});

Deno.test("expired items go in the background", () => {
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
  Deno.test(`no crawl starts by itself where ${name}`, () => {
    const bed = new Bed({ tuning }, maintained);
    for (let n = 0; n < 1000; n++) bed.client.set(`k${n}`, "v", { exptime: 3 });
    bed.pass(15);
    assertEquals(bed.total("lru_crawler_starts"), 0);
  });
}

Deno.test("a crawl that is asked for runs without a maintainer, too, one at a time", () => {
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

Deno.test("with -M no item goes for a page: not for a needy class, not for a lower limit", () => {
  const bed = new Bed({ maxbytes: 8 * MIB, evictions: false });
  let stored = 0;
  while (bed.client.set(`k${stored}`, "v".repeat(5000)) === "STORED") stored++;
  for (let n = 0; n < 2000; n++) bed.client.set(`small${n}`, "v".repeat(1000));
  bed.pass(15, () => void bed.client.set("large", "v".repeat(200_000)));
  bed.client.store.setMemlimit(4 * MIB);
  bed.pass(3);
  const kept = Array.from({ length: stored }, (_, n) => bed.client.get(`k${n}`) !== undefined);
  assertEquals(kept.filter((here) => here).length, stored);
  assertEquals(new Snapshot(bed.client.store.control).ofClasses("evictions"), 0);
});

Deno.test("every class that found no chunk gets a page", () => {
  const bed = new Bed();
  fill(bed, 100, 0, 130_000);
  const { classes, control, slabs } = bed.client.store;
  const needy = [classes.fit(500), classes.fit(20_000), classes.last];
  for (const clsid of needy) needPage(control, clsid);
  bed.pass(2);
  assertEquals(needy.map((clsid) => slabs.word(clsid, SlabWord.PAGES)), [1, 1, 1]);
});

Deno.test("the crawler rests as long as it is told, however often others have work", () => {
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
});
