// What each thread records besides counters, for the admin server: how long requests
// take, how busy it is, and with --admin-keys which keys are requested. Without --admin there
// are no samples.
//
//   a thread's part   [ load ][ latencies ][ hot keys ][ hot prefixes ]
//
// Without --admin-keys the part ends before the hot keys.

import { fnv1a, prefixEnd } from "../base/prefix.ts";
import { type Control, LINE_BYTES } from "../memory/regions.ts";
import { HotList, hotListBytes, hottest } from "./hot_names.ts";
import { type Latencies, LATENCY_BYTES, LatencyWatch, readLatencies } from "./latency.ts";
import { Sampler } from "./sampler.ts";
import type { HotNames } from "./stats_view.ts";

/** Places in the list of keys, and in that of prefixes. */
const KEY_PLACES = 256;
const PREFIX_PLACES = 128;

const FLOAT_BYTES = 8;
const LATENCY_AT = LINE_BYTES;
const KEYS_AT = LATENCY_AT + LATENCY_BYTES;
const PREFIXES_AT = KEYS_AT + hotListBytes(KEY_PLACES);

const END = PREFIXES_AT + hotListBytes(PREFIX_PLACES);

/** What is noted. */
export interface Noted {
  readonly takesSamples: boolean;
  readonly notesKeys: boolean;
}

/** Bytes of one thread's part. */
export function sampleBytes({ takesSamples, notesKeys }: Noted): number {
  if (!takesSamples) return 0;
  return Math.ceil((notesKeys ? END : KEYS_AT) / LINE_BYTES) * LINE_BYTES;
}

/** Slots of the load. */
const CPU_SECONDS = 0;
const CONNECTIONS = 1;

/** Where a thread's part is; 0 without one. */
function partAt({ regions }: Control, thread: number): number {
  return regions.sampleBytes === 0 ? 0 : regions.samplesAt + thread * regions.sampleBytes;
}

/** Whether there is a place for keys. */
function hasKeys({ regions }: Control): boolean {
  return regions.sampleBytes >= END;
}

/** The keys that one thread's clients ask for. */
export class HotKeys {
  readonly #sampler: Sampler;
  readonly #keys: HotList | undefined;
  readonly #prefixes: HotList | undefined;
  readonly #delimiter: number;

  /** @param delimiter The byte that ends a prefix. */
  constructor(control: Control, thread: number, delimiter: number) {
    const isOn = hasKeys(control);
    this.#sampler = new Sampler(isOn, thread);
    this.#delimiter = delimiter;
    if (!isOn) return;
    const at = partAt(control, thread);
    this.#keys = new HotList(control, at + KEYS_AT, KEY_PLACES);
    this.#prefixes = new HotList(control, at + PREFIXES_AT, PREFIX_PLACES);
  }

  /**
   * Whether to {@linkcode note} the key at hand: ask once for each.
   * @hot
   */
  isDue(): boolean {
    return this.#sampler.isDue();
  }

  /**
   * Counts the key `bytes[from, to)`, and what comes before its first delimiter.
   *
   * @param hv Hash of the key.
   * @param now Seconds since start.
   */
  note(hv: number, bytes: Uint8Array, from: number, to: number, now: number): void {
    const weight = this.#sampler.take();
    if (weight === 0 || to === from) return;
    this.#keys?.note(hv + 1, bytes, from, to, weight, now);
    const end = prefixEnd(bytes, from, to, this.#delimiter);
    if (end === from || end === to) return;
    this.#prefixes?.note(fnv1a(bytes, from, end) || 1, bytes, from, end, weight, now);
  }

  /** It is second `now`, `seconds` after the last call. */
  tick(now: number, seconds: number): void {
    this.#sampler.tick(seconds);
    this.#keys?.fade(now);
    this.#prefixes?.fade(now);
  }
}

/** How busy one thread is, and how long its clients wait. */
export class Workload {
  readonly latency: LatencyWatch;
  readonly #f64: Float64Array<SharedArrayBuffer>;
  readonly #at: number;
  readonly #cpuSeconds: () => number;

  /** @param cpuSeconds CPU time of this thread; NaN where it is not known. */
  constructor(control: Control, thread: number, cpuSeconds: () => number) {
    const at = partAt(control, thread);
    this.#f64 = control.f64;
    this.#at = at / FLOAT_BYTES;
    this.#cpuSeconds = cpuSeconds;
    if (at > 0) this.#f64[this.#at + CPU_SECONDS] = cpuSeconds();
    this.latency = new LatencyWatch(control, at + LATENCY_AT, at > 0, thread);
  }

  /** A connection has come (1), or gone (-1). */
  countConnection(change: number): void {
    if (this.#at > 0) this.#f64[this.#at + CONNECTIONS]! += change;
  }

  /** `seconds` have passed since the last call. */
  tick(seconds: number): void {
    if (this.#at === 0) return;
    this.#f64[this.#at + CPU_SECONDS] = this.#cpuSeconds();
    this.latency.tick(seconds);
  }
}

/** What a thread is loaded with. */
export interface ThreadLoad {
  /** CPU time so far; NaN where it is not known. */
  readonly cpuSeconds: number;
  readonly connections: number;
}

/** What all threads have noted. */
export interface Samples {
  readonly latencies: readonly Latencies[];
  /** The most requested keys and prefixes; undefined where keys are not recorded. */
  readonly hot: HotNames | undefined;
  /** By worker, from thread 1 on. */
  readonly loads: readonly ThreadLoad[];
}

/**
 * Reads the samples of the workers; undefined where there are none.
 *
 * @param workers How many there are.
 * @param now Seconds since start.
 * @param most Names to return of each list.
 */
export function readSamples(
  control: Control,
  workers: number,
  now: number,
  most: number,
): Samples | undefined {
  if (control.regions.sampleBytes === 0) return undefined;
  const parts = Array.from({ length: workers }, (_, index) => partAt(control, index + 1));
  const lists = (from: number, places: number): HotList[] =>
    parts.map((at) => new HotList(control, at + from, places));
  return {
    latencies: readLatencies(control, parts.map((at) => at + LATENCY_AT)),
    hot: !hasKeys(control) ? undefined : {
      keys: hottest(lists(KEYS_AT, KEY_PLACES), now, most),
      prefixes: hottest(lists(PREFIXES_AT, PREFIX_PLACES), now, most),
    },
    loads: parts.map((at) => ({
      cpuSeconds: control.f64[at / FLOAT_BYTES + CPU_SECONDS]!,
      connections: control.f64[at / FLOAT_BYTES + CONNECTIONS]!,
    })),
  };
}
