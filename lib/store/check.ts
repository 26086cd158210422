// Walks everything in the store and checks every global rule. For tests, with no thread at work.
//
// Each rule is stated once, as the text of the problem it reports.

import {
  CHUNK,
  chunkClass,
  chunkHead,
  chunkNext,
  chunkUsed,
  firstChunk,
  isChunked,
} from "./chunk.ts";
import {
  itemBytes,
  itemChain,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemLruId,
  itemNbytes,
  itemNext,
  itemNkey,
  itemPosition,
  itemPrev,
  type ItemRef,
  loadRefcount,
  NO_ITEM,
} from "./item.ts";
import { bucketIndex } from "./assoc.ts";
import { classOf, itemUnits, type LruId, LRUS_MAX } from "./lru.ts";
import { SIZE_STEP_BYTES } from "./size_counts.ts";
import { PAGE_BYTES, type SlabClass } from "./slab_class.ts";
import { SlabWord } from "./slab.ts";
import type { Store } from "./store.ts";
import { latin1 } from "../base/ascii.ts";
import { Snapshot } from "../stats/counters.ts";

/** What a walk found. */
export interface CheckResult {
  /** One line for each broken rule; empty when all hold. */
  readonly problems: readonly string[];
  /** Items in the table. */
  readonly items: number;
}

/**
 * Checks the whole store. No other thread may be at work, and no client may hold an item.
 *
 * @param held Chunks that are taken but not part of a linked item, such as a value being received.
 */
export function checkStore(store: Store, held = 0): CheckResult {
  for (let id = 1; id <= store.classes.last; id++) store.slabs.takeBackSpares(id as SlabClass);
  const walk = new Walk(store);
  walk.table();
  walk.lists();
  walk.slabs(held);
  walk.gauges();
  return { problems: walk.problems, items: walk.linked.size };
}

