// The memory that all threads share: how it is made, and one thread's views of it.

import { Block } from "../../base/block.ts";
import { segmentAddresses, segmentsIn } from "../../memory/arena.ts";
import { makeControlMemory, makeSharedMemory } from "../../memory/regions.ts";
import { itemMemoryBytes, type SharedMemory, type StorePlan } from "../../store/plan.ts";
import { canCallLibc } from "../../sys/libc.ts";
import { mapMemory, unmapMemory, viewMemory } from "../../sys/mmap.ts";
import type { Mapping, MemoryMap } from "./notify.ts";

/**
 * Makes the memory of `plan`, all zero. @param segments Item memory, where it is mapped already.
 */
export function makeShared(plan: StorePlan, segments?: readonly number[]): MemoryMap {
  return {
    control: makeControlMemory(plan.regions),
    segments: segments ?? makeSegments(plan),
    buckets: makeMapping(plan.bucketBytes),
  };
}

/** Item memory: mapped as one, so that it can be viewed as one. */
function makeSegments(plan: StorePlan): Mapping[] {
  if (!canCallLibc) return plan.segmentBytes.map(makeMapping);
  const bytes = itemMemoryBytes(plan);
  return segmentAddresses(mapMemory(bytes), bytes);
}

/**
 * Memory that can be viewed by every thread. Where system calls are not allowed it is a
 * SharedArrayBuffer: bulk copies out of that are 4 to 8 times slower.
 */
function makeMapping(bytes: number): Mapping {
  return canCallLibc ? mapMemory(bytes) : makeSharedMemory(bytes);
}

/** Unmaps the memory of `map`, which was made for `plan` and which no thread uses any more. */
export function unmapShared(map: MemoryMap, plan: StorePlan): void {
  const mappings = [...map.segments, map.buckets];
  const lengths = [...plan.segmentBytes, plan.bucketBytes];
  mappings.forEach((mapping, index) => {
    if (typeof mapping === "number") unmapMemory(mapping, lengths[index]!);
  });
}

/** Views the memory of `map`, which was made for `plan`. */
export function viewShared(map: MemoryMap, plan: StorePlan): SharedMemory {
  return {
    control: map.control,
    segments: viewSegments(map.segments, plan),
    buckets: viewMapping(map.buckets, plan.bucketBytes),
  };
}

/**
 * Views item memory; as one buffer where it is mapped as one. V8 counts each gigabyte that is
 * viewed as pressure on its heap, and would collect garbage for each segment, in every thread.
 */
function viewSegments(segments: readonly Mapping[], plan: StorePlan): Block[] {
  const [first] = segments;
  if (typeof first === "number") return segmentsIn(viewMemory(first, itemMemoryBytes(plan)));
  return segments.map((mapping, index) =>
    new Block(viewMapping(mapping, plan.segmentBytes[index]!))
  );
}

function viewMapping(mapping: Mapping, bytes: number): ArrayBuffer {
  if (typeof mapping === "number") return viewMemory(mapping, bytes);
  // Typed arrays and Atomics work on either; only a transfer differs.
  return mapping as unknown as ArrayBuffer;
}

/** The addresses of mapped memory; for callers that make system calls. */
export function addressesOf(mappings: readonly Mapping[]): number[] {
  return mappings.filter((mapping) => typeof mapping === "number");
}
