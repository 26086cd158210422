// One thread's views of the memory that all threads share.

import type { SharedMemory, StorePlan } from "../store/memory.ts";
import { viewMemory } from "../sys/mmap.ts";
import type { MemoryMap } from "./notify.ts";

/** Views the memory of `map`, which was made for `plan`. */
export function viewShared(map: MemoryMap, plan: StorePlan): SharedMemory {
  return {
    control: map.control,
    segments: map.segments.map((address, index) => viewMemory(address, plan.segmentBytes[index]!)),
    buckets: viewMemory(map.buckets, plan.bucketBytes),
  };
}
