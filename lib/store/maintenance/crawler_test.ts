// Goal: a crawl removes what is dead and nothing else, and comes back when it is worth it.

import { assert, assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import { checkStore } from "../check.ts";
import { Crawler, nextWait } from "./crawler.ts";
import { NO_ITEM } from "../item/item.ts";
import { isCrawling } from "../control/requests.ts";
import { makeStore, SMALL_SHAPE, storeTest, testClock } from "../store_fixture.ts";
import { flushNow } from "../whole_store.ts";

const ALL = { low: -1, high: -1 };

function clientOf(tocrawl = 0): StoreClient {
  const tuning = { ...SMALL_SHAPE.tuning, lruCrawlerTocrawl: tocrawl };
  return new StoreClient(makeStore({ tuning }, testClock()));
}

function crawl(crawler: Crawler, classes = ALL): void {
  crawler.start(classes);
  while (crawler.step());
}

function present(client: StoreClient, count: number): number[] {
  return Array.from({ length: count }, (_, n) => n).filter((n) => client.find(`k${n}`) !== NO_ITEM);
}

storeTest("a crawl removes expired and flushed items, held or not, and counts them", () => {
  const client = clientOf();
  for (let n = 0; n < 300; n++) client.set(`k${n}`, "v", { exptime: n % 3 === 0 ? 5 : 0 });
  client.get("k0");
  const held = client.hold("k3");
  client.store.clock.now += 5;
  const crawler = new Crawler(client.store);
  crawler.start(ALL);
  assert(isCrawling(client.store.control));
  while (crawler.step());
  assertEquals(isCrawling(client.store.control), false);
  const totals = new Snapshot(client.store.control);
  assertEquals(totals.ofClasses("crawler_reclaimed"), 100);
  assertEquals(totals.ofClasses("crawler_items_checked"), 300);
  assertEquals(totals.ofClasses("expired_unfetched"), 98);
  assertEquals(totals.of("lru_crawler_starts"), 1);
  assertEquals(present(client, 300).every((n) => n % 3 !== 0), true);
  client.letGo(held);
  assertEquals(checkStore(client.store), { problems: [], items: 200 });

  flushNow(client.store);
  crawl(crawler);
  assertEquals(checkStore(client.store), { problems: [], items: 0 });
});

storeTest("a crawl leaves other classes alone", () => {
  const client = clientOf();
  client.set("k0", "v", { exptime: 1 });
  client.set("k1", "v".repeat(1000), { exptime: 1 });
  client.store.clock.now += 1;
  crawl(new Crawler(client.store), { low: 1 << 1, high: 0 });
  assertEquals(present(client, 2), [1]);
});

storeTest("a crawl looks at no more items of a class than it may", () => {
  const client = clientOf(30);
  for (let n = 0; n < 100; n++) client.set(`k${n}`, "v", { exptime: 1 });
  client.store.clock.now += 1;
  crawl(new Crawler(client.store));
  assertEquals(present(client, 100).length, 70);
});

storeTest("a crawl that is stopped is over", () => {
  const client = clientOf();
  client.set("k0", "v", { exptime: 1 });
  const crawler = new Crawler(client.store);
  crawler.start(ALL);
  crawler.stop();
  assertEquals([crawler.isRunning, crawler.step()], [false, false]);
});

storeTest("dueClasses() names classes with items, and not again before their wait is over", () => {
  const client = clientOf();
  const crawler = new Crawler(client.store);
  assertEquals(crawler.dueClasses(), undefined);
  client.set("k0", "v", { exptime: 10_000 });
  assertEquals(crawler.dueClasses(), { low: 1 << 1, high: 0 });
  crawl(crawler, crawler.dueClasses());
  assertEquals(crawler.dueClasses(), undefined);
  client.store.clock.now += 65; // Nothing expires within the hour: 60 + 5 seconds.
  assertEquals(crawler.dueClasses(), undefined);
  client.store.clock.now += 1;
  assertEquals(crawler.dueClasses(), { low: 1 << 1, high: 0 });
});

/** Items by minute, `[minute, items]`. */
function minutes(...rows: (readonly [minute: number, items: number])[]): number[] {
  const byMinute = new Array<number>(61).fill(0);
  for (const [minute, items] of rows) byMinute[minute] = items;
  return byMinute;
}

const WAITS: readonly (readonly [
  name: string,
  mortal: number,
  byMinute: number[],
  wait: number,
  next: number,
])[] = [
  ["grows when nothing expires within the hour", 1000, minutes([60, 1000]), 60, 120],
  ["is an hour at the most", 1000, minutes(), 3600, 3600],
  ["shrinks when enough expire at once", 1000, minutes([0, 500]), 180, 120],
  ["stays short", 1000, minutes([0, 500]), 0, 0],
  ["grows towards the minute in which enough expire", 1000, minutes([5, 500]), 60, 120],
  ["shrinks from a later one", 1000, minutes([5, 500]), 600, 540],
  ["stays when a few expire, below one in a hundred", 1000, minutes([0, 5]), 120, 120],
];

for (const [name, mortal, byMinute, wait, next] of WAITS) {
  storeTest(`nextWait() ${name}`, () => assertEquals(nextWait(mortal, byMinute, wait), next));
}
