// Goal: a page moves, and every item that was in it is still there, unless there was no room.

import { assert, assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import { checkStore } from "../check.ts";
import { NO_ITEM } from "../item/item.ts";
import type { StoreShape } from "../plan.ts";
import { pageOf, SlabWord } from "../slab/record.ts";
import type { SlabClass } from "../slab/classes.ts";
import { fail } from "../../base/assert.ts";
import { POOL } from "../control/requests.ts";
import { isRefused } from "../outcome.ts";
import { GENTLE_PASSES, Moving, PASSES_MAX, SlabMover } from "./mover.ts";
import { makeStore, storeTest, testClock } from "../store_fixture.ts";
import { releaseItem } from "../link.ts";
import { setMemlimit } from "../whole_store.ts";

const MIB = 2 ** 20;
const VALUE = "v".repeat(1000);

interface Bed {
  readonly client: StoreClient;
  readonly mover: SlabMover;
  readonly clsid: SlabClass;
}

function bed(shape: Partial<StoreShape> = {}): Bed {
  const client = new StoreClient(makeStore({ maxbytes: 8 * MIB, ...shape }, testClock()));
  const clsid = client.store.classes.fit(32 + 8 + 5 + VALUE.length + 5 + 2);
  return { client, mover: new SlabMover(client.store), clsid };
}

/** Fills `pages` pages with items of the bed's class, all but `less` items of the last. */
function fill({ client, clsid }: Bed, pages: number, less = 0): string[] {
  const count = client.store.classes.perPage[clsid]! * pages - less;
  const keys = Array.from({ length: count }, (_, n) => `k${String(n).padStart(4, "0")}`);
  for (const key of keys) assertEquals(client.set(key, VALUE + key, {}), "STORED");
  return keys;
}

/** Steps until the mover is done, or waits for clients. */
function run(mover: SlabMover): Moving {
  let moving: Moving = Moving.ON;
  while (moving === Moving.ON) moving = mover.step();
  return moving;
}

function missing(client: StoreClient, keys: readonly string[]): string[] {
  return keys.filter((key) => client.get(key)?.value !== VALUE + key);
}

function pages({ client: { store }, clsid }: Bed): number {
  return store.slabs.word(clsid, SlabWord.PAGES);
}

storeTest("a page with room elsewhere moves, and all its items stay as they are", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const keys = fill(all, 3);
  for (const key of keys.filter((_, n) => n % 2 === 0)) client.delete(key);
  const kept = keys.filter((_, n) => n % 2 === 1);
  const cas = client.get(kept[0]!)?.cas;
  assertEquals(mover.start(clsid, POOL), true);
  assertEquals(run(mover), Moving.IDLE);
  assertEquals([pages(all), client.store.slabs.pages.pooled], [2, 1]);
  assertEquals(missing(client, kept), []);
  assertEquals(client.get(kept[0]!)?.cas, cas, "A move is no change");
  const totals = new Snapshot(client.store.control);
  assert(totals.of("slab_reassign_rescues") > 0);
  assertEquals([totals.of("slabs_moved"), totals.ofClasses("evictions")], [1, 0]);
  assertEquals(checkStore(client.store), { problems: [], items: kept.length });
});

storeTest("a full class loses the items that were read longest ago, a page of them", () => {
  const all = bed({ maxbytes: 3 * MIB });
  const { client, mover, clsid } = all;
  const keys = fill(all, 3);
  assertEquals(mover.start(clsid, 1), true);
  assertEquals(run(mover), Moving.IDLE);
  assertEquals(pages(all), 2);
  assertEquals(client.store.slabs.word(1 as SlabClass, SlabWord.UNOPENED_COUNT), 1);
  const perPage = client.store.classes.perPage[clsid]!;
  const gone = missing(client, keys);
  assert(gone.length <= perPage, `${gone.length} gone`);
  const newest = Math.max(...gone.map((key) => keys.indexOf(key)));
  assert(newest < perPage + 10, `${newest} is gone, of ${perPage} in a page`);
  assertEquals(new Snapshot(client.store.control).ofClasses("evictions"), gone.length);
  assertEquals(checkStore(client.store).problems, []);
  assertEquals(client.set("x", "small"), "STORED", "The other class uses the page");
  assertEquals(client.store.slabs.word(1 as SlabClass, SlabWord.UNOPENED_COUNT), 0);
});

