// The statistics as rows, for output in other forms than the protocols'.

import type { HotName } from "./hot_names.ts";

/** One line of `stats`: its name, and its value as text. */
export type StatRow = readonly [name: string, value: string];

/** How many connections there are. */
export interface ConnSummary {
  /** Sockets that accept. */
  readonly listening: number;
  /** Connections of clients. */
  readonly open: number;
  /** Those, by the state that `stats conns` shows. */
  readonly states: Readonly<Record<string, number>>;
}

/** How long the requests of one command took, sampled. */
export interface CommandLatency {
  readonly command: string;
  /** Requests. */
  readonly count: number;
  /** Their times together, in microseconds. */
  readonly sumUs: number;
  /** Requests by bucket of `LATENCY_BOUNDS_US`, and those above the last bound. */
  readonly buckets: readonly number[];
}

/** What one worker has done, and does. */
export interface WorkerLoad {
  /** Number of its thread, from 1. */
  readonly thread: number;
  readonly connections: number;
  /** CPU time so far; null where it is not known. */
  readonly cpuSeconds: number | null;
  /** Commands on keys, as `stats` counts them. */
  readonly commands: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** The most requested keys and prefixes. */
export interface HotNames {
  readonly keys: readonly HotName[];
  readonly prefixes: readonly HotName[];
}

/** Samples of the workers. */
export interface WorkSamples {
  readonly latencies: readonly CommandLatency[];
  /** The most requested names, most frequent first; undefined where keys are not recorded. */
  readonly hot: HotNames | undefined;
  readonly workers: readonly WorkerLoad[];
}

/** The statistics of a running server, read anew at each call. */
export interface StatsView {
  /** Whether clients are taken: not while the server is full or stops. */
  isReady(): boolean;
  /** The lines of `stats`. */
  general(): readonly StatRow[];
  /** The lines of `stats settings`. */
  settings(): readonly StatRow[];
  /** The lines of `stats items`, named `items:<class>:<name>`. */
  items(): readonly StatRow[];
  /** The lines of `stats slabs`, named `<class>:<name>`, and the totals. */
  slabs(): readonly StatRow[];
  /** What `stats conns` shows, counted. */
  conns(): ConnSummary;
  /** What the workers have noted; undefined where they do not. */
  samples(): WorkSamples | undefined;
}
