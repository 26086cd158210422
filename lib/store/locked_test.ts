// Goal: no function that needs a lock goes on without it.
// Method: a table of all `…Locked` functions that others can call, complete by a look into the
// sources. Each is called without a lock, and with that of another shard, list or class: it must
// throw before it changes anything.

import { assertEquals, assertThrows } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { InvariantError } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { U64 } from "../base/u64.ts";
import { LockRank } from "../memory/lock.ts";
import { checkStore } from "./check.ts";
import { flushLaterLocked, flushNowLocked } from "./item/generation.ts";
import { itemLruId, type ItemRef } from "./item/item.ts";
import { DeletedBy, logDeletedLocked, logEvictedLocked, logFoundLocked } from "./item_events.ts";
import {
  findLocked,
  forgetLocked,
  linkLocked,
  renewCasLocked,
  replaceLocked,
  retainLocked,
  unlinkLocked,
} from "./link.ts";
import { classOf, type LruId, lruIdOf, LruSegment } from "./lru/lists.ts";
import { Lookup, StoreMode } from "./outcome.ts";
import { countGoneLocked, relinkLocked } from "./room/tail.ts";
import type { SlabClass } from "./slab/classes.ts";
import { SlabRecords } from "./slab/record.ts";
import type { Store } from "./store.ts";
import { makeItem, makeStore, withShard } from "./store_fixture.ts";
import { addDeltaLocked } from "./update/add_delta.ts";
import { bumpLocked, touchLocked, updateLocked } from "./update/bump.ts";
import { joinLocked, storeLocked } from "./update/storing.ts";
import { MetaStorage, storeMetaLocked } from "./update/storing_meta.ts";
import { linkNewLocked } from "./update/vivify.ts";

const KEY = Block.of(ascii("key"));
const NKEY = 3;

/** A store with one linked item, and one that is not linked. */
interface Bed {
  readonly store: Store;
  readonly hv: number;
  readonly it: ItemRef;
  readonly other: ItemRef;
}

function bed(): Bed {
  const store = makeStore();
  const it = makeItem(store, "key", "1");
  const hv = store.assoc.hashOf(it);
  withShard(store, hv, () => linkLocked(store, hv, it));
  return { store, hv, it, other: makeItem(store, "key", "2") };
}

type Calls = Readonly<Record<string, (bed: Bed) => unknown>>;

/** Each needs the lock of the key's shard. */
const OF_SHARD: Calls = {
  "Assoc.findLocked": ({ store, hv }) => store.assoc.findLocked(hv, KEY, 0, NKEY),
  "Assoc.hasLocked": ({ store, hv, it }) => store.assoc.hasLocked(hv, it),
  "Assoc.insertLocked": ({ store, hv, other }) => store.assoc.insertLocked(hv, other),
  "Assoc.removeLocked": ({ store, hv, it }) => store.assoc.removeLocked(hv, it),
  "Assoc.swapLocked": ({ store, hv, it, other }) => store.assoc.swapLocked(hv, it, other),
  "Assoc.bucketAtLocked": ({ store, hv }) => store.assoc.bucketAtLocked(store.assoc.shardOf(hv), 0),
  "Assoc.positionAfterLocked": ({ store, hv }) =>
    store.assoc.positionAfterLocked(store.assoc.shardOf(hv), 0, 0),
  findLocked: ({ store, hv }) => findLocked(store, hv, KEY, 0, NKEY),
  linkLocked: ({ store, hv, other }) => linkLocked(store, hv, other),
  unlinkLocked: ({ store, hv, it }) => unlinkLocked(store, hv, it),
  forgetLocked: ({ store, hv, it }) => forgetLocked(store, hv, it),
  replaceLocked: ({ store, hv, it, other }) => replaceLocked(store, hv, it, other),
  storeLocked: ({ store, hv, other }) => storeLocked(store, hv, other, StoreMode.SET, new U64()),
  joinLocked: ({ store, hv, it, other }) => joinLocked(store, hv, it, other, StoreMode.APPEND),
  storeMetaLocked: ({ store, hv, other }) =>
    storeMetaLocked(store, hv, other, StoreMode.SET, new MetaStorage()),
  addDeltaLocked: ({ store, hv, it }) =>
    addDeltaLocked(store, hv, it, true, new U64(), new U64(), 0),
  linkNewLocked: ({ store, hv }) => linkNewLocked(store, NEW_ITEM, hv, 0),
};

/** What vivification is asked for. */
const NEW_ITEM = {
  keyBlock: KEY,
  keyFrom: 0,
  nkey: NKEY,
  vivifyTtl: 0,
  explicit: new U64(),
  has: () => false,
};

/** Each needs the lock of a shard, and cannot tell cheaply of which. */
const OF_ANY_SHARD: Calls = {
  renewCasLocked: ({ store, it }) => renewCasLocked(store, it),
  retainLocked: ({ store, it }) => retainLocked(store, it),
  bumpLocked: ({ store, it }) => bumpLocked(store, it),
  updateLocked: ({ store, it }) => updateLocked(store, it),
  touchLocked: ({ store, it }) => touchLocked(store, it, 1),
  relinkLocked: ({ store, it }) => relinkLocked(store, lruIdOf(1 as SlabClass, 0), it),
  countGoneLocked: ({ store, it }) => countGoneLocked(store, classOf(store.items, it), it),
  logFoundLocked: ({ store, it }) => logFoundLocked(store, it, Lookup.FOUND, KEY, 0, NKEY),
  logDeletedLocked: ({ store, it }) => logDeletedLocked(store, it, DeletedBy.DELETE),
  logEvictedLocked: ({ store, it }) => logEvictedLocked(store, it),
};