storeTest("without evictions a page stays when what is in it finds no room", () => {
  const all = bed({ maxbytes: 2 * MIB, evictions: false });
  const { client, mover, clsid } = all;
  const keys = fill(all, 2);
  mover.start(clsid, POOL);
  for (let pass = 0; pass < PASSES_MAX && mover.isRunning; pass++) run(mover);
  assertEquals([mover.isRunning, pages(all)], [false, 2]);
  const totals = new Snapshot(client.store.control);
  assert(totals.of("slab_reassign_busy_nomem") > 0);
  assertEquals([missing(client, keys), totals.ofClasses("evictions")], [[], 0]);
});

storeTest("a page of which some was never used moves", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const keys = fill(all, 2, 500);
  mover.start(clsid, POOL);
  assertEquals(run(mover), Moving.IDLE);
  assertEquals(missing(client, keys.slice(500)), []);
});

storeTest("items that clients hold keep a page where it is, until they let go", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const keys = fill(all, 2);
  const perPage = client.store.classes.perPage[clsid]!;
  const gone = [...keys.slice(0, 500), ...keys.slice(perPage, perPage + 500)];
  for (const key of gone) client.delete(key);
  const kept = keys.filter((key) => !gone.includes(key));
  const held = kept.map((key) => client.hold(key));
  mover.start(clsid, POOL);
  assertEquals(run(mover), Moving.WAITS);
  assertEquals(pages(all), 2);
  for (const each of held) client.letGo(each);
  assertEquals(run(mover), Moving.IDLE);
  assertEquals(client.store.slabs.pages.pooled, 1);
  assertEquals(missing(client, kept), []);
});

storeTest("items held for long are unlinked, and the page moves once they are let go", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const keys = fill(all, 2);
  const held = keys.map((key) => client.hold(key));
  mover.start(clsid, POOL);
  for (let pass = 0; pass < GENTLE_PASSES + 20; pass++) assertEquals(run(mover), Moving.WAITS);
  const deletes = new Snapshot(client.store.control).of("slab_reassign_busy_deletes");
  assertEquals(deletes, client.store.classes.perPage[clsid]);
  for (const each of held) {
    assertEquals(client.valueOf(each).slice(0, 4), "vvvv", "What is being sent stays");
    client.letGo(each);
  }
  assertEquals(run(mover), Moving.IDLE);
  assertEquals(pages(all), 1);
});

storeTest("a value that never comes keeps its page, and the move is given up", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const coming = ["a0001", "a0002"].map((key) => {
    const it = client.make(key, VALUE + key);
    if (isRefused(it)) fail("There is memory");
    return it;
  });
  fill(all, 2, 2);
  client.delete("k0007");
  mover.start(clsid, POOL);
  assertEquals(client.store.slabs.word(clsid, SlabWord.MOVING), pageOf(coming[0]!));
  for (let pass = 0; pass < PASSES_MAX && mover.isRunning; pass++) run(mover);
  assertEquals(mover.isRunning, false);
  assertEquals(checkStore(client.store, 2).problems, []);
  for (const it of coming) releaseItem(client.store, it);
  assertEquals(checkStore(client.store).problems, []);
  for (let n = 0; n < 900; n++) assertEquals(client.set(`n${n}`, VALUE), "STORED");
});

storeTest("expired items in a page are not rescued", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const perPage = client.store.classes.perPage[clsid]!;
  for (let n = 0; n < 2 * perPage; n++) {
    client.set(`k${String(n).padStart(4, "0")}`, `${VALUE}#####`, { exptime: 1 });
  }
  client.store.clock.now += 1;
  assertEquals(mover.start(clsid, POOL), true);
  assertEquals(run(mover), Moving.IDLE);
  const totals = new Snapshot(client.store.control);
  assertEquals(totals.ofClasses("reclaimed"), perPage);
  assertEquals([totals.of("slab_reassign_rescues"), totals.ofClasses("evictions")], [0, 0]);
  assertEquals(checkStore(client.store), { problems: [], items: perPage });
});

