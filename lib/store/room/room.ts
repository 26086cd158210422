// Making room where the tails of a class's lists gave none in ten tries: what is there is active,
// or held by clients, or the lists are empty. It ends with a chunk whenever anything can go for it:
//
//   lists   an item of the class without a holder, from the tails on, however far away
//   chunks  one that no list of the class names: part of a large item, or between two lists
//   page    a page of another class, which keeps the items that it can miss least
//
// The calling thread holds no shard and waits for shards, in the order of the ranks. It locks a
// list for WALK_ITEMS items at a time, and moves those that are held to its head: no thread walks
// over them again. It reads chunks of pages without a lock; see rescue.ts.

import { CHECKS } from "../../base/assert.ts";
import { LockRank } from "../../memory/lock.ts";
import { UNIT_BYTES } from "../../memory/arena.ts";
import { Snapshot } from "../../stats/counters.ts";
import { Counter } from "../../stats/names.ts";
import {
  chunkClass,
  chunkHead,
  chunkNext,
  firstChunk,
  isChunked,
  setFirstChunk,
} from "../item/chunk.ts";
import {
  ItemFlag,
  itemFlags,
  itemPrev,
  type ItemRef,
  itemTime,
  NO_ITEM,
  segmentOf,
  setItemFlags,
} from "../item/item.ts";
import { addRefcount, dropOnlyHolder, loadRefcount } from "../item/refcount.ts";
import { classOf, type LruId, lruIdOf, LruSegment } from "../lru/lists.ts";
import { countGoneLocked } from "./tail.ts";
import { NOT_LINKED } from "../outcome.ts";
import { chunkBefore, rescue } from "./rescue.ts";
import { classStates, sourceFor } from "./page_source.ts";
import { PAGE_BYTES, type SlabClass } from "../slab/classes.ts";
import { NO_PAGE } from "../slab/pages.ts";
import { SlabWord } from "../slab/record.ts";
import { lockLinked, ownClassOf, releaseItem, unlinkLocked, unlockShard } from "../link.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

/** Items of a list that are looked at under one hold of its lock. */
const WALK_ITEMS = 100;
/** Most chunks of pages that one command looks at: some milliseconds. */
const CHUNKS_MAX = 2 ** 16;
/** What it costs to look at a chunk, in chunks that are emptied. */
const LOOK_COST = 1 / 16;
/** Chunks of a page up to which its items are rescued. */
const RESCUES_MAX = 512;
/** Times that a thread tries to end another one's move before it gives that up. */
const JOINS_MAX = 50;
/** Times that all of it is tried: what one thread has made free, another may have taken. */
const ROUNDS_MAX = 32;
/** Where an item may go from, the least wanted first. */
const ORDER = [LruSegment.COLD, LruSegment.WARM, LruSegment.HOT, LruSegment.TEMP] as const;

/** Chunks that a command may still look at. */
interface Budget {
  chunks: number;
  /** Another thread was met that makes room, too, and may have taken it. */
  isContended: boolean;
}

/**
 * Takes a chunk of `clsid` from whatever may go for it. Caller holds no lock but the world's.
 *
 * @returns The chunk, or {@linkcode NO_ITEM}: clients hold all there is, or evictions are off.
 * Takes: bucket, LRU, slab, page.
 */
export function reclaimChunk(store: Store, clsid: SlabClass): ItemRef {
  if (!store.shape.evictions) return NO_ITEM;
  const budget: Budget = { chunks: CHUNKS_MAX, isContended: false };
  for (let round = 0; round < ROUNDS_MAX; round++) {
    budget.isContended = false;
    store.slabs.takeBackSpares(clsid); // Other threads' chunks are as good as any.
    const spare = store.slabs.take(clsid);
    if (spare !== NO_ITEM) return spare;
    const chunk = reclaimFromLists(store, clsid);
    if (chunk !== NO_ITEM) return chunk;
    const isMade = reclaimFromPages(store, clsid, budget) || takePage(store, clsid, budget);
    const taken = store.slabs.take(clsid);
    if (taken !== NO_ITEM) return taken;
    if (budget.chunks <= 0) break;
    // Twice, as an item may just have been on its way.
    if (!isMade && !budget.isContended && round > 0) break;
  }
  return NO_ITEM;
}

function reclaimFromLists(store: Store, clsid: SlabClass): ItemRef {
  for (const segment of ORDER) {
    const list = lruIdOf(clsid, segment);
    for (let left = store.lru.count(list); left > 0; left -= WALK_ITEMS) {
      const it = findUnheld(store, list);
      const chunk = it === NO_ITEM ? NO_ITEM : reclaimItem(store, clsid, it);
      if (chunk !== NO_ITEM) return chunk;
    }
  }
  return NO_ITEM;
}

