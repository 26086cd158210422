// Asserts of functions whose caller holds a shard of the table: `…Locked`.

import { assert } from "../base/assert.ts";
import { LockRank } from "../memory/lock.ts";
import type { Store } from "./store.ts";

/**
 * Stops the thread unless it holds the shard of `hv`.
 * @hot
 */
export function assertShardHeld({ locks }: Store, _hv: number): void {
  assert(locks.heldCount(LockRank.BUCKET) > 0, "The shard of the key is not held");
}

/**
 * Stops the thread unless it holds a shard: where the hash of the key is not known.
 * @hot
 */
export function assertAnyShardHeld({ locks }: Store): void {
  assert(locks.heldCount(LockRank.BUCKET) > 0, "No shard is held");
}
