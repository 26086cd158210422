// The memory of one round, as in the server: mapped once, viewed by every thread by its address.

import { Block } from "../../lib/base/block.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { makeControlMemory } from "../../lib/memory/regions.ts";
import { openThread, type StorePlan } from "../../lib/store/plan.ts";
import { Store } from "../../lib/store/store.ts";
import { mapMemory, viewMemory } from "../../lib/sys/mmap.ts";

/** Where the memory of a round is; travels in a message. */
export interface RoundMemory {
  readonly control: SharedArrayBuffer;
  readonly segments: readonly number[];
  readonly buckets: number;
}

/** Maps what `plan` asks for. */
export function mapRound(plan: StorePlan): RoundMemory {
  return {
    control: makeControlMemory(plan.regions),
    segments: plan.segmentBytes.map(mapMemory),
    buckets: mapMemory(plan.bucketBytes),
  };
}

/** Opens the store of thread number `thread` in mapped memory. */
export function openStore(
  plan: StorePlan,
  memory: RoundMemory,
  thread: number,
  clock: Clock,
): Store {
  const views = {
    control: memory.control,
    segments: memory.segments.map((at, index) =>
      new Block(viewMemory(at, plan.segmentBytes[index]!))
    ),
    buckets: viewMemory(memory.buckets, plan.bucketBytes),
  };
  return new Store(openThread(plan, views, thread, clock));
}