/**
 * The item next to the tail of `list` without a holder now; {@linkcode NO_ITEM} when there is none
 * among the last {@linkcode WALK_ITEMS}, which are at the head then. Takes: LRU.
 */
function findUnheld(store: Store, list: LruId): ItemRef {
  const { items, locks, lru } = store;

  locks.lock(lru.lockOf(list), LockRank.LRU);
  let it = lru.tailLocked(list);
  let last = it;
  for (let walked = 0; it !== NO_ITEM && loadRefcount(items, it) > 1; walked++) {
    last = it;
    it = walked < WALK_ITEMS ? itemPrev(items, it) : NO_ITEM;
  }
  if (it === NO_ITEM && last !== NO_ITEM) lru.turnLocked(list, last);
  locks.unlock(lru.lockOf(list), LockRank.LRU);

  return it;
}

/**
 * Removes `it`, if it is still on a list of `clsid` and has no holder.
 *
 * @returns A chunk of `clsid` that it had, so that no other thread can take it; else
 * {@linkcode NO_ITEM}. Takes: bucket, LRU, slab.
 */
function reclaimItem(store: Store, clsid: SlabClass, it: ItemRef): ItemRef {
  const { items } = store;
  const hv = lockLinked(store, it);
  if (hv === NOT_LINKED) return NO_ITEM;
  let chunk: ItemRef = NO_ITEM;
  if (classOf(items, it) === clsid && loadRefcount(items, it) === 1) {
    addRefcount(items, it, 1); // Ours, and in a moment the only one.
    removeLocked(store, hv, it);
    chunk = dissolve(store, clsid, it);
  }
  unlockShard(store, hv);
  return chunk;
}

/** Unlinks `it` and counts it. Caller holds its shard. Takes: LRU, slab. */
function removeLocked(store: Store, hv: number, it: ItemRef): void {
  if (CHECKS) assertShardHeld(store, hv);
  const { items, locks, lru, counters } = store;
  const clsid = classOf(items, it);
  if (countGoneLocked(store, clsid, it)) {
    counters.add(Counter.DIRECT_EVICTIONS, 1);
    const cold = lruIdOf(clsid, LruSegment.COLD);
    const age = Math.max(0, store.clock.now - itemTime(items, it));

    locks.lock(lru.lockOf(cold), LockRank.LRU);
    lru.noteEvictedLocked(cold, age);
    locks.unlock(lru.lockOf(cold), LockRank.LRU);
  }
  unlinkLocked(store, hv, it);
}

/** Ends the only hold on `it`, which is not linked, and keeps a chunk of `clsid` if it has one. */
function dissolve(store: Store, clsid: SlabClass, it: ItemRef): ItemRef {
  const { items } = store;
  let kept: ItemRef = it;
  if (isChunked(items, it)) {
    const first = firstChunk(items, it);
    kept = first !== NO_ITEM && chunkClass(items, first) === clsid ? first : NO_ITEM;
    if (kept !== NO_ITEM) setFirstChunk(items, it, chunkNext(items, first));
    releaseItem(store, it);
  } else dropOnlyHolder(items, it);
  if (kept !== NO_ITEM) setItemFlags(items, kept, 0);
  return kept;
}

/** Removes one item that has a chunk in a page of `clsid`. Takes: bucket, LRU, slab. */
function reclaimFromPages(store: Store, clsid: SlabClass, budget: Budget): boolean {
  const { slabs, classes } = store;
  for (const page of pagesOf(store, clsid)) {
    for (let index = 0; index < classes.perPage[clsid]!; index++) {
      if (budget.chunks-- <= 0) return false;
      const chunk = chunkAt(store, clsid, page, index);
      if (!slabs.leaving.isSlabbed(chunk) && removeAt(store, clsid, chunk)) return true;
    }
  }
  return false;
}

function chunkAt(store: Store, clsid: SlabClass, page: number, index: number): ItemRef {
  const bytes = page * PAGE_BYTES + index * store.classes.chunkBytes[clsid]!;
  return bytes / UNIT_BYTES as ItemRef;
}

/** Where the next search for pages begins, so that it finds each in turn. */
let searchFrom = 0;

/** The pages of `clsid`, from another one on at each call. */
function* pagesOf({ slabs: { pages } }: Store, clsid: SlabClass): Generator<number> {
  const count = pages.used;
  const from = searchFrom++;
  for (let step = 0; step < count; step++) {
    const page = (from + step) % count + 1;
    if (pages.ownerOf(page) === clsid) yield page;
  }
}

/**
 * Removes the item that `chunk` of a page of `clsid` belongs to, if it has no holder.
 *
 * @returns Whether the chunk is free. Takes: bucket, LRU, slab.
 */
