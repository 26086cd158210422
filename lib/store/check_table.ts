// The rules of the hash table, and of the items in it.

import {
  CHUNK,
  chunkClass,
  chunkHead,
  chunkNext,
  chunkUsed,
  firstChunk,
  isChunked,
} from "./item/chunk.ts";
import {
  blockOf,
  itemBytes,
  itemChain,
  ItemFlag,
  itemFlags,
  itemHasKey,
  itemKeyAt,
  itemNbytes,
  itemNkey,
  type ItemRef,
  NO_ITEM,
} from "./item/item.ts";
import { loadRefcount } from "./item/refcount.ts";
import { bucketIndex } from "./table/assoc.ts";
import { classOf } from "./lru/lists.ts";
import { SIZE_STEP_BYTES } from "./counts/size_counts.ts";
import type { SlabClass } from "./slab/classes.ts";
import { ownClassOf } from "./link.ts";
import { ANY, type CheckFindings } from "./check_findings.ts";

/** The size that `stats sizes` counts an item of `bytes` bytes under. */
function stepOf(bytes: number): number {
  return Math.ceil(bytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES;
}

/** Every chained item is linked, is there once, and is in the bucket that its hash names. */
export function checkTable(found: CheckFindings): void {
  const { assoc } = found.store;
  for (let shard = 0; shard < assoc.shards; shard++) {
    const buckets = assoc.bucketsOf(shard);
    let count = 0;
    for (let index = 0; index < buckets; index++) {
      const chained = checkChain(found, shard, index, buckets);
      if (chained < 0) return;
      count += chained;
    }
    if (assoc.itemsOf(shard) !== count) {
      found.broken(`shard ${shard} counts other items than it has`);
    }
  }
}

/** Returns the items of one bucket; -1 when they cannot be counted. */
function checkChain(found: CheckFindings, shard: number, index: number, buckets: number): number {
  const { assoc, items } = found.store;
  const head = assoc.headOf(shard, index);
  let count = 0;
  for (let it = head; it !== NO_ITEM; it = itemChain(items, it)) {
    if (!found.linked.add(it)) {
      found.broken(`item ${it} is chained twice`);
      return -1;
    }
    count++;
    const hv = assoc.hashOf(it);
    if (assoc.shardOf(hv) !== shard) found.broken(`item ${it} is in shard ${shard} by mistake`);
    if (bucketIndex(hv, buckets) !== index) found.broken(`item ${it} is in another bucket`);
    checkItem(found, it);
    // The key itself may be personal data, and this goes into a log.
    if (hasTwin(found, head, it)) found.broken(`the key of item ${it} is in the table twice`);
  }
  return count;
}

/** Whether an item between `head` and `it` has the key of `it`: its twin is in the same chain. */
function hasTwin(found: CheckFindings, head: ItemRef, it: ItemRef): boolean {
  const { items } = found.store;
  if (head === it) return false;
  const block = blockOf(found.store.items, it);
  const from = itemKeyAt(items, it);
  const nkey = itemNkey(items, it);
  for (let other = head; other !== it; other = itemChain(items, other)) {
    if (itemHasKey(items, other, block, from, nkey)) return true;
  }
  return false;
}

function checkItem(found: CheckFindings, it: ItemRef): void {
  const { items, classes } = found.store;
  const flags = itemFlags(items, it);
  if ((flags & ItemFlag.LINKED) === 0) found.broken(`item ${it} is in the table and not linked`);
  if ((flags & ItemFlag.SLABBED) !== 0) found.broken(`item ${it} is in the table and free`);
  const holders = loadRefcount(items, it);
  if (holders < 1 || (holders > 1 && found.held !== ANY)) {
    found.broken(`item ${it} has ${holders} holders`);
  }
  const bytes = itemBytes(items, it);
  if (isChunked(items, it)) checkChunks(found, it);
  else if (bytes > classes.chunkBytes[classOf(items, it)]!) {
    found.broken(`item ${it} exceeds its chunk`);
  }
  found.use(it, ownClassOf(found.store, it));
  found.bytes += bytes;
  if (!found.store.sizes.areTracked) return;
  found.sizes.set(stepOf(bytes), (found.sizes.get(stepOf(bytes)) ?? 0) + 1);
}

/** The chunks of a large item lead to it, and hold its value. */
function checkChunks(found: CheckFindings, it: ItemRef): void {
  const { items, classes } = found.store;
  if (classOf(items, it) !== classes.last) {
    found.broken(`chunked item ${it} is on the list of another class`);
  }
  let left = itemNbytes(items, it);
  let chunk = firstChunk(items, it);
  for (; chunk !== NO_ITEM && left > 0; chunk = chunkNext(items, chunk)) {
    const used = chunkUsed(items, chunk);
    const clsid = chunkClass(items, chunk);
    if (!found.parts.add(chunk)) return found.broken(`chunk ${chunk} is in two values`);
    if (chunkHead(items, chunk) !== it) {
      found.broken(`chunk ${chunk} leads to another item than ${it}`);
    }
    if (itemFlags(items, chunk) !== ItemFlag.CHUNK) {
      found.broken(`chunk ${chunk} looks like an item`);
    }
    if (CHUNK.bytes + used > classes.chunkBytes[clsid]!) {
      found.broken(`chunk ${chunk} is overfull`);
    }
    found.use(chunk, clsid as SlabClass);
    left -= used;
  }
  if (chunk !== NO_ITEM || left !== 0) found.broken(`item ${it} has chunks for another length`);
}