function listOf({ store, it }: Bed): LruId {
  return itemLruId(store.items, it) as LruId;
}

/** Each needs the lock of the item's list. */
const OF_LIST: Calls = {
  "Lru.linkLocked": (all) => all.store.lru.linkLocked(listOf(all), all.other),
  "Lru.unlinkLocked": (all) => all.store.lru.unlinkLocked(listOf(all), all.it),
  "Lru.swapLocked": (all) => all.store.lru.swapLocked(listOf(all), all.it, all.other),
  "Lru.turnLocked": (all) => all.store.lru.turnLocked(listOf(all), all.it),
  "Lru.tailLocked": (all) => all.store.lru.tailLocked(listOf(all)),
  "Lru.headLocked": (all) => all.store.lru.headLocked(listOf(all)),
  "Lru.noteEvictedLocked": (all) => all.store.lru.noteEvictedLocked(listOf(all), 5),
};

function recordsOf({ store }: Bed): SlabRecords {
  return new SlabRecords(store.control, store.items, store.locks);
}

function recordOf(all: Bed): number {
  return recordsOf(all).of(classOf(all.store.items, all.it));
}

/** Each needs the lock of the item's class. */
const OF_CLASS: Calls = {
  "SlabRecords.unlinkLocked": (all) => recordsOf(all).unlinkLocked(recordOf(all), all.it),
  "SlabRecords.linkLocked": (all) => recordsOf(all).linkLocked(recordOf(all), all.other),
  "SlabRecords.useLocked": (all) => recordsOf(all).useLocked(recordOf(all), 1),
  "SlabRecords.freeLocked": (all) => recordsOf(all).freeLocked(recordOf(all), 1),
  "SlabRecords.countPagesLocked": (all) => recordsOf(all).countPagesLocked(recordOf(all), 1, 1),
  "SlabRecords.setMovingLocked": (all) => recordsOf(all).setMovingLocked(recordOf(all), 1),
  "SlabRecords.stayingLocked": (all) => recordsOf(all).stayingLocked(recordOf(all)),
};

/** Each needs the lock of any class: the page may be of any. */
const OF_ANY_CLASS: Calls = {
  "SlabRecords.usedLocked": (all) => recordsOf(all).usedLocked(1),
};

/** Each needs the lock of the settings. */
const OF_SETTINGS: Calls = {
  flushNowLocked: ({ store: { control, locks, clock } }) =>
    flushNowLocked(control, locks, clock.now),
  flushLaterLocked: ({ store: { control, locks, clock } }) =>
    flushLaterLocked(control, locks, clock.now + 1, clock.now),
};

const ALL: Calls = {
  ...OF_SHARD,
  ...OF_ANY_SHARD,
  ...OF_LIST,
  ...OF_CLASS,
  ...OF_ANY_CLASS,
  ...OF_SETTINGS,
};

/** Runs `call` on a new store, which must throw and leave the store as it was. */
function assertRefused(name: string, call: (bed: Bed) => unknown, all = bed()): void {
  assertThrows(() => call(all), InvariantError, "held", name);
  assertEquals(checkStore(all.store, 1), { problems: [], items: 1 }, name);
}

Deno.test("…Locked functions throw without their lock, and have changed nothing", () => {
  for (const [name, call] of Object.entries(ALL)) assertRefused(name, call);
});

Deno.test("…Locked functions throw with the lock of another shard, list or class", () => {
  for (const [name, call] of Object.entries(OF_SHARD)) {
    const all = bed();
    const { assoc } = all.store;
    const hv = assoc.shardOf(all.hv) === 0 ? all.hv + 2 ** 31 : 0;
    assertRefused(name, (it) => withShard(all.store, hv, () => call(it)), all);
  }
  for (const [calls, rank] of [[OF_LIST, LockRank.LRU], [OF_CLASS, LockRank.SLAB]] as const) {
    for (const [name, call] of Object.entries(calls)) {
      const all = bed();
      const { locks, lru } = all.store;
      const list = lruIdOf(63 as SlabClass, LruSegment.TEMP);
      const at = rank === LockRank.LRU
        ? lru.lockOf(list)
        : recordsOf(all).of(63 as SlabClass) as ReturnType<typeof lru.lockOf>;
      assertRefused(name, (it) => {
        locks.lock(at, rank);
        try {
          call(it);
        } finally {
          locks.unlock(at, rank);
        }
      }, all);
    }
  }
});

/** Where a function or method that others can call begins: its parameters may be on other lines. */
const DECLARED = /^(?:export function | {2})(\w+Locked)\((?:$|[^)]*\)(?:: \w+)* \{$)/gm;

Deno.test("the tables above name every …Locked function that others can call", async () => {
  const named = new Set(Object.keys(ALL).map((name) => name.replace(/^.*\./, "")));
  const missing: string[] = [];
  for (const folder of ["", "item", "table", "slab", "lru", "counts", "room", "update"]) {
    const url = new URL(`./${folder}/`, import.meta.url);
    for await (const { name, isFile } of Deno.readDir(url)) {
      if (!isFile || name.endsWith("_test.ts")) continue;
      const text = await Deno.readTextFile(new URL(name, url));
      const declared = [...text.matchAll(DECLARED)].map((match) => match[1] ?? "");
      missing.push(...declared.filter((found) => !named.has(found)));
    }
  }
  assertEquals(missing, []);
});
