// Looks through the items of a saved store before anything is done with them. Nothing that is read
// is believed: each reference must lead to a chunk, each chunk is met once, each length stays
// within its chunk. What passes can be restored without another look.
//
// Nothing is written, here or in item memory. check.ts checks the rules of a store at work; these
// are the rules that its items alone can break.

import { CR, CRLF_BYTES, LF } from "../../base/ascii.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import {
  CHUNK,
  chunkClass,
  chunkHead,
  chunkNext,
  chunkUsed,
  FIRST_CHUNK_BYTES,
  firstChunk,
  isChunked,
} from "../item/chunk.ts";
import { ChunkMarks, NO_CHUNK } from "../slab/chunk_marks.ts";
import {
  ITEM_FLAGS_ALL,
  itemBytes,
  ItemFlag,
  itemFlags,
  itemLruId,
  itemNbytes,
  itemNext,
  itemNkey,
  itemPrev,
  type ItemRef,
  type Items,
  itemTime,
  NO_ITEM,
} from "../item/item.ts";
import { LRUS_MAX } from "../lru/lists.ts";
import { LIST_WORDS, ListWord, type SavedStore } from "./saved_store.ts";
import { PAGE_BYTES, type SlabClasses } from "../slab/classes.ts";
import { lastTwoBytes } from "../item/value_cursor.ts";

const NKEY_MAX = 250;
const CRLF = (CR << 8) | LF;
/** Threads may read the clock so many seconds apart. */
const CLOCK_SLACK = 2;

/**
 * Checks that `saved` describes what is in item memory.
 *
 * @returns The first thing that is wrong; undefined when nothing is.
 */
export function checkSaved(
  items: Items,
  classes: SlabClasses,
  saved: SavedStore,
): string | undefined {
  const bytes = items.u8.reduce((sum, { length }) => sum + length, 0);
  if (saved.owners.length * PAGE_BYTES > bytes) return "there are pages beyond the memory";
  if (saved.owners[0] !== 0) return "page 0 has an owner";
  if (saved.owners.some((clsid) => clsid > classes.last)) return "a page is of no slab class";
  const walk = new Walk(items, classes, saved);
  for (let id = 0; id < LRUS_MAX; id++) {
    const problem = walk.list(id);
    if (problem !== undefined) return `LRU list ${id}: ${problem}`;
  }
  return undefined;
}

class Walk {
  readonly #items: Items;
  readonly #classes: SlabClasses;
  readonly #saved: SavedStore;
  readonly #met: ChunkMarks;

  constructor(items: Items, classes: SlabClasses, saved: SavedStore) {
    this.#items = items;
    this.#classes = classes;
    this.#saved = saved;
    this.#met = new ChunkMarks(saved.owners, classes);
  }

  /**
   * What is wrong with list `id`: it reads the same from both ends, and ends.
   *
   * It is walked from its tail. No chunk is met twice, so there is no way round in a circle.
   */
  list(id: number): string | undefined {
    const { lists } = this.#saved;
    const head = lists[id * LIST_WORDS + ListWord.HEAD]! as ItemRef;
    const count = lists[id * LIST_WORDS + ListWord.COUNT]!;
    let after: ItemRef = NO_ITEM;
    let met = 0;
    let it = lists[id * LIST_WORDS + ListWord.TAIL]! as ItemRef;
    for (; it !== NO_ITEM; it = itemPrev(this.#items, it)) {
      if (this.#met.classAt(it) === NO_CHUNK) return `no item can be at ${it}`;
      if (!this.#met.add(it)) return `item ${it} is met twice`;
      if (itemNext(this.#items, it) !== after) return `item ${it} has another neighbour`;
      const problem = this.#item(it, id);
      if (problem !== undefined) return `item ${it} ${problem}`;
      after = it;
      met++;
    }
    if (after !== head) return "it begins elsewhere";
    return met === count ? undefined : `it has ${met} items, not ${count}`;
  }

  /** What is wrong with `it`, which is at a chunk and on list `id`. */
  #item(it: ItemRef, id: number): string | undefined {
    const items = this.#items;
    const flags = itemFlags(items, it);
    const kind = flags & (ItemFlag.LINKED | ItemFlag.SLABBED | ItemFlag.CHUNK);
    if (kind !== ItemFlag.LINKED || (flags & ~ITEM_FLAGS_ALL) !== 0) return "is not linked";
    if (itemLruId(items, it) !== id) return "names another list";
    const nkey = itemNkey(items, it);
    if (nkey < 1 || nkey > NKEY_MAX) return `has a key of ${nkey} bytes`;
    if (itemNbytes(items, it) < CRLF_BYTES) return "has no value";
    if (itemTime(items, it) > this.#saved.now + CLOCK_SLACK) return "was read in the future";
    const clsid = id % CLASSES_MAX;
    const own = this.#met.classAt(it);
    if (isChunked(items, it)) {
      const bytes = itemBytes(items, it) - itemNbytes(items, it) + FIRST_CHUNK_BYTES;
      if (clsid !== this.#classes.last) return "is on the list of another class";
      if (own !== this.#classes.fit(bytes)) return "is in a page of another class";
      const problem = this.#chunks(it);
      if (problem !== undefined) return problem;
    } else {
      if (own !== clsid) return "is in a page of another class";
      if (itemBytes(items, it) > this.#classes.chunkBytes[own]!) return "exceeds its chunk";
    }
    return lastTwoBytes(items, it) === CRLF ? undefined : "has a value without an end";
  }

  /** What is wrong with the chunks of a large item: they lead to it and hold its value. */
  #chunks(it: ItemRef): string | undefined {
    const items = this.#items;
    let left = itemNbytes(items, it);
    let chunk = firstChunk(items, it);
    for (; chunk !== NO_ITEM; chunk = chunkNext(items, chunk)) {
      const clsid = this.#met.classAt(chunk);
      if (clsid === NO_CHUNK || chunkClass(items, chunk) !== clsid) return "has a chunk elsewhere";
      if (!this.#met.add(chunk)) return "has a chunk that is met twice";
      if (itemFlags(items, chunk) !== ItemFlag.CHUNK) return "has a chunk that is none";
      if (chunkHead(items, chunk) !== it) return "has a chunk of another item";
      const used = chunkUsed(items, chunk);
      if (used < 1 || CHUNK.bytes + used > this.#classes.chunkBytes[clsid]!) {
        return "has an overfull chunk";
      }
      left -= used;
    }
    return left === 0 ? undefined : "has chunks for another length";
  }
}
