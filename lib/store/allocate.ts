// Making an item: a chunk for it, its header and key. Its value comes later.

import type { Block } from "../base/block.ts";
import { copyBytes } from "../base/copy.ts";
import { ClassCounter } from "../stats/names.ts";
import { FIRST_CHUNK_BYTES, setFirstChunk } from "./chunk.ts";
import {
  initItem,
  itemBytesFor,
  ItemFlag,
  itemKeyAt,
  type ItemRef,
  NO_ITEM,
  segmentOf,
} from "./item.ts";
import { lruIdOf, LruSegment } from "./lru.ts";
import { makeRoom, reclaimTail } from "./lru_tail.ts";
import { needPage } from "./maintenance.ts";
import { NO_CLASS, type SlabClass } from "./slab_class.ts";
import { Miss } from "./miss.ts";
import type { Store } from "./store.ts";

/** Times an allocation makes room before it gives up. Source: memcached items.c, do_item_alloc. */
const ROOM_TRIES_MAX = 10;

/**
 * Makes an item that only the caller knows: key, flags and expiry filled in, the value not. A value
 * too large for one chunk has no chunk yet: see value.ts.
 *
 * @param nbytes Length of the value with its CRLF, in bytes.
 * @param exptime Seconds since start; 0 never.
 * @returns The item with one holder, the caller, or {@linkcode NO_ITEM} with the reason in
 * `store.miss`. Takes: slab, page; LRU and buckets where room must be made.
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
): ItemRef {
  const { items, classes } = store;
  const bytes = itemBytesFor(items, nkey, clientFlags, nbytes);
  if (bytes > store.shape.itemSizeMax) {
    store.miss = Miss.TOO_LARGE;
    return NO_ITEM;
  }
  let clsid = classes.fit(bytes);
  let ownClsid = clsid;
  let chunked = 0;
  if (clsid === NO_CLASS) {
    clsid = classes.last;
    ownClsid = classes.fit(bytes - nbytes + FIRST_CHUNK_BYTES);
    chunked = ItemFlag.CHUNKED;
  } else clsid = ownClsid = store.slabs.classFor(clsid);
  const it = takeChunk(store, ownClsid);
  if (it === NO_ITEM) return NO_ITEM;
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
 * @returns The chunk, or {@linkcode NO_ITEM} with the reason in `store.miss`.
 * Takes: slab, page; LRU and buckets where room must be made.
 * @hot
 */
export function takeChunk(store: Store, clsid: SlabClass): ItemRef {
  if (!store.tunables.isSegmented) reclaimTail(store, clsid);
  const chunk = store.slabs.take(clsid);
  return chunk === NO_ITEM ? takeOrComplain(store, clsid) : chunk;
}

function takeOrComplain(store: Store, clsid: SlabClass): ItemRef {
  const chunk = tryTakeChunk(store, clsid);
  if (chunk !== NO_ITEM) return chunk;
  store.counters.addClass(clsid, ClassCounter.OUTOFMEMORY, 1);
  needPage(store.control, clsid);
  store.miss = Miss.NO_MEMORY;
  return NO_ITEM;
}

/** Takes a chunk as {@linkcode takeChunk} does, and says nothing when there is none. */
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
