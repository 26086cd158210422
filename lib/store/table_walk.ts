// A walk through the hash table, a few buckets at a time, while other threads work. The walk meets
// each item once that is there from beginning to end, and perhaps one that comes or goes meanwhile.

import { LockRank } from "../memory/lock.ts";
import { itemChain, type ItemRef, NO_ITEM } from "./item/item.ts";
import type { Store } from "./store.ts";

/** Called for each item, under the lock of its shard. It may unlink the item. */
export type Visit = (it: ItemRef) => void;

/** Where a walk is. */
export class TableWalk {
  #shard = 0;
  #position = 0;

  /**
   * Visits the items of the next bucket.
   *
   * @returns Whether there are more buckets. Takes: bucket.
   */
  step(store: Store, visit: Visit): boolean {
    const { assoc, locks } = store;
    const shard = this.#shard;
    if (shard >= assoc.shards) return false;
    const lock = assoc.lockOfShard(shard);

    locks.lock(lock, LockRank.BUCKET);
    const index = assoc.bucketAtLocked(shard, this.#position);
    this.#position = assoc.positionAfterLocked(shard, this.#position, index);
    let it = assoc.headOf(shard, index);
    while (it !== NO_ITEM) {
      const next = itemChain(store.items, it);
      visit(it);
      it = next;
    }
    locks.unlock(lock, LockRank.BUCKET);

    if (this.#position >= assoc.walkEnd) {
      this.#position = 0;
      this.#shard++;
    }
    return this.#shard < assoc.shards;
  }
}
