// The memory of a server: how large each part is by its settings, and made ready for every thread.

import type { Log } from "../base/operator_log.ts";
import type { Clock } from "../base/clock.ts";
import { tuningOf } from "../command/admin/tuned_settings.ts";
import { showsKeys } from "../config/admin_settings.ts";
import type { Settings } from "../config/settings.ts";
import { CONN_NAME_BYTES } from "../stats/conn_table.ts";
import { openThread, type StorePlan } from "../store/plan.ts";
import { startStore, Store } from "../store/store.ts";
import { canCallLibc } from "../sys/libc.ts";
import { adviseLargePages, canMapMemory, lockMemory } from "../sys/mmap.ts";
import type { MemoryMap } from "./channel/notify.ts";
import { addressesOf, makeShared, viewShared } from "./channel/shared_views.ts";

/** Most megabytes that references reach, less the pages beyond `-m`. */
const MEMORY_MAX = 32_000 * 2 ** 20;

/** The same where memory is a buffer, whose pages cost nothing either until they are written. */
const BUFFER_CEILING = 900 * 2 ** 20;

/**
 * Most that `cache_memlimit` may ask for: the machine's memory, where so much address space can be
 * mapped; otherwise `-m`.
 */
function memoryCeiling(maxbytes: number): number {
  if (!canCallLibc) return Math.max(maxbytes, BUFFER_CEILING);
  const ceiling = Math.max(maxbytes, Math.min(Deno.systemMemoryInfo().total, MEMORY_MAX));
  return canMapMemory(ceiling) ? ceiling : maxbytes;
}

/** Applies `-k` and `-L`, or says that they cannot be. */
export function adviseMemory(
  settings: Settings,
  plan: StorePlan,
  map: MemoryMap,
  log: Log,
): void {
  const addresses = addressesOf(map.segments);
  const [buckets] = addressesOf([map.buckets]);
  if (buckets === undefined) {
    if (settings.lockMemory) log.warn("-k does nothing: it needs the C library");
    if (settings.largePages) log.warn("-L does nothing: it needs the C library");
    return;
  }
  if (settings.largePages) {
    const had = addresses.every((address, index) =>
      adviseLargePages(address, plan.segmentBytes[index]!)
    );
    if (!had) log.warn("-L: the kernel gives no large pages to shared memory");
  }
  if (!settings.lockMemory) return;
  const isLocked = lockMemory(buckets, plan.bucketBytes) &&
    addresses.every((address, index) => lockMemory(address, plan.segmentBytes[index]!));
  if (!isLocked) log.warn("-k: not allowed to lock memory; see ulimit -l");
}

/**
 * What the store needs of the settings.
 *
 * @param conns Descriptors that connections and listeners may have.
 */
export function shapeOf(settings: Settings, conns: number): StorePlan["shape"] {
  return {
    conns,
    connNameBytes: settings.transport === "relay" ? CONN_NAME_BYTES : 0,
    maxbytes: settings.maxbytes,
    takesSamples: settings.admin !== null,
    notesKeys: showsKeys(settings),
    threads: settings.threads,
    useCas: settings.cas,
    evictions: settings.evictions,
    itemSizeMax: settings.itemSizeMax,
    hashpowerInit: settings.hashpowerInit,
    hashExpand: settings.hashExpand,
    // A file has room for -m and no more.
    maxbytesCeiling: settings.memoryFile === null
      ? memoryCeiling(settings.maxbytes)
      : settings.maxbytes,
    slabReassign: settings.slabReassign,
    reservesFirstPages: settings.largePages,
    trackSizes: settings.trackSizes,
    workerLogbufSize: settings.workerLogbufSize,
    watcherLogbufSize: settings.watcherLogbufSize,
    prefixDelimiter: settings.prefixDelimiter.charCodeAt(0),
    detailEnabled: settings.detailEnabled,
    tailRepairTime: settings.tailRepairTime,
    tuning: tuningOf(settings),
    slabSizes: settings.slabSizes,
    factor: settings.factor,
    chunkSize: settings.chunkSize,
    slabChunkMax: settings.slabChunkMax,
  };
}

/**
 * Makes all shared memory and makes the store in it ready for every thread.
 *
 * @param segments Item memory that is mapped already, for the segments of `plan`.
 */
export function makeMemory(
  plan: StorePlan,
  clock: Clock,
  segments?: readonly number[],
): { store: Store; map: MemoryMap } {
  const map = makeShared(plan, segments);
  const store = new Store(openThread(plan, viewShared(map, plan), 0, clock));
  startStore(store, plan);
  return { store, map };
}
