// Making an item: a chunk for it, its header and key. Its value comes later.
//
// A command that holds a shard can only try other shards (tail.ts). Where that gives no chunk, it
// releases its shard, makes room without one, and looks its item up again: see makeRoomUnlocked.

import { CHECKS } from "../../base/assert.ts";
import type { Block } from "../../base/block.ts";
import { copyBytes } from "../../base/copy.ts";
import { LockRank } from "../../memory/lock.ts";
import { ClassCounter } from "../../stats/names.ts";
import { FIRST_CHUNK_BYTES, setFirstChunk } from "../item/chunk.ts";
import {
  initItem,
  itemBytesFor,
  ItemFlag,
  itemKeyAt,
  type ItemRef,
  NO_ITEM,
  segmentOf,
} from "../item/item.ts";
import { lruIdOf, LruSegment } from "../lru/lists.ts";
import { makeRoom, reclaimTail } from "./tail.ts";
import { needPage } from "../control/requests.ts";
import { NO_CLASS, PAGE_BYTES, type SlabClass } from "../slab/classes.ts";
import { SlabWord } from "../slab/record.ts";
import { isRefused, Refusal } from "../outcome.ts";
import { reclaimChunk } from "./room.ts";
import { lockShard, releaseItem, retainLocked, unlockShard } from "../link.ts";
import { assertShardHeld } from "../shard_held.ts";
import type { Store } from "../store.ts";

/** Times an allocation makes room before it gives up. Source: memcached items.c, do_item_alloc. */
const ROOM_TRIES_MAX = 10;
/** Times that a command looks its item up again: another thread may have taken the room. */
const LOOKS_MAX = 10;

/**
 * Makes an item that only the caller knows: key, flags and expiry filled in, the value not. A value
 * too large for one chunk has no chunk yet: see value_chunks.ts.
 *
 * @param nbytes Length of the value with its CRLF, in bytes.
 * @param exptime Seconds since start; 0 never.
 * @returns The item with one holder, the caller; or why there is none. A command that holds its
 * shard may call {@linkcode makeRoomUnlocked} then. Takes: slab, page; LRU and buckets where room
 * must be made.
 * Source: memcached items.c, do_item_alloc.
 * @hot
 */
export function allocate(
  store: Store,
  block: Block,
  keyFrom: number,
  nkey: number,
  clientFlags: number,
  exptime: number,
  nbytes: number,
): ItemRef | Refusal {
  const { items, classes } = store;
  const bytes = itemBytesFor(items, nkey, clientFlags, nbytes);
  if (bytes > store.shape.itemSizeMax) return Refusal.TOO_LARGE;
  let clsid = classes.fit(bytes);
  let ownClsid = clsid;
  let chunked = 0;
  if (clsid === NO_CLASS) {
    if (nbytes > store.slabs.pages.limit * PAGE_BYTES) {
      // Nothing should go for what can never fit.
      store.counters.addClass(classes.last, ClassCounter.OUTOFMEMORY, 1);
      store.lack.set(NO_CLASS, 0, NO_CLASS);
      return Refusal.NO_MEMORY;
    }
    clsid = classes.last;
    ownClsid = classes.fit(bytes - nbytes + FIRST_CHUNK_BYTES);
    chunked = ItemFlag.CHUNKED;
  } else clsid = ownClsid = store.slabs.classFor(clsid);
  const it = takeChunk(store, ownClsid);
  if (isRefused(it)) return it;
  const lru = lruIdOf(clsid, segmentFor(store, exptime));
  initItem(items, it, lru, nkey, clientFlags, exptime, nbytes, chunked);
  if (chunked !== 0) setFirstChunk(items, it, NO_ITEM);
  copyBytes(block, keyFrom, items.blocks[segmentOf(it)]!, itemKeyAt(items, it), nkey);
  return it;
}

/** The segment in which an item with this expiry begins. */
function segmentFor({ tunables, clock }: Store, exptime: number): LruSegment {
  if (!tunables.isSegmented) return LruSegment.COLD;
  if (exptime > clock.now && exptime - clock.now <= tunables.temporaryTtl) return LruSegment.TEMP;
  return LruSegment.HOT;
}

/**
 * Takes a chunk of `clsid`, making room if need be.
 *
 * @returns The chunk, or {@linkcode Refusal.NO_MEMORY}.
 * Takes: slab, page; LRU and buckets where room must be made.
 * @hot
 */
export function takeChunk(store: Store, clsid: SlabClass): ItemRef | Refusal {
  if (!store.tunables.isSegmented) reclaimTail(store, clsid);
  const chunk = store.slabs.take(clsid);
  return chunk === NO_ITEM ? takeOrComplain(store, clsid) : chunk;
}

