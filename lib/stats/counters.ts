// Counters in shared memory. Each thread writes only its own slots, so adding is one plain write
// and takes no lock; a reader adds up the threads.

import { assert } from "../base/assert.ts";
import { type LockIndex, LockRank, type Locks } from "../memory/lock.ts";
import { type Control, Global } from "../memory/regions.ts";
import {
  CLASS_ROWS,
  type ClassCounterName,
  CLASSES_MAX,
  type CounterName,
  COUNTERS_PER_THREAD,
  THREAD_ROWS,
} from "./names.ts";

/** The counters that make up get_hits. */
const HIT_NAMES = ["hits_to_hot", "hits_to_warm", "hits_to_cold", "hits_to_temp"] as const;

const FLOAT_BYTES = 8;
const CLASS_SLOTS = CLASS_ROWS.length;

/** Slots by name: one reading of the statistics looks up hundreds. */
const THREAD_SLOTS = Object.fromEntries(
  THREAD_ROWS.map(([name], slot) => [name, slot]),
) as Record<CounterName, number>;
const CLASS_COLUMNS = Object.fromEntries(
  CLASS_ROWS.map(([name], column) => [name, column]),
) as Record<ClassCounterName, number>;

/** One thread's slots. */
export class Counters {
  readonly #slots: Float64Array<SharedArrayBuffer>;
  readonly #from: number;
  readonly #classesFrom: number;

  /** @param thread Which thread's slots: 0 is the main thread. */
  constructor(control: Control, thread: number) {
    const { countersAt, counterStride } = control.regions;
    this.#slots = control.f64;
    this.#from = (countersAt + thread * counterStride) / FLOAT_BYTES;
    this.#classesFrom = this.#from + THREAD_ROWS.length;
  }

  /**
   * Adds `count` to the counter in slot `counter`.
   * @hot
   */
  add(counter: number, count: number): void {
    this.#slots[this.#from + counter]! += count;
  }

  /**
   * Adds `count` to the class counter in slot `counter` of slab class `clsid`.
   * @hot
   */
  addClass(clsid: number, counter: number, count: number): void {
    this.#slots[this.#classesFrom + clsid * CLASS_SLOTS + counter]! += count;
  }

  /** What this thread has counted in slot `counter` of slab class `clsid` since start. */
  ofClass(clsid: number, counter: number): number {
    return this.#slots[this.#classesFrom + clsid * CLASS_SLOTS + counter]!;
  }
}

/** What one thread has counted since start: a reset does not show. */
export class ThreadTotals {
  readonly #slots: Float64Array;

  constructor({ f64, regions: { countersAt, counterStride } }: Control, thread: number) {
    const from = (countersAt + thread * counterStride) / FLOAT_BYTES;
    this.#slots = f64.slice(from, from + COUNTERS_PER_THREAD);
  }

  /** The counter in slot `counter`. */
  of(counter: number): number {
    return this.#slots[counter]!;
  }

  /** The class counter in slot `counter`, over all classes. */
  ofClasses(counter: number): number {
    let sum = 0;
    for (let clsid = 0; clsid < CLASSES_MAX; clsid++) {
      sum += this.#slots[THREAD_ROWS.length + clsid * CLASS_SLOTS + counter]!;
    }
    return sum;
  }
}

/** Totals over all threads at one moment, less the baseline of the last reset. */
export class Snapshot {
  readonly #sums: Float64Array;

  constructor({ f64, regions }: Control) {
    const baseline = f64.subarray(regions.baselineAt / FLOAT_BYTES);
    const sums = this.#sums = new Float64Array(COUNTERS_PER_THREAD);
    for (let slot = 0; slot < sums.length; slot++) sums[slot] = -baseline[slot]!;
    addThreads(sums, f64, regions);
  }

  /** Total of a thread counter. */
  of(name: CounterName): number {
    return this.#sums[THREAD_SLOTS[name]]!;
  }

  /** Total of a class counter in slab class `clsid`. */
  ofClass(clsid: number, name: ClassCounterName): number {
    return this.#sums[THREAD_ROWS.length + clsid * CLASS_SLOTS + CLASS_COLUMNS[name]]!;
  }

  /** Keys found in slab class `clsid`, in any segment. */
  getHits(clsid: number): number {
    return HIT_NAMES.reduce((sum, name) => sum + this.ofClass(clsid, name), 0);
  }

  /** Keys found in all classes. */
  get allGetHits(): number {
    return HIT_NAMES.reduce((sum, name) => sum + this.ofClasses(name), 0);
  }

  /** Total of a class counter over all classes. */
  ofClasses(name: ClassCounterName): number {
    const column = THREAD_ROWS.length + CLASS_COLUMNS[name];
    let sum = 0;
    for (let clsid = 0; clsid < CLASSES_MAX; clsid++) {
      sum += this.#sums[column + clsid * CLASS_SLOTS]!;
    }
    return sum;
  }
}

/** Adds what all threads have counted to `sums`, slot by slot. */
function addThreads(sums: Float64Array, f64: Control["f64"], regions: Control["regions"]): void {
  const { countersAt, counterStride, counterThreads } = regions;
  for (let thread = 0; thread < counterThreads; thread++) {
    const from = (countersAt + thread * counterStride) / FLOAT_BYTES;
    for (let slot = 0; slot < sums.length; slot++) sums[slot]! += f64[from + slot]!;
  }
}

/**
 * Makes every counter read 0 from now on; gauges stay. Other threads go on counting meanwhile:
 * their slots are not touched, only the baseline that a {@linkcode Snapshot} takes off.
 * Caller holds the settings lock.
 */
export function resetCountersLocked({ f64, regions }: Control, locks: Locks): void {
  const isHeld = locks.holds(Global.SETTINGS_LOCK as LockIndex, LockRank.SETTINGS);
  assert(isHeld, "The settings are not held");
  const sums = new Float64Array(COUNTERS_PER_THREAD);
  addThreads(sums, f64, regions);
  for (let slot = 0; slot < sums.length; slot++) {
    if (kindOf(slot) !== "gauge") f64[regions.baselineAt / FLOAT_BYTES + slot] = sums[slot]!;
  }
}

function kindOf(slot: number): string {
  if (slot < THREAD_ROWS.length) return THREAD_ROWS[slot]![1];
  return CLASS_ROWS[(slot - THREAD_ROWS.length) % CLASS_SLOTS]![1];
}