function removeAt(store: Store, clsid: SlabClass, chunk: ItemRef): boolean {
  const { items, slabs } = store;
  const isPart = (itemFlags(items, chunk) & ItemFlag.CHUNK) !== 0;
  const it = isPart ? chunkHead(items, chunk) : chunk;
  const hv = lockLinked(store, it);
  if (hv === NOT_LINKED) return slabs.leaving.isSlabbed(chunk); // Being received, or free by now.
  const isIts = isPart
    ? chunkBefore(items, it, chunk) !== NO_ITEM && chunkClass(items, chunk) === clsid
    : ownClassOf(store, it) === clsid;
  const goes = isIts && loadRefcount(items, it) === 1;
  if (goes) removeLocked(store, hv, it);
  unlockShard(store, hv);
  return goes || slabs.leaving.isSlabbed(chunk);
}

/**
 * Takes a page from another class for `clsid`. What is in it is rescued: in the place of its items
 * go those of their class that were read longest ago.
 *
 * @returns Whether there was one. Takes: bucket, LRU, slab, page.
 */
function takePage(store: Store, clsid: SlabClass, budget: Budget): boolean {
  const { slabs, counters, tunables } = store;
  if (!store.shape.slabReassign || tunables.get("slabAutomove") === 0) return false;
  let states = classStates(store, new Snapshot(store.control));
  for (;;) {
    const source = sourceFor(states, clsid);
    if (source === undefined) return false;
    const page = emptyPage(store, source as SlabClass, budget);
    if (page !== NO_PAGE) {
      slabs.arriving.add(page, clsid);
      counters.add(Counter.SLABS_MOVED, 1);
      counters.add(Counter.DIRECT_PAGE_MOVES, 1);
      return true;
    }
    states = states.filter((state) => state.clsid !== source);
  }
}

/**
 * Empties a page of `clsid`, which no class owns then; {@linkcode NO_PAGE} when none can be.
 *
 * Several threads may empty the page that is moving together. One of them gets it; each other one
 * continues with the next page.
 */
function emptyPage(store: Store, clsid: SlabClass, budget: Budget): number {
  const { slabs } = store;
  slabs.takeBackSpares(clsid);
  const empty = slabs.leaving.takeUnopened(clsid) || slabs.leaving.takeEmpty(clsid, 1);
  if (empty !== NO_PAGE) return empty;
  for (const page of pagesOf(store, clsid)) {
    const joined = joinMove(store, clsid, budget);
    if (joined !== NO_PAGE) return joined;
    if (budget.chunks <= 0) return NO_PAGE;
    if (!slabs.leaving.begin(page, clsid)) continue;
    if (endEmptying(store, clsid, page, budget)) return page;
    slabs.leaving.cancel(clsid, page);
  }
  return NO_PAGE;
}

/**
 * Empties the page that another thread moves away from `clsid`, as long as there is one. A move
 * that does not end, as a client holds something in the page, is given up.
 */
function joinMove(store: Store, clsid: SlabClass, budget: Budget): number {
  const { slabs } = store;
  for (let tries = 0; budget.chunks > 0; tries++) {
    const moving = slabs.word(clsid, SlabWord.MOVING);
    if (moving === NO_PAGE) return NO_PAGE;
    budget.isContended = true;
    if (endEmptying(store, clsid, moving, budget)) return moving;
    if (tries >= JOINS_MAX) slabs.leaving.cancel(clsid, moving);
  }
  return NO_PAGE;
}

/** Empties a page that is moving away from `clsid`, unless something in it is held. */
function endEmptying(store: Store, clsid: SlabClass, page: number, budget: Budget): boolean {
  const { slabs, classes: { perPage } } = store;
  const count = perPage[clsid]!;
  for (let index = 0; index < count; index++) {
    budget.chunks -= LOOK_COST;
    if (!mayGo(store, chunkAt(store, clsid, page, index))) return false;
  }
  for (let index = 0; index < count; index++) {
    const chunk = chunkAt(store, clsid, page, index);
    if (slabs.leaving.isSlabbed(chunk)) continue;
    budget.chunks--;
    // What was read longest ago goes, wherever it is: where that is not thousands of copies.
    if (count <= RESCUES_MAX) rescue(store, clsid, chunk, false);
    if (!slabs.leaving.isSlabbed(chunk)) removeAt(store, clsid, chunk);
  }
  slabs.takeBackSpares(clsid);
  return slabs.leaving.end(clsid, page);
}

/** Whether `chunk` is free, or of an item without a holder: a guess, made without a lock. */
function mayGo({ items, slabs }: Store, chunk: ItemRef): boolean {
  if (slabs.leaving.isSlabbed(chunk)) return true;
  const isPart = (itemFlags(items, chunk) & ItemFlag.CHUNK) !== 0;
  const it = isPart ? chunkHead(items, chunk) : chunk;
  if (items.blocks[segmentOf(it)] === undefined) return false;
  return (itemFlags(items, it) & ItemFlag.LINKED) !== 0 && loadRefcount(items, it) === 1;
}
