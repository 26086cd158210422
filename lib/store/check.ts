// Walks everything in the store and checks every global rule. For tests, with no thread at work.
//
// Each rule is stated once, as the text of the problem it reports.

import {
  itemBytes,
  itemChain,
  ItemFlag,
  itemFlags,
  itemKeyAt,
  itemNext,
  itemNkey,
  itemPosition,
  itemPrev,
  type ItemRef,
  loadRefcount,
  NO_ITEM,
} from "./item.ts";
import { bucketIndex } from "./assoc.ts";
import { classOf, type LruId, LRUS_MAX } from "./lru.ts";
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
 * Checks the whole store. No other thread may be at work or keep spare chunks, and no client may
 * hold an item.
 *
 * @param held Items that are allocated but not linked, such as a value being received.
 */
export function checkStore(store: Store, held = 0): CheckResult {
  store.slabs.dropSpares();
  const walk = new Walk(store);
  walk.table();
  walk.lists();
  walk.slabs(held);
  walk.gauges();
  return { problems: walk.problems, items: walk.linked.size };
}

class Walk {
  readonly problems: string[] = [];
  readonly linked = new Set<ItemRef>();
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
    this.#rule(bytes <= classes.chunkBytes[classOf(items, it)]!, `item ${it} exceeds its chunk`);
    this.#bytes += bytes;
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
      let before: ItemRef = NO_ITEM;
      for (let it = lru.headLocked(list); it !== NO_ITEM; it = itemNext(items, it)) {
        count++;
        this.#rule(itemPrev(items, it) === before, `item ${it} has another LRU neighbour`);
        this.#rule(this.linked.has(it), `item ${it} is on an LRU list and not in the table`);
        this.#rule(classOf(items, it) === (id & 63), `item ${it} is on the list of another class`);
        if (seen.has(it)) return this.#rule(false, `item ${it} is on LRU lists twice`);
        seen.add(it);
        before = it;
      }
      this.#rule(lru.tailLocked(list) === before, `LRU list ${id} ends elsewhere`);
      this.#rule(lru.count(list) === count, `LRU list ${id} counts other items than it has`);
    }
    this.#rule(seen.size === this.linked.size, `${this.linked.size - seen.size} items on no list`);
  }

  /** Free, used and never used chunks of a class are the chunks of its pages. */
  slabs(held: number): void {
    const { slabs, classes } = this.#store;
    const used = new Array<number>(64).fill(0);
    for (const it of this.linked) {
      const clsid = classOf(this.#store.items, it);
      used[clsid]! += 1;
      this.#place(it, clsid);
    }
    const pages = new Array<number>(64).fill(0);
    for (let page = 1; page <= slabs.pagesUsed; page++) pages[slabs.ownerOf(page)]! += 1;
    let unlinked = 0;
    for (let id = 1; id <= classes.last; id++) {
      const clsid = id as SlabClass;
      const owned = slabs.word(clsid, SlabWord.PAGES);
      this.#rule(owned === pages[id], `class ${id} counts ${owned} pages and owns ${pages[id]}`);
      const free = this.#freeChunks(clsid);
      const uncarved = slabs.word(clsid, SlabWord.CARVE_LEFT);
      unlinked += owned * classes.perPage[id]! - used[id]! - free - uncarved;
    }
    this.#rule(unlinked === held, `${unlinked} chunks are neither free nor linked, ${held} held`);
  }

  /** An item starts at a chunk of a page that its class owns. */
  #place(it: ItemRef, clsid: SlabClass): void {
    const { slabs, classes } = this.#store;
    const position = itemPosition(it);
    const page = Math.floor(position / PAGE_BYTES);
    this.#rule(slabs.ownerOf(page) === clsid, `item ${it} is in a page of another class`);
    const within = position % PAGE_BYTES;
    this.#rule(within % classes.chunkBytes[clsid]! === 0, `item ${it} is not at a chunk's start`);
  }

  #freeChunks(clsid: SlabClass): number {
    const { slabs, items } = this.#store;
    const count = slabs.word(clsid, SlabWord.FREE_COUNT);
    let chunk = slabs.word(clsid, SlabWord.FREE_HEAD) as ItemRef;
    let walked = 0;
    while (chunk !== NO_ITEM && walked <= count) {
      this.#rule((itemFlags(items, chunk) & ItemFlag.SLABBED) !== 0, `free chunk ${chunk} in use`);
      this.#rule(!this.linked.has(chunk), `item ${chunk} is on the free list`);
      this.#place(chunk, clsid);
      chunk = itemNext(items, chunk);
      walked++;
    }
    this.#rule(walked === count, `class ${clsid} has ${walked} free chunks and counts ${count}`);
    return walked;
  }

  /** `curr_items` and `bytes` are those of the items in the table. */
  gauges(): void {
    const totals = new Snapshot(this.#store.control);
    const items = totals.ofClasses("number");
    const bytes = totals.ofClasses("mem_requested");
    this.#rule(items === this.linked.size, `curr_items ${items}, in the table ${this.linked.size}`);
    this.#rule(bytes === this.#bytes, `bytes ${bytes}, in the table ${this.#bytes}`);
  }
}
