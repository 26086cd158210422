// A sample: the answers to `stats` and its sub-commands at one moment, as numbers.
//
// Answers are not trusted. A value that is no number counts as missing, and any line may be
// missing: old servers lack some, proxies most.

import type { StatLines } from "../link/server_link.ts";

/** Answers as they came; undefined for one that was refused or not requested. */
export interface Answers {
  readonly general: StatLines;
  readonly items: StatLines | undefined;
  readonly slabs: StatLines | undefined;
  readonly settings: StatLines | undefined;
  readonly conns: StatLines | undefined;
}

/** Bytes that this program itself has sent and received, all connections together. */
export interface OwnBytes {
  readonly sent: number;
  readonly received: number;
}

/** One slab class; numbers that the answer lacks are undefined. */
export interface SlabClassSample {
  readonly clsid: number;
  readonly chunkBytes: number | undefined;
  readonly pages: number | undefined;
  readonly totalChunks: number | undefined;
  readonly usedChunks: number | undefined;
  readonly items: number | undefined;
  readonly evicted: number | undefined;
  /** Seconds since the last access of the item evicted last. */
  readonly evictedAge: number | undefined;
  /** Seconds since the last access of the oldest item. */
  readonly age: number | undefined;
  readonly hot: number | undefined;
  readonly warm: number | undefined;
  readonly cold: number | undefined;
  readonly temp: number | undefined;
}

/** One moment of a server. */
export interface Sample {
  /** When, in milliseconds of a clock that only goes forward. */
  readonly atMs: number;
  readonly own: OwnBytes;
  readonly general: StatLines;
  readonly settings: StatLines | undefined;
  readonly classes: readonly SlabClassSample[];
  /** Connections by state, without listeners; undefined where they were not listed. */
  readonly connStates: ReadonlyMap<string, number> | undefined;
}

/** Most slab classes of any memcached. Source: memcached.h, MAX_NUMBER_OF_SLAB_CLASSES. */
const CLSID_MAX = 63;

/** Puts answers together. */
export function sampleOf(answers: Answers, atMs: number, own: OwnBytes): Sample {
  const { general, settings, items, slabs, conns } = answers;
  return {
    atMs,
    own,
    general,
    settings,
    classes: slabClasses(items ?? new Map(), slabs ?? new Map()),
    connStates: conns === undefined ? undefined : connStates(conns),
  };
}

/** The value of a line as a number of 0 or more; undefined for what is none, and without a line. */
export function numberOf(lines: StatLines, name: string): number | undefined {
  const text = lines.get(name);
  if (text === undefined || !/^\d+(\.\d+)?$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** The sum of the lines that are there; undefined when none is. */
export function sumOf(lines: StatLines, names: readonly string[]): number | undefined {
  const numbers = names.map((name) => numberOf(lines, name)).filter((it) => it !== undefined);
  return numbers.length === 0 ? undefined : numbers.reduce((sum, number) => sum + number, 0);
}

/** `items:5:evicted` and `5:chunk_size`, sorted into their classes. */
function slabClasses(items: StatLines, slabs: StatLines): SlabClassSample[] {
  const clsids = new Set<number>();
  for (const name of [...items.keys(), ...slabs.keys()]) {
    const clsid = Number(/^(?:items:)?(\d{1,2}):/.exec(name)?.[1] ?? NaN);
    if (clsid >= 1 && clsid <= CLSID_MAX) clsids.add(clsid);
  }
  return [...clsids].sort((a, b) => a - b).map((clsid) => {
    const ofItems = (name: string) => numberOf(items, `items:${clsid}:${name}`);
    const ofSlabs = (name: string) => numberOf(slabs, `${clsid}:${name}`);
    return {
      clsid,
      chunkBytes: ofSlabs("chunk_size"),
      pages: ofSlabs("total_pages"),
      totalChunks: ofSlabs("total_chunks"),
      usedChunks: ofSlabs("used_chunks"),
      items: ofItems("number"),
      evicted: ofItems("evicted"),
      evictedAge: ofItems("evicted_time"),
      age: ofItems("age"),
      hot: ofItems("number_hot"),
      warm: ofItems("number_warm"),
      cold: ofItems("number_cold"),
      temp: ofItems("number_temp"),
    };
  });
}

/** `27:state conn_read` as one more of `read`. */
function connStates(conns: StatLines): Map<string, number> {
  const states = new Map<string, number>();
  for (const [name, value] of conns) {
    if (!/^\d+:state$/.test(name) || value === "conn_listening") continue;
    const state = value.replace(/^conn_/, "");
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  return states;
}
