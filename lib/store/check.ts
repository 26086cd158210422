// Walks everything in the store and checks every global rule. No other thread may be at work: for
// tests when all have ended, for a running server while the world stands still.
//
// Each rule is stated once, as the text of the problem it reports. The texts are made only where a
// rule is broken, and what has been seen is marked in bits: a large store is walked while its
// clients wait.

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
  itemLruId,
  itemNbytes,
  itemNext,
  itemNkey,
  itemPosition,
  itemPrev,
  type ItemRef,
  NO_ITEM,
} from "./item/item.ts";
import { loadRefcount } from "./item/refcount.ts";
import { bucketIndex } from "./table/assoc.ts";
import { classOf, itemUnits, type LruId, LRUS_MAX } from "./lru/lists.ts";
import { SIZE_STEP_BYTES } from "./counts/size_counts.ts";
import { RefSet } from "./item/ref_set.ts";
import { PAGE_BYTES, type SlabClass } from "./slab/classes.ts";
import { NO_PAGE } from "./slab/pages.ts";
import { pageOf, SlabWord } from "./slab/record.ts";
import { ownClassOf } from "./link.ts";
import type { Store } from "./store.ts";
import { Snapshot } from "../stats/counters.ts";
import { CLASSES_MAX } from "../stats/names.ts";

/** What a walk found. */
export interface CheckResult {
  /** One line for each broken rule; empty when all hold. */
  readonly problems: readonly string[];
  /** Items in the table. */
  readonly items: number;
}

/** Clients may hold any number of chunks. */
const ANY = -1;

/**
 * Checks the whole store. No other thread may be at work, and no client may hold an item.
 *
 * @param held Chunks that are taken but not part of a linked item, such as a value being received.
 */
export function checkStore(store: Store, held = 0): CheckResult {
  return check(store, held);
}

/**
 * Checks the whole store of a running server, between turns of its threads: clients may hold items
 * and receive values, and a page may be on its way to another class.
 */
export function checkLiveStore(store: Store): CheckResult {
  return check(store, ANY);
}

function check(store: Store, held: number): CheckResult {
  for (let id = 1; id <= store.classes.last; id++) store.slabs.takeBackSpares(id as SlabClass);
  const walk = new Walk(store, held);
  store.locks.exclusively(() => {
    walk.table();
    walk.lists();
    walk.slabs();
    walk.gauges();
  });
  return { problems: walk.problems, items: walk.linked.size };
}

/** The size that `stats sizes` counts an item of `bytes` bytes under. */
function stepOf(bytes: number): number {
  return Math.ceil(bytes / SIZE_STEP_BYTES) * SIZE_STEP_BYTES;
}

class Walk {
  readonly problems: string[] = [];
  readonly linked = new RefSet();
  /** Items by the size they count for, if they are counted. */
  readonly #sizes = new Map<number, number>();
  /** Chunks of large items. */
  readonly #parts = new RefSet();
  /** By class: chunks that are part of a linked item. */
  readonly #used = new Array<number>(CLASSES_MAX).fill(0);
  /** By page: chunks on the free list of its class. */
  readonly #freeIn = new Map<number, number>();
  readonly #store: Store;
  readonly #held: number;
  #bytes = 0;
  /** Empty pages that their classes can miss. */
  #surplus = 0;

  constructor(store: Store, held: number) {
    this.#store = store;
    this.#held = held;
  }