/** The size that `stats sizes` counts an item of `bytes` bytes under. */
function stepOf(bytes: number): number {
  return Math.ceil(bytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES;
}

class Walk {
  readonly problems: string[] = [];
  readonly linked = new Set<ItemRef>();
  /** Items by the size they count for. */
  readonly sizes = new Map<number, number>();
  /** Chunks of large items, with their class. */
  readonly #parts = new Map<ItemRef, SlabClass>();
  readonly #store: Store;
  #bytes = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  #rule(ok: boolean, problem: string): void {
    if (!ok) this.problems.push(problem);
  }

  /** Every chained item is linked, is there once, and is in the bucket that its hash names. */
  table(): void {
    const { assoc, items } = this.#store;
    const keys = new Set<string>();
    for (let shard = 0; shard < assoc.shards; shard++) {
      const buckets = assoc.bucketsOf(shard);
      let count = 0;
      for (let index = 0; index < buckets; index++) {
        for (let it = assoc.headOf(shard, index); it !== NO_ITEM; it = itemChain(items, it)) {
          count++;
          const hv = assoc.hashOf(it);
          this.#rule(assoc.shardOf(hv) === shard, `item ${it} is in shard ${shard} by mistake`);
          this.#rule(bucketIndex(hv, buckets) === index, `item ${it} is in another bucket`);
          this.#item(it);
          const key = this.#keyOf(it);
          this.#rule(!keys.has(key), `key ${key} is in the table twice`);
          keys.add(key);
          if (this.linked.has(it)) return this.#rule(false, `item ${it} is chained twice`);
          this.linked.add(it);
        }
      }
      this.#rule(assoc.itemsOf(shard) === count, `shard ${shard} counts other items than it has`);
    }
  }

  #item(it: ItemRef): void {
    const { items, classes } = this.#store;
    const flags = itemFlags(items, it);
    this.#rule((flags & ItemFlag.LINKED) !== 0, `item ${it} is in the table and not linked`);
    this.#rule((flags & ItemFlag.SLABBED) === 0, `item ${it} is in the table and free`);
    this.#rule(loadRefcount(items, it) === 1, `item ${it} has ${loadRefcount(items, it)} holders`);
    const bytes = itemBytes(items, it);
    if (isChunked(items, it)) this.#chunks(it);
    else {
      this.#rule(bytes <= classes.chunkBytes[classOf(items, it)]!, `item ${it} exceeds its chunk`);
    }
    this.#bytes += bytes;
    this.sizes.set(stepOf(bytes), (this.sizes.get(stepOf(bytes)) ?? 0) + 1);
  }

  /** The chunks of a large item lead to it, and hold its value. */
  #chunks(it: ItemRef): void {
    const { items, classes } = this.#store;
    const last = classes.last as number;
    this.#rule(classOf(items, it) === last, `chunked item ${it} is on the list of another class`);
    let left = itemNbytes(items, it);
    let chunk = firstChunk(items, it);
    for (; chunk !== NO_ITEM && left > 0; chunk = chunkNext(items, chunk)) {
      const used = chunkUsed(items, chunk);
      const clsid = chunkClass(items, chunk);
      this.#rule(chunkHead(items, chunk) === it, `chunk ${chunk} leads to another item than ${it}`);
      this.#rule(itemFlags(items, chunk) === ItemFlag.CHUNK, `chunk ${chunk} looks like an item`);
      this.#rule(CHUNK.bytes + used <= classes.chunkBytes[clsid]!, `chunk ${chunk} is overfull`);
      if (this.#parts.has(chunk)) return this.#rule(false, `chunk ${chunk} is in two values`);
      this.#parts.set(chunk, clsid as SlabClass);
      left -= used;
    }
    this.#rule(chunk === NO_ITEM && left === 0, `item ${it} has chunks for another length`);
  }

  #keyOf(it: ItemRef): string {
    const at = itemKeyAt(this.#store.items, it);
    return latin1(this.#store.blockOf(it).bytes, at, at + itemNkey(this.#store.items, it));
  }

  /** The LRU lists hold exactly the items of the table, and read the same from both ends. */
  lists(): void {
    const { lru, items } = this.#store;
    const seen = new Set<ItemRef>();
    for (let id = 0; id < LRUS_MAX; id++) {
      const list = id as LruId;
      let count = 0;
      let units = 0;
      let before: ItemRef = NO_ITEM;
      for (let it = lru.headLocked(list); it !== NO_ITEM; it = itemNext(items, it)) {
        count++;
        this.#rule(itemPrev(items, it) === before, `item ${it} has another LRU neighbour`);
        this.#rule(this.linked.has(it), `item ${it} is on an LRU list and not in the table`);
        units += itemUnits(items, it);
        this.#rule(itemLruId(items, it) === id, `item ${it} is on another list than it names`);
        if (seen.has(it)) return this.#rule(false, `item ${it} is on LRU lists twice`);
        seen.add(it);
        before = it;
      }
      this.#rule(lru.tailLocked(list) === before, `LRU list ${id} ends elsewhere`);
      this.#rule(lru.count(list) === count, `LRU list ${id} counts other items than it has`);
      this.#rule(lru.units(list) === units, `LRU list ${id} counts other sizes than it has`);
    }
    this.#rule(seen.size === this.linked.size, `${this.linked.size - seen.size} items on no list`);
  }

  /** Free, used and never used chunks of a class are the chunks of its pages. */
  slabs(held: number): void {
    const { slabs, classes } = this.#store;
    const used = new Array<number>(64).fill(0);
    const use = (chunk: ItemRef, clsid: SlabClass): void => {
      used[clsid]! += 1;
      this.#place(chunk, clsid);
    };
    for (const it of this.linked) use(it, this.#store.ownClassOf(it));
    for (const [chunk, clsid] of this.#parts) use(chunk, clsid);
    const pages = new Array<number>(64).fill(0);
    for (let page = 1; page <= slabs.pages.used; page++) pages[slabs.pages.ownerOf(page)]! += 1;
    this.#pages(pages[0]!);
    let unlinked = 0;
    for (let id = 1; id <= classes.last; id++) {
      const clsid = id as SlabClass;
      const owned = slabs.word(clsid, SlabWord.PAGES);
      this.#rule(owned === pages[id], `class ${id} counts ${owned} pages and owns ${pages[id]}`);
      const onList = this.#freeChunks(clsid);
      const counted = slabs.word(clsid, SlabWord.FREE_COUNT);
      this.#rule(onList === counted, `class ${id} has ${onList} free chunks and counts ${counted}`);
      unlinked += owned * classes.perPage[id]! - used[id]! - slabs.freeChunks(clsid);
    }
    this.#rule(unlinked === held, `${unlinked} chunks are neither free nor linked, ${held} held`);
  }

  /** Pages that no class owns are in the pool or were given back. */
  #pages(unowned: number): void {
    const { slabs: { pages } } = this.#store;
    const spare = pages.pooled + pages.used - pages.inUse;
    this.#rule(unowned === spare, `${unowned} pages without a class, ${spare} spare`);
  }

  /** An item starts at a chunk of a page that its class owns. */
  #place(it: ItemRef, clsid: SlabClass): void {
    const { slabs, classes } = this.#store;
    const position = itemPosition(it);
    const page = Math.floor(position / PAGE_BYTES);
    this.#rule(slabs.pages.ownerOf(page) === clsid, `item ${it} is in a page of another class`);
    const within = position % PAGE_BYTES;
    this.#rule(within % classes.chunkBytes[clsid]! === 0, `item ${it} is not at a chunk's start`);
  }

  #freeChunks(clsid: SlabClass): number {
    const { slabs, items } = this.#store;
    const count = slabs.word(clsid, SlabWord.FREE_COUNT);
    let chunk = slabs.word(clsid, SlabWord.FREE_HEAD) as ItemRef;
    let before: ItemRef = NO_ITEM;
    let walked = 0;
    while (chunk !== NO_ITEM && walked <= count) {
      this.#rule((itemFlags(items, chunk) & ItemFlag.SLABBED) !== 0, `free chunk ${chunk} in use`);
      this.#rule(!this.linked.has(chunk), `item ${chunk} is on the free list`);
      this.#rule(!this.#parts.has(chunk), `chunk ${chunk} of a value is on the free list`);
      this.#rule(itemPrev(items, chunk) === before, `free chunk ${chunk} has another neighbour`);
      before = chunk;
      this.#place(chunk, clsid);
      chunk = itemNext(items, chunk);
      walked++;
    }
    return walked;
  }

  /** `curr_items` and `bytes` are those of the items in the table. */
  gauges(): void {
    const totals = new Snapshot(this.#store.control);
    const items = totals.ofClasses("number");
    const bytes = totals.ofClasses("mem_requested");
    this.#rule(items === this.linked.size, `curr_items ${items}, in the table ${this.linked.size}`);
    this.#rule(bytes === this.#bytes, `bytes ${bytes}, in the table ${this.#bytes}`);
    if (!this.#store.sizes.areTracked) return;
    const counted = JSON.stringify([...this.#store.sizes.entries()]);
    const seen = JSON.stringify([...this.sizes].sort((a, b) => a[0] - b[0]));
    this.#rule(counted === seen, `sizes ${counted}, in the table ${seen}`);
  }
}
