// The memory that all threads share: how large each part is, and one thread's views of it.
//
// The main thread plans and makes it; every thread opens it from the same plan, which holds numbers
// only and so travels in a message.

import type { Block } from "../base/block.ts";
import type { Clock } from "../base/clock.ts";
import type { HashKey } from "./table/hash.ts";
import { HASH_BITS, randomHashKey } from "./table/hash.ts";
import { type Control, openControl, planRegions, type Regions } from "../memory/regions.ts";
import { SEGMENT_BYTES, segmentLengths, SEGMENTS_MAX } from "../memory/arena.ts";
import { assert } from "../base/assert.ts";
import { Locks } from "../memory/lock.ts";
import { Counters } from "../stats/counters.ts";
import { CLASSES_MAX, COUNTERS_PER_THREAD } from "../stats/names.ts";
import { sampleBytes } from "../stats/samples.ts";
import type { AssocShape } from "./table/assoc.ts";
import { ringBytes } from "../log/event_log.ts";
import { ITEM } from "./item/item.ts";
import { linesBytes } from "../log/lines.ts";
import { LRUS_MAX } from "./lru/lists.ts";
import { PAGE_BYTES, type SlabShape } from "./slab/classes.ts";
import { BUMPS_PER_THREAD } from "./lru/bump_buffer.ts";
import { LOGIN_WORDS } from "../auth/logins.ts";
import { PREFIX_WORDS } from "./counts/prefix_counts.ts";
import { sizeCountWords } from "./counts/size_counts.ts";
import { TUNABLES, type TunableValues } from "./control/tunables.ts";

/** What the store of one server is made for. */
export interface StoreShape extends SlabShape {
  /** Worker threads. */
  readonly threads: number;
  /** Items carry a version (not `-C`). */
  readonly useCas: boolean;
  /** Items may be evicted (not `-M`). */
  readonly evictions: boolean;
  /** Largest item, header included, in bytes: `-I`. */
  readonly itemSizeMax: number;
  /** Log2 of the buckets at start: `-o hashpower`. */
  readonly hashpowerInit: number;
  /** The table may grow (not `-o no_hashexpand`). */
  readonly hashExpand: boolean;
  /** Most that `cache_memlimit` can ask for, in bytes; at least {@linkcode maxbytes}. */
  readonly maxbytesCeiling: number;
  /** Pages may move between classes (not `-o no_slab_reassign`). */
  readonly slabReassign: boolean;
  /** Each class has its first page within the limit: `-L`. */
  readonly reservesFirstPages: boolean;
  /** Items are counted by size (`-o track_sizes`). */
  readonly trackSizes: boolean;
  /** Bytes that each thread's ring of the log is to have, and the lines that watchers read. */
  readonly workerLogbufSize: number;
  readonly watcherLogbufSize: number;
  /** The byte that ends a key's prefix (`-D`). */
  readonly prefixDelimiter: number;
  /** Keys are counted by prefix from the start. */
  readonly detailEnabled: boolean;
  /** Seconds after which a held item at a list's tail is unlinked; 0 for never. */
  readonly tailRepairTime: number;
  /** Descriptors that connections and listeners may have: those above are not shown. */
  readonly conns: number;
  /** Bytes kept of the addresses of each connection. */
  readonly connNameBytes: number;
  /** Latencies and loads are noted. */
  readonly takesSamples: boolean;
  /** Keys are sampled, too: those that clients ask for often. */
  readonly notesKeys: boolean;
  /** What commands can change, as it is at start. */
  readonly tuning: TunableValues;
}

/** The shape, and the sizes that follow from it. */
export interface StorePlan {
  readonly shape: StoreShape;
  readonly regions: Regions;
  readonly assoc: AssocShape;
  readonly hashKey: HashKey;
  /** Lengths of the arena's segments, in bytes. */
  readonly segmentBytes: readonly number[];
  /** Pages that `-m` allows. */
  readonly pageLimit: number;
  /** Length of the bucket memory, in bytes. */
  readonly bucketBytes: number;
}

/** Where the parts of the memory are, for another thread. */
export interface SharedMemory {
  readonly control: SharedArrayBuffer;
  readonly segments: readonly Block[];
  readonly buckets: ArrayBuffer;
}

