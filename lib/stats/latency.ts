// How long requests take, by command: histograms of each thread, filled by samples.
//
// The time of a request is from the epoll_wait that reported its arrival to the moment when the
// last reply of the connection was handed to the kernel: what clients wait for, less the network
// and the time until the worker was free. So it measures a busy worker, not a slow client: a
// connection that waits for its client in between is not counted. One that gives way to others (-R)
// is timed from the turn in which it began.
//
// A turn that is looked at costs a clock reading for itself and one for each of its connections. A
// sample counts for as many requests as it stands for; of a batch all count as its last command.

import type { Control } from "../memory/regions.ts";
import { Sampler } from "./sampler.ts";

/** Number of kinds of requests; the recorder defines what each number means. */
export const LATENCY_KINDS = 40;

/** Buckets in which the time doubles once. */
const STEPS = 4;
/** How often it doubles, from a microsecond: to 16 s. */
const OCTAVES = 24;

/** Upper bounds of the buckets, in microseconds, ascending; what is above is in one more. */
export const LATENCY_BOUNDS_US: readonly number[] = [
  1,
  ...Array.from(
    { length: OCTAVES * STEPS },
    (_, step) => 2 ** Math.floor(step / STEPS) * (1 + (step % STEPS + 1) / STEPS),
  ),
];

/** Buckets of one kind. */
const BUCKETS = LATENCY_BOUNDS_US.length + 1;
const FLOAT_BYTES = 8;
/** Slots of one kind: the sum of the times in microseconds, then the buckets. */
const KIND_SLOTS = 1 + BUCKETS;

/** Bytes of one thread's histograms. */
export const LATENCY_BYTES = LATENCY_KINDS * KIND_SLOTS * FLOAT_BYTES;

const US_PER_MS = 1000;

/** Number of the bucket for a time in microseconds: the first whose bound it does not exceed. */
export function latencyBucket(us: number): number {
  if (!(us > 1)) return 0;
  if (us > 2 ** OCTAVES) return BUCKETS - 1;
  const octave = Math.floor(Math.log2(us));
  const step = Math.ceil((us / 2 ** octave - 1) * STEPS);
  return octave * STEPS + step;
}

/** One thread's histograms, and its stop watch. */
export class LatencyWatch {
  /** Whether the turn at hand is looked at. */
  isTiming = false;
  readonly #sampler: Sampler;
  readonly #slots: Float64Array<SharedArrayBuffer>;
  readonly #from: number;
  /** Of the turn that is looked at: how many turns it stands for, and when it began. */
  weight = 0;
  startMs = 0;

  /**
   * @param at Where the histograms are in the control memory, in bytes.
   * @param isOn Otherwise no turn is looked at.
   */
  constructor({ f64 }: Control, at: number, isOn: boolean, seed: number) {
    this.#slots = f64;
    this.#from = at / FLOAT_BYTES;
    this.#sampler = new Sampler(isOn, seed);
  }

  /**
   * A turn of the loop begins: its requests are there.
   * @hot
   */
  beginTurn(): void {
    if (this.#sampler.isDue()) this.#start();
    else this.isTiming = false;
  }

  #start(): void {
    this.weight = this.#sampler.take();
    this.isTiming = this.weight > 0;
    if (this.isTiming) this.startMs = performance.now();
  }

  /**
   * Records that `count` requests, the last one of kind `kind`, are answered now.
   *
   * @param startMs When they were there: the beginning of the turn, or of one before it.
   * @param weight How many turns that one stood for.
   */
  record(kind: number, count: number, startMs = this.startMs, weight = this.weight): void {
    const us = (performance.now() - startMs) * US_PER_MS;
    const from = this.#from + kind * KIND_SLOTS;
    this.#slots[from]! += us * weight * count;
    this.#slots[from + 1 + latencyBucket(us)]! += weight * count;
  }

  /** `seconds` have passed since the last call. */
  tick(seconds: number): void {
    this.#sampler.tick(seconds);
  }
}

/** The histogram of one kind over all threads. */
export interface Latencies {
  readonly kind: number;
  /** Requests. */
  readonly count: number;
  /** Their times together, in microseconds. */
  readonly sumUs: number;
  /** Requests by bucket: one more than {@linkcode LATENCY_BOUNDS_US}. */
  readonly buckets: readonly number[];
}

/**
 * Adds up the histograms at the places `ats`; kinds without requests are left out.
 *
 * @param ats Where each thread's are in the control memory, in bytes.
 */
export function readLatencies({ f64 }: Control, ats: readonly number[]): Latencies[] {
  const all: Latencies[] = [];
  for (let kind = 0; kind < LATENCY_KINDS; kind++) {
    const sums = new Array<number>(KIND_SLOTS).fill(0);
    for (const at of ats) {
      const from = at / FLOAT_BYTES + kind * KIND_SLOTS;
      for (let slot = 0; slot < KIND_SLOTS; slot++) sums[slot]! += f64[from + slot]!;
    }
    const [sumUs = 0, ...buckets] = sums;
    const count = buckets.reduce((sum, requests) => sum + requests);
    if (count > 0) all.push({ kind, count, sumUs, buckets });
  }
  return all;
}
