// What a round of the store's fuzzer is played with: sizes, switches, the hash table.

import type { Prng } from "../../lib/base/prng.ts";
import type { StorePlan, StoreShape } from "../../lib/store/plan.ts";
import { SMALL_SHAPE } from "../../lib/store/store_fixture.ts";

const MIB = 2 ** 20;

/** Little memory, so that it is always full, and any mix of options. */
export function drawShape(prng: Prng): Partial<StoreShape> {
  const maxbytes = prng.pick([1, 1, 1, 2, 4]) * MIB;
  return {
    maxbytes,
    maxbytesCeiling: 8 * MIB,
    factor: prng.pick([1.25, 2, 4, 8]),
    useCas: prng.below(4) > 0,
    evictions: prng.below(4) > 0,
    itemSizeMax: prng.pick([2 * MIB, MIB, MIB, MIB / 4, 1024]),
    slabChunkMax: prng.pick([MIB, MIB / 2, MIB / 2, 16 * 1024, 1024]),
    slabReassign: prng.below(8) > 0,
    trackSizes: prng.below(2) > 0,
    tailRepairTime: prng.pick([0, 0, 0, 10]),
    tuning: {
      ...SMALL_SHAPE.tuning,
      maxbytes,
      segmented: prng.pick([0, 1, 1]),
      temporaryTtl: prng.pick([-1, -1, 3]),
      slabAutomove: prng.below(3),
      slabAutomoveWindow: prng.pick([3, 10]),
      lruCrawlerTocrawl: prng.pick([0, 0, 5]),
    },
  };
}

/** Few shards and buckets, so that chains are long and growth goes on. */
export function drawTable(prng: Prng): (plan: StorePlan) => StorePlan {
  const shards = prng.pick([1, 4, 1024]);
  const bucketsMin = prng.pick([1, 2, 16]);
  const bucketsMax = Math.max(bucketsMin, prng.pick([1, 64, 1024]));
  const hashKey = { k0: prng.next() | 0, k1: prng.next() | 0 };
  return (plan) => ({
    ...plan,
    hashKey,
    assoc: { shards, bucketsMin, bucketsMax },
    bucketBytes: shards * bucketsMax * 4,
  });
}