/** Bytes of all segments of item memory together. */
export function itemMemoryBytes({ segmentBytes }: StorePlan): number {
  return segmentBytes.reduce((sum, bytes) => sum + bytes, 0);
}

const SHARDS_LOG2 = 10;
/** Largest power of two of buckets in one shard: its bits and the shard's must fit in a hash. */
const SHARD_BUCKETS_LOG2_MAX = HASH_BITS - SHARDS_LOG2;
const HASHPOWER_DEFAULT = 16;
const BUCKET_BYTES = 4;

/** Pages beyond `-m`: each class may get its first one, and page 0 is never used. */
const PAGES_EXTRA = CLASSES_MAX + 1;

/** Works out every size. Draws the hash key of this run. */
export function planStore(shape: StoreShape): StorePlan {
  const pageLimit = Math.floor(shape.maxbytes / PAGE_BYTES);
  const pages = Math.floor(shape.maxbytesCeiling / PAGE_BYTES) + PAGES_EXTRA;
  assert(pages * PAGE_BYTES <= SEGMENTS_MAX * SEGMENT_BYTES, "More memory than references reach");
  const startLog2 = Math.max(0, (shape.hashpowerInit || HASHPOWER_DEFAULT) - SHARDS_LOG2);
  const smallestItem = shape.chunkSize + ITEM.bytes;
  const neededLog2 = Math.ceil(Math.log2(pages * PAGE_BYTES / smallestItem)) - SHARDS_LOG2;
  const bucketsMin = 2 ** Math.min(startLog2, SHARD_BUCKETS_LOG2_MAX);
  const bucketsMax = shape.hashExpand
    ? Math.max(bucketsMin, 2 ** Math.min(neededLog2, SHARD_BUCKETS_LOG2_MAX))
    : bucketsMin;
  const shards = 2 ** SHARDS_LOG2;
  return {
    shape,
    regions: planRegions({
      shards,
      slabClasses: CLASSES_MAX,
      lrus: LRUS_MAX,
      pages,
      counterThreads: shape.threads + 2,
      countersPerThread: COUNTERS_PER_THREAD,
      tunables: TUNABLES,
      bumpsPerThread: BUMPS_PER_THREAD,
      conns: shape.conns,
      connNameBytes: shape.connNameBytes,
      itemSizes: shape.trackSizes ? sizeCountWords(shape.itemSizeMax) : 0,
      loginWords: LOGIN_WORDS,
      prefixWords: PREFIX_WORDS,
      logRingBytes: ringBytes(shape.workerLogbufSize),
      logLinesBytes: linesBytes(shape.watcherLogbufSize),
      sampleBytes: sampleBytes(shape),
    }),
    assoc: { shards, bucketsMin, bucketsMax },
    hashKey: randomHashKey(),
    segmentBytes: segmentLengths(pages * PAGE_BYTES),
    pageLimit,
    bucketBytes: shards * bucketsMax * BUCKET_BYTES,
  };
}

/** What one thread needs to use the store. */
export interface StoreThread {
  /** 0 is the main thread; then the workers, then the maintenance thread. */
  readonly thread: number;
  readonly plan: StorePlan;
  readonly memory: SharedMemory;
  readonly control: Control;
  readonly locks: Locks;
  readonly counters: Counters;
  readonly clock: Clock;
}

/** Number of the maintenance thread: the one after the workers. */
export function maintainerThread(shape: StoreShape): number {
  return shape.threads + 1;
}

/**
 * Longest that the main thread waits for a lock, in milliseconds. Its holder may have died, and the
 * main thread must notice that.
 */
const MAIN_WAIT_MS_MAX = 2000;

/** Opens thread number `thread`'s views; 0 is the main thread, workers count from 1. */
export function openThread(
  plan: StorePlan,
  memory: SharedMemory,
  thread: number,
  clock: Clock,
): StoreThread {
  const control = openControl(memory.control, plan.regions);
  return {
    thread,
    plan,
    memory,
    control,
    locks: new Locks(control.i32, thread === 0 ? MAIN_WAIT_MS_MAX : Infinity),
    counters: new Counters(control, thread),
    clock,
  };
}
