// A store on ordinary memory, for tests and micro-benchmarks: no FFI, no other thread.

import { assert, fail } from "../base/assert.ts";
import { Block } from "../base/block.ts";
import { ascii } from "../base/ascii.ts";
import { type Clock, CLOCK_START } from "../base/clock.ts";
import { LockRank } from "../memory/lock.ts";
import { makeControlMemory } from "../memory/regions.ts";
import { allocate } from "./room/allocate.ts";
import { blockOf, type ItemRef, itemValueAt } from "./item/item.ts";
import { checkStore } from "./check.ts";
import { lockShard, unlockShard } from "./link.ts";
import type { LruId } from "./lru/lists.ts";
import { isRefused } from "./outcome.ts";
import { openThread, planStore, type StorePlan, type StoreShape } from "./plan.ts";
import { startStore, Store } from "./store.ts";

const MIB = 2 ** 20;

/** memcached's defaults, with little memory. */
export const SMALL_SHAPE: StoreShape = {
  maxbytes: 4 * MIB,
  threads: 1,
  useCas: true,
  evictions: true,
  itemSizeMax: MIB,
  hashpowerInit: 10,
  hashExpand: true,
  factor: 1.25,
  chunkSize: 48,
  slabChunkMax: MIB / 2,
  slabSizes: [],
  maxbytesCeiling: 0,
  slabReassign: true,
  reservesFirstPages: false,
  trackSizes: false,
  workerLogbufSize: 65536,
  watcherLogbufSize: 65536,
  prefixDelimiter: 0x3a,
  detailEnabled: false,
  tailRepairTime: 0,
  conns: 64,
  connNameBytes: 128,
  takesSamples: false,
  notesKeys: false,
  tuning: {
    maxbytes: 4 * MIB,
    segmented: 1,
    temporaryTtl: -1,
    hotLruPct: 20,
    warmLruPct: 40,
    hotMaxFactor: 0.2,
    warmMaxFactor: 2,
    lruCrawler: 1,
    lruCrawlerSleep: 100,
    lruCrawlerTocrawl: 0,
    slabAutomove: 1,
    slabAutomoveRatio: 0.8,
    slabAutomoveWindow: 10,
    slabAutomoveFreeratio: 0.01,
    extItemSize: 512,
    extItemAge: 2 ** 32 - 1,
    extLowTtl: 0,
    extRecacheRate: 2000,
    extCompactUnder: 0,
    extDropUnder: 0,
    extMaxSleep: 1_000_000,
    extMaxFrag: 0.8,
    extDropUnread: 0,
  },
};

/** Flat mode: one list per class. */
export const FLAT: Partial<StoreShape> = { tuning: { ...SMALL_SHAPE.tuning, segmented: 0 } };

/** A clock for tests: the test sets `now`. */
export function testClock(): Clock {
  return { startUnix: 1_700_000_000, now: CLOCK_START };
}

/**
 * Makes a store, ready to use, on memory that only this thread has.
 *
 * @param segments Item memory of another store, as long as the shape wants it: that store is of no
 * use any more.
 */
export function makeStore(
  shape: Partial<StoreShape> = {},
  clock: Clock = testClock(),
  tune: (plan: StorePlan) => StorePlan = (plan) => plan,
  segments?: readonly Block[],
): Store {
  const all = { ...SMALL_SHAPE, ...shape };
  const ceiling = Math.max(all.maxbytes, all.maxbytesCeiling);
  const plan = tune(planStore({ ...all, maxbytesCeiling: ceiling }));
  const memory = {
    control: makeControlMemory(plan.regions),
    segments: segments ?? plan.segmentBytes.map(Block.ofLength),
    buckets: new ArrayBuffer(plan.bucketBytes),
  };
  const store = new Store(openThread(plan, memory, 1, clock));
  startStore(store, plan);
  for (const other of made?.keys() ?? []) {
    if (other.items.blocks[0] === segments?.[0]) made?.delete(other);
  }
  made?.set(store, 0);
  return store;
}

/** The item memory of `store`, for a store that takes it over. */
export function segmentsOf({ items }: Store): readonly Block[] {
  return items.blocks;
}

/** Stores made by the running test, with the chunks that it leaves held; undefined outside one. */
let made: Map<Store, number> | undefined;

/** Defines a test after which every store that it made must pass the check (check.ts). */
export function storeTest(name: string, run: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    const stores = made = new Map<Store, number>();
    await run();
    made = undefined;
    for (const [store, held] of stores) {
      const { problems } = checkStore(store, held);
      if (problems.length > 0) fail(problems.join("; "));
    }
  });
}

/** The running test leaves `count` chunks of `store` taken that are part of no linked item. */
export function leavesHeld(store: Store, count: number): void {
  made?.set(store, count);
}

/** The running test leaves `store` broken, or with items that clients hold. */
export function leavesBroken(store: Store): void {
  made?.delete(store);
}

/** Runs `work` under the lock of the shard of `hv`. */
export function withShard<T>(store: Store, hv: number, work: () => T): T {
  lockShard(store, hv);
  try {
    return work();
  } finally {
    unlockShard(store, hv);
  }
}

/** Runs `work` under the lock of `list`. */
export function withList<T>({ lru, locks }: Store, list: LruId, work: () => T): T {
  locks.lock(lru.lockOf(list), LockRank.LRU);
  try {
    return work();
  } finally {
    locks.unlock(lru.lockOf(list), LockRank.LRU);
  }
}

/** Allocates an item with `value`, not linked. */
export function makeItem(
  store: Store,
  key: string,
  value: string,
  flags = 0,
  exptime = 0,
): ItemRef {
  const block = Block.of(ascii(key));
  const bytes = ascii(`${value}\r\n`);
  const it = allocate(store, block, 0, key.length, flags, exptime, bytes.length);
  assert(!isRefused(it), "A test's item was refused");
  blockOf(store.items, it).bytes.set(bytes, itemValueAt(store.items, it));
  return it;
}
