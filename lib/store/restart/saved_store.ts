// What has to be kept of a store besides item memory, so that another process can go on with it:
// which classes own the pages, where the LRU lists begin and end, and the sequences that items
// refer to.
//
// The hash table, free chunks, holders and counts are not kept: restore.ts makes them anew from
// the items on the lists, so that nothing of the threads that were at work is left in them.

import { type CasState, casState } from "../item/cas.ts";
import { flushState } from "../item/generation.ts";
import { type LruId, LRUS_MAX } from "../lru/lists.ts";
import type { Store } from "../store.ts";

/** Words kept of an LRU list. */
export const ListWord = { HEAD: 0, TAIL: 1, COUNT: 2 } as const;
/** How many there are. */
export const LIST_WORDS = Object.keys(ListWord).length;

/** A store at rest, less its item memory. */
export interface SavedStore {
  /** The moment at which it came to rest, in seconds since start. */
  readonly now: number;
  readonly cas: CasState;
  readonly flush: readonly number[];
  /** Buckets of the hash table, for one of the same size; 0 when that is not known. */
  readonly buckets: number;
  /** By page, 0 included, up to the last one that was ever used: its slab class, 0 for none. */
  readonly owners: Uint8Array<ArrayBuffer>;
  /** {@linkcode LIST_WORDS} words for each LRU list. */
  readonly lists: Uint32Array<ArrayBuffer>;
}

/** What is to be kept of `store`. All threads but this one have ended. */
export function saveStore(store: Store, now: number): SavedStore {
  return store.locks.exclusively(() => save(store, now));
}

function save(store: Store, now: number): SavedStore {
  const { control, assoc, lru, slabs: { pages } } = store;
  const owners = new Uint8Array(pages.used + 1);
  for (let page = 1; page < owners.length; page++) owners[page] = pages.ownerOf(page);
  const lists = new Uint32Array(LRUS_MAX * LIST_WORDS);
  for (let id = 0; id < LRUS_MAX; id++) {
    const list = id as LruId;
    lists[id * LIST_WORDS + ListWord.HEAD] = lru.headLocked(list);
    lists[id * LIST_WORDS + ListWord.TAIL] = lru.tailLocked(list);
    lists[id * LIST_WORDS + ListWord.COUNT] = lru.count(list);
  }
  return {
    now,
    cas: casState(control),
    flush: flushState(control),
    buckets: assoc.bucketCount,
    owners,
    lists,
  };
}