storeTest("start() refuses a class with one page, and an empty pool", () => {
  const all = bed();
  const { mover, clsid } = all;
  fill(all, 1);
  assertEquals(mover.start(clsid, POOL), false);
  assertEquals(mover.start(POOL, clsid), false);
  assertEquals(mover.isRunning, false);
});

storeTest("pages of the pool go to whichever class needs one, beyond no limit", () => {
  const all = bed({ maxbytes: 2 * MIB });
  const { client, mover, clsid } = all;
  const keys = fill(all, 2);
  for (const key of keys) client.delete(key);
  mover.start(clsid, POOL);
  run(mover);
  assertEquals(client.store.slabs.pages.pooled, 1);
  client.set("x", "v".repeat(5000));
  assertEquals(client.store.slabs.pages.pooled, 0);
  assertEquals(client.store.slabs.pages.inUse, 2);
});

storeTest("a page that was handed over and not opened moves on at once", () => {
  const all = bed();
  const { client, mover, clsid } = all;
  const keys = fill(all, 2);
  for (const key of keys) client.delete(key);
  const other = client.store.classes.fit(5000);
  client.set("x", "v".repeat(4900));
  mover.start(clsid, other);
  run(mover);
  assertEquals(client.store.slabs.word(other, SlabWord.PAGES), 2);
  assertEquals(mover.start(other, POOL), true);
  assertEquals([mover.isRunning, client.store.slabs.pages.pooled], [false, 1]);
});

for (const slabChunkMax of [1024, 16 * 1024, MIB / 2]) {
  storeTest(`chunks of large items move, ${slabChunkMax} bytes each, and so do their heads`, () => {
    const { client, mover } = bed({ slabChunkMax, maxbytes: 16 * MIB });
    const value = (n: number): string => String(n).padStart(4, "-").repeat(150_000 + n);
    for (let n = 0; n < 10; n++) assertEquals(client.set(`large${n}`, value(n)), "STORED");
    for (let n = 1; n < 10; n += 3) client.delete(`large${n}`);
    for (let n = 0; n < 20; n++) client.set(`s${n}`, "x".repeat(200)); // Beside the heads.
    const { store } = client;
    let moved = 0;
    for (let id = 1; id <= store.classes.last; id++) {
      for (let page = 0; page < 3; page++) {
        if (!mover.start(id, POOL)) break;
        assertEquals(run(mover), Moving.IDLE);
        moved++;
        assertEquals(checkStore(store).problems, []);
      }
    }
    assert(moved > 0);
    for (let n = 0; n < 10; n++) {
      if (client.find(`large${n}`) === NO_ITEM) continue; // Its own class was full.
      assertEquals(client.get(`large${n}`)?.value === value(n), true, `large${n}`);
    }
    assert(new Snapshot(store.control).of("slab_reassign_chunk_rescues") > 0);
  });
}

storeTest("returnOne() gives pages of the pool back while more are in use than may be", () => {
  const all = bed({ maxbytes: 8 * MIB });
  const { client, mover, clsid } = all;
  const keys = fill(all, 4);
  for (const key of keys) client.delete(key);
  for (let page = 0; page < 3; page++) {
    mover.start(clsid, POOL);
    run(mover);
  }
  const { pages: all4 } = client.store.slabs;
  const discarded: number[] = [];
  const discard = (page: number): void => void discarded.push(page);
  assertEquals(all4.returnOne(discard), false, "No more in use than may be");
  setMemlimit(client.store, 2 * MIB);
  while (all4.returnOne(discard));
  assertEquals([discarded.length, all4.inUse, all4.pooled], [2, 2, 1]);
  assertEquals(checkStore(client.store).problems, []);
  setMemlimit(client.store, 4 * MIB);
  fill(all, 4);
  assertEquals(all4.inUse, 4, "They come back when the limit allows");
});