  #broken(problem: string): void {
    this.problems.push(problem);
  }

  /** Every chained item is linked, is there once, and is in the bucket that its hash names. */
  table(): void {
    const { assoc } = this.#store;
    for (let shard = 0; shard < assoc.shards; shard++) {
      const buckets = assoc.bucketsOf(shard);
      let count = 0;
      for (let index = 0; index < buckets; index++) {
        const found = this.#chain(shard, index, buckets);
        if (found < 0) return;
        count += found;
      }
      if (assoc.itemsOf(shard) !== count) {
        this.#broken(`shard ${shard} counts other items than it has`);
      }
    }
  }

  /** Returns the items of one bucket; -1 when they cannot be counted. */
  #chain(shard: number, index: number, buckets: number): number {
    const { assoc, items } = this.#store;
    const head = assoc.headOf(shard, index);
    let count = 0;
    for (let it = head; it !== NO_ITEM; it = itemChain(items, it)) {
      if (!this.linked.add(it)) {
        this.#broken(`item ${it} is chained twice`);
        return -1;
      }
      count++;
      const hv = assoc.hashOf(it);
      if (assoc.shardOf(hv) !== shard) this.#broken(`item ${it} is in shard ${shard} by mistake`);
      if (bucketIndex(hv, buckets) !== index) this.#broken(`item ${it} is in another bucket`);
      this.#item(it);
      // The key itself may be personal data, and this goes into a log.
      if (this.#hasTwin(head, it)) this.#broken(`the key of item ${it} is in the table twice`);
    }
    return count;
  }

  /** Whether an item between `head` and `it` has the key of `it`: its twin is in the same chain. */
  #hasTwin(head: ItemRef, it: ItemRef): boolean {
    const { items } = this.#store;
    if (head === it) return false;
    const block = blockOf(this.#store.items, it);
    const from = itemKeyAt(items, it);
    const nkey = itemNkey(items, it);
    for (let other = head; other !== it; other = itemChain(items, other)) {
      if (itemHasKey(items, other, block, from, nkey)) return true;
    }
    return false;
  }

  #item(it: ItemRef): void {
    const { items, classes } = this.#store;
    const flags = itemFlags(items, it);
    if ((flags & ItemFlag.LINKED) === 0) this.#broken(`item ${it} is in the table and not linked`);
    if ((flags & ItemFlag.SLABBED) !== 0) this.#broken(`item ${it} is in the table and free`);
    const holders = loadRefcount(items, it);
    if (holders < 1 || (holders > 1 && this.#held !== ANY)) {
      this.#broken(`item ${it} has ${holders} holders`);
    }
    const bytes = itemBytes(items, it);
    if (isChunked(items, it)) this.#chunks(it);
    else if (bytes > classes.chunkBytes[classOf(items, it)]!) {
      this.#broken(`item ${it} exceeds its chunk`);
    }
    this.#use(it, ownClassOf(this.#store, it));
    this.#bytes += bytes;
    if (!this.#store.sizes.areTracked) return;
    this.#sizes.set(stepOf(bytes), (this.#sizes.get(stepOf(bytes)) ?? 0) + 1);
  }

  /** The chunks of a large item lead to it, and hold its value. */
  #chunks(it: ItemRef): void {
    const { items, classes } = this.#store;
    if (classOf(items, it) !== classes.last) {
      this.#broken(`chunked item ${it} is on the list of another class`);
    }
    let left = itemNbytes(items, it);
    let chunk = firstChunk(items, it);
    for (; chunk !== NO_ITEM && left > 0; chunk = chunkNext(items, chunk)) {
      const used = chunkUsed(items, chunk);
      const clsid = chunkClass(items, chunk);
      if (!this.#parts.add(chunk)) return this.#broken(`chunk ${chunk} is in two values`);
      if (chunkHead(items, chunk) !== it) {
        this.#broken(`chunk ${chunk} leads to another item than ${it}`);
      }
      if (itemFlags(items, chunk) !== ItemFlag.CHUNK) {
        this.#broken(`chunk ${chunk} looks like an item`);
      }
      if (CHUNK.bytes + used > classes.chunkBytes[clsid]!) {
        this.#broken(`chunk ${chunk} is overfull`);
      }
      this.#use(chunk, clsid as SlabClass);
      left -= used;
    }
    if (chunk !== NO_ITEM || left !== 0) this.#broken(`item ${it} has chunks for another length`);
  }

  /** The LRU lists hold exactly the items of the table, and read the same from both ends. */
  lists(): void {
    const { lru, items } = this.#store;
    const seen = new RefSet();
    for (let id = 0; id < LRUS_MAX; id++) {
      const list = id as LruId;
      let count = 0;
      let units = 0;
      let before: ItemRef = NO_ITEM;
      for (let it = lru.headLocked(list); it !== NO_ITEM; it = itemNext(items, it)) {
        if (!seen.add(it)) return this.#broken(`item ${it} is on LRU lists twice`);
        count++;
        if (itemPrev(items, it) !== before) this.#broken(`item ${it} has another LRU neighbour`);
        if (!this.linked.has(it)) this.#broken(`item ${it} is on an LRU list and not in the table`);
        units += itemUnits(items, it);
        if (itemLruId(items, it) !== id) {
          this.#broken(`item ${it} is on another list than it names`);
        }
        before = it;
      }
      if (lru.tailLocked(list) !== before) this.#broken(`LRU list ${id} ends elsewhere`);
      if (lru.count(list) !== count) this.#broken(`LRU list ${id} counts other items than it has`);
      if (lru.units(list) !== units) this.#broken(`LRU list ${id} counts other sizes than it has`);
    }
    const missing = this.linked.size - seen.size;
    if (missing !== 0) this.#broken(`${missing} items on no list`);
  }

  /** Free, used and never used chunks of a class are the chunks of its pages. */
  slabs(): void {
    const { slabs, classes } = this.#store;
    const pages = new Array<number>(CLASSES_MAX).fill(0);
    for (let page = 1; page <= slabs.pages.used; page++) pages[slabs.pages.ownerOf(page)]! += 1;
    this.#pages(pages[0]!);
    let unlinked = 0;
    for (let id = 1; id <= classes.last; id++) {
      const clsid = id as SlabClass;
      const owned = slabs.word(clsid, SlabWord.PAGES);
      if (owned !== pages[id]) {
        this.#broken(`class ${id} counts ${owned} pages and owns ${pages[id]}`);
      }
      const onList = this.#freeChunks(clsid);
      const counted = slabs.word(clsid, SlabWord.FREE_COUNT);
      if (onList !== counted) {
        this.#broken(`class ${id} has ${onList} free chunks and counts ${counted}`);
      }
      this.#usedChunks(clsid);
      const left = owned * classes.perPage[id]! - this.#used[id]! - slabs.freeChunks(clsid);
      if (left < 0) this.#broken(`class ${id} has ${-left} chunks more than its pages`);
      unlinked += left;
    }
    if (slabs.pages.surplus !== this.#surplus) {
      this.#broken(`${slabs.pages.surplus} surplus pages are counted of ${this.#surplus}`);
    }
    if (this.#held !== ANY && unlinked !== this.#held) {
      this.#broken(`${unlinked} chunks are neither free nor linked, ${this.#held} held`);
    }
  }

  /** The chunks of a page that are neither free nor never used are its used ones. */
  #usedChunks(clsid: SlabClass): void {
    const { slabs, classes } = this.#store;
    const perPage = classes.perPage[clsid]!;
    const carveLeft = slabs.word(clsid, SlabWord.CARVE_LEFT);
    const open = carveLeft === 0
      ? NO_PAGE
      : pageOf(slabs.word(clsid, SlabWord.CARVE_AT) as ItemRef);
    const moving = slabs.word(clsid, SlabWord.MOVING);
    const unopened = new Set<number>();
    let page = slabs.word(clsid, SlabWord.UNOPENED_HEAD);
    for (; page !== NO_PAGE && !unopened.has(page); page = slabs.pages.link(page)) {
      unopened.add(page);
    }
    let empty = 0;
    for (page = 1; page <= slabs.pages.used; page++) {
      if (slabs.pages.ownerOf(page) !== clsid) continue;
      let free = this.#freeIn.get(page) ?? 0;
      if (page === open) free += carveLeft;
      if (page === moving) free += slabs.word(clsid, SlabWord.PARKED);
      if (unopened.has(page)) free = perPage;
      const used = slabs.usedChunks(page);
      if (used !== perPage - free) {
        this.#broken(`page ${page} counts ${used} used chunks of ${perPage - free}`);
      }
      if (used === 0 && page !== moving && !unopened.has(page)) empty++;
    }
    const counted = slabs.word(clsid, SlabWord.EMPTY);
    if (counted !== empty) {
      this.#broken(`class ${clsid} has ${empty} empty pages and counts ${counted}`);
    }
    const staying = slabs.word(clsid, SlabWord.PAGES) - (moving === NO_PAGE ? 0 : 1);
    this.#surplus += Math.max(0, Math.min(empty, staying - 1));
  }

  /** Pages that no class owns are in the pool or were given back. */
  #pages(unowned: number): void {
    const { slabs: { pages } } = this.#store;
    const spare = pages.pooled + pages.used - pages.inUse;
    if (unowned !== spare) this.#broken(`${unowned} pages without a class, ${spare} spare`);
  }

  /** Counts `chunk` as part of a linked item. */
  #use(chunk: ItemRef, clsid: SlabClass): void {
    this.#used[clsid]! += 1;
    this.#place(chunk, clsid);
  }

  /** An item starts at a chunk of a page that its class owns. */
  #place(it: ItemRef, clsid: SlabClass): void {
    const { slabs, classes } = this.#store;
    const position = itemPosition(it);
    const page = Math.floor(position / PAGE_BYTES);
    if (slabs.pages.ownerOf(page) !== clsid) {
      this.#broken(`item ${it} is in a page of another class`);
    }
    const within = position % PAGE_BYTES;
    if (within % classes.chunkBytes[clsid]! !== 0) {
      this.#broken(`item ${it} is not at a chunk's start`);
    }
  }

  #freeChunks(clsid: SlabClass): number {
    const { slabs, items } = this.#store;
    const count = slabs.word(clsid, SlabWord.FREE_COUNT);
    let chunk = slabs.word(clsid, SlabWord.FREE_HEAD) as ItemRef;
    let before: ItemRef = NO_ITEM;
    let walked = 0;
    while (chunk !== NO_ITEM && walked <= count) {
      if ((itemFlags(items, chunk) & ItemFlag.SLABBED) === 0) {
        this.#broken(`free chunk ${chunk} in use`);
      }
      if (this.linked.has(chunk)) this.#broken(`item ${chunk} is on the free list`);
      if (this.#parts.has(chunk)) this.#broken(`chunk ${chunk} of a value is on the free list`);
      if (itemPrev(items, chunk) !== before) {
        this.#broken(`free chunk ${chunk} has another neighbour`);
      }
      before = chunk;
      this.#freeIn.set(pageOf(chunk), (this.#freeIn.get(pageOf(chunk)) ?? 0) + 1);
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
    const { size } = this.linked;
    if (items !== size) this.#broken(`curr_items ${items}, in the table ${size}`);
    if (bytes !== this.#bytes) this.#broken(`bytes ${bytes}, in the table ${this.#bytes}`);
    if (!this.#store.sizes.areTracked) return;
    const counted = JSON.stringify([...this.#store.sizes.entries()]);
    const seen = JSON.stringify([...this.#sizes].sort((a, b) => a[0] - b[0]));
    if (counted !== seen) this.#broken(`sizes ${counted}, in the table ${seen}`);
  }
}