function takeOrComplain(store: Store, clsid: SlabClass): ItemRef | Refusal {
  let chunk = tryTakeChunk(store, clsid);
  if (chunk !== NO_ITEM) return chunk;
  if (holdsShard(store)) {
    store.lack.set(clsid, 1, NO_CLASS);
    return Refusal.NO_MEMORY;
  }
  chunk = reclaimChunk(store, clsid);
  if (chunk !== NO_ITEM) return chunk;
  complain(store, clsid);
  return Refusal.NO_MEMORY;
}

function complain(store: Store, clsid: SlabClass): void {
  store.counters.addClass(clsid, ClassCounter.OUTOFMEMORY, 1);
  needPage(store.control, clsid);
}

/** Whether this thread holds a shard, and may not wait for another one. */
export function holdsShard({ locks }: Store): boolean {
  return locks.heldCount(LockRank.BUCKET) > 0;
}

/**
 * Makes room for a command that found no memory under its shard's lock, which it releases
 * meanwhile: the command has to look its item up again.
 *
 * @param refusal How the allocation ended: {@linkcode Refusal.TOO_LARGE} makes no room.
 * @param it The item that the command works on, which stays; {@linkcode NO_ITEM} for none.
 * @param looks How often the command has looked already.
 * @returns Whether it should look again. Caller holds the shard of `hv`, before and after.
 * Takes: LRU, slab, page; waits for other shards.
 */
export function makeRoomUnlocked(
  store: Store,
  refusal: Refusal,
  hv: number,
  it: ItemRef,
  looks: number,
): boolean {
  if (CHECKS) assertShardHeld(store, hv);
  const { clsid, chunks, alternative } = store.lack;
  if (refusal !== Refusal.NO_MEMORY || clsid === NO_CLASS) return false;
  const isHopeless = looks >= LOOKS_MAX || !mayFit(store, clsid, chunks);
  if (isHopeless || (it !== NO_ITEM && !retainLocked(store, it))) {
    complain(store, clsid);
    return false;
  }
  unlockShard(store, hv);
  const isMade = keepChunks(store, clsid, chunks) ||
    (alternative !== NO_CLASS && keepChunks(store, alternative, 1));
  lockShard(store, hv);
  if (it !== NO_ITEM) releaseItem(store, it);
  if (!isMade) complain(store, clsid);
  return isMade;
}

/**
 * Whether a value of `count` chunks of `clsid` can be joined at all: nothing should go for one that
 * cannot. What it is joined of, the old value and the one that came, is there meanwhile.
 */
function mayFit({ slabs, classes }: Store, clsid: SlabClass, count: number): boolean {
  if (count === 1) return true;
  let pages = slabs.pages.limit;
  for (let id = 1; id <= classes.last; id++) {
    const isKept = id !== clsid && slabs.word(id as SlabClass, SlabWord.PAGES) > 0;
    if (isKept) pages--; // A class keeps one.
  }
  const most = Math.max(pages, slabs.word(clsid, SlabWord.PAGES)) * classes.perPage[clsid]!;
  return 2 * count <= most;
}

/** Makes `count` chunks of `clsid` free, for this thread first; false if there are not so many. */
function keepChunks(store: Store, clsid: SlabClass, count: number): boolean {
  const { slabs } = store;
  const chunks: ItemRef[] = [];
  while (chunks.length < count) {
    let chunk = slabs.take(clsid);
    if (chunk === NO_ITEM) chunk = reclaimChunk(store, clsid);
    if (chunk === NO_ITEM) break;
    chunks.push(chunk);
  }
  const isMade = chunks.length === count;
  for (const chunk of chunks) slabs.keep(chunk, clsid);
  return isMade;
}

/**
 * Takes a chunk of `clsid`, making room in {@linkcode ROOM_TRIES_MAX} tries if need be.
 *
 * @returns The chunk, or {@linkcode NO_ITEM}. Takes: slab, page; LRU; tries buckets.
 */
export function tryTakeChunk(store: Store, clsid: SlabClass): ItemRef {
  let chunk = store.slabs.take(clsid);
  if (chunk !== NO_ITEM) return chunk;
  store.counters.addClass(clsid, ClassCounter.DIRECT_RECLAIMS, 1);
  for (let tries = 0; tries < ROOM_TRIES_MAX && makeRoom(store, clsid); tries++) {
    chunk = store.slabs.take(clsid);
    if (chunk !== NO_ITEM) return chunk;
  }
  return NO_ITEM;
}
