// The map of the control memory: one SharedArrayBuffer with every lock, list head and counter.
//
// Items and hash buckets are not here but in mapped memory (arena.ts): bulk copies out of a
// SharedArrayBuffer are 4 to 8 times slower, and Atomics.wait works on nothing else.

import { assert } from "../base/assert.ts";

/** Bytes of a cache line: records that different threads write start on separate lines. */
export const LINE_BYTES = 64;
const WORD_BYTES = 4;
const WORDS_PER_LINE = LINE_BYTES / WORD_BYTES;

/** Words of the first region. Those written often are alone on their lines. */
export const Global = {
  /** Clock, seconds since start. Written by the main thread. */
  NOW: 0,
  /** `-v` count, 0..2. Written by `verbosity`. */
  VERBOSITY: 1,
  /** Items stored or touched at or before this second are flushed once it has come; 0 none. */
  OLDEST_LIVE: 2,
  /** Flush generation, 0..65535: items of another one are flushed. */
  FLUSH_GENERATION: 3,
  /** Items stored up to this second are flushed, whatever their generation. */
  FLUSHED_UNTIL: 4,
  /** Moment of the last flush_all, for `stats settings`. */
  FLUSHED_AT: 5,
  /** When this process started: the clock may go on from an earlier one. */
  STARTED_AT: 6,
  /** Lock word of the flush state, of the statistics' baseline and of the logins. */
  SETTINGS_LOCK: 7,
  /** 1 while the acceptor accepts. */
  ACCEPTING: 8,
  /** When the certificates were read, in seconds since start. */
  CERTS_READ_AT: 9,
  /** How often the locks were switched: odd asks for global mode; see world_lock.ts. */
  WORLD_SWITCHES: 10,
  /** 1 while keys are counted by prefix. */
  DETAIL: 11,
  /** What clients watch for, as bits; 0 while none watches. */
  WATCHED: 12,
  /** 1 once an item was stored in the flush generation, by its lowest bit; two words. */
  STORED_IN: 13,
  /** Open client connections. */
  CURR_CONNS: 1 * WORDS_PER_LINE,
  /** Low 32 bits of the next cas, and the count of its half-turns: see cas.ts. */
  CAS_LOW: 2 * WORDS_PER_LINE,
  CAS_EPOCH: 2 * WORDS_PER_LINE + 1,
  /** The maintenance thread sleeps on this word; see requests.ts for it and the next ones. */
  WAKE: 3 * WORDS_PER_LINE,
  /** The crawl that a client asked for: state, classes 0..31 and 32..63 as bits. */
  CRAWL_STATE: 3 * WORDS_PER_LINE + 1,
  CRAWL_LOW: 3 * WORDS_PER_LINE + 2,
  CRAWL_HIGH: 3 * WORDS_PER_LINE + 3,
  /** The move of a page that a client asked for or that is under way: state, from, to. */
  MOVE_STATE: 3 * WORDS_PER_LINE + 4,
  MOVE_FROM: 3 * WORDS_PER_LINE + 5,
  MOVE_TO: 3 * WORDS_PER_LINE + 6,
  /** Slab classes that need a page, as bits. */
  NEEDY_LOW: 3 * WORDS_PER_LINE + 7,
  NEEDY_HIGH: 3 * WORDS_PER_LINE + 8,
  /** Most pages that one of them needs, times 64, and that class. */
  NEEDY_PAGES: 3 * WORDS_PER_LINE + 9,
  /** One of {@linkcode Stopping}. */
  STOPPING: 3 * WORDS_PER_LINE + 11,
  /** 1 while a crawl runs. */
  CRAWLING: 3 * WORDS_PER_LINE + 10,
  /** Lock word of the whole store in global mode. */
  WORLD_LOCK: 4 * WORDS_PER_LINE,
  /** Switches of the locks that threads have made, all threads together. */
  WORLD_REPORTS: 4 * WORDS_PER_LINE + 1,
  /** For each quarter of the flush generations, when it was left last: see generation.ts. */
  QUARTER_LEFT: 5 * WORDS_PER_LINE,
} as const;

/** What {@linkcode Global.STOPPING} says. */
export const Stopping = {
  NO: 0,
  /** The server stops: the main thread ends each thread in turn; the maintainer reads this word. */
  IN_ORDER: 1,
  /** A thread has died: each other thread ends when it next reads this, and waits for none. */
  AT_ONCE: 2,
} as const;
const GLOBAL_LINES = 6;

/** Words of the record of one connection. */
export const CONN_WORDS = 4;

/** What the regions are sized by. */
export interface RegionSizes {
  readonly shards: number;
  readonly slabClasses: number;
  readonly lrus: number;
  /** Pages that may ever be given to a class. */
  readonly pages: number;
  /** Threads that count, the main thread first. */
  readonly counterThreads: number;
  /** Float64 slots of one thread's counters. */
  readonly countersPerThread: number;
  /** Float64 slots of the settings that commands change. */
  readonly tunables: number;
  /** Items that one thread's bump buffer holds. */
  readonly bumpsPerThread: number;
  /** Words of the count of items by size; 0 when they are not counted. */
  readonly itemSizes: number;
  /** Descriptors that connections and listeners may have. */
  readonly conns: number;
  /** Bytes kept of the addresses of each; 0 where they can be asked of the system. */
  readonly connNameBytes: number;
  /** Words of the table of logins. */
  readonly loginWords: number;
  /** Words of the table of prefixes. */
  readonly prefixWords: number;
  /** Bytes of the records in each thread's ring of the log; a power of two. */
  readonly logRingBytes: number;
  /** Bytes of the lines that watchers read. */
  readonly logLinesBytes: number;
  /** Bytes of what each thread notes for the admin server; 0 without one. */
  readonly sampleBytes: number;
}

/** Where each region starts, in bytes. */
export interface Regions extends RegionSizes {
  readonly shardsAt: number;
  readonly slabsAt: number;
  readonly pagesAt: number;
  /** One word per page: the class that owns it. */
  readonly pageOwnersAt: number;
  /** One word per page: the next page of the list it is on. */
  readonly pageLinksAt: number;
  /** One word per page: its chunks that are in use. */
  readonly pageUsedAt: number;
  /** A chunk each thread keeps of each class. */
  readonly sparesAt: number;
  readonly tunablesAt: number;
  /** By thread: a line with the end, a line with the start, then the items. */
  readonly bumpsAt: number;
  /** Bytes from one thread's bump buffer to the next one's. */
  readonly bumpStride: number;
  readonly itemSizesAt: number;
  /** A record for each descriptor of a connection; see stats/conn_table.ts. */
  readonly connsAt: number;
  readonly connNamesAt: number;
  /** A line for each thread: the word it sleeps on where it has no descriptor for that. */
  readonly doorbellsAt: number;
  /** A line for each thread; see server/tls/ticket_names.ts. */
  readonly ticketNamesAt: number;
  readonly loginsAt: number;
  readonly prefixesAt: number;
  /** By thread: a line with the end, a line with the start, then the records. */
  readonly logRingsAt: number;
  /** Four lines of state, then the lines. */
  readonly logLinesAt: number;
  /** By thread; see stats/samples.ts. */
  readonly samplesAt: number;
  readonly lrusAt: number;
  readonly countersAt: number;
  /** Bytes from one thread's counters to the next one's. */
  readonly counterStride: number;
  readonly baselineAt: number;
  readonly bytes: number;
}

/** Lays the regions out, one after the other, each on a line boundary. */
export function planRegions(sizes: RegionSizes): Regions {
  let at = GLOBAL_LINES * LINE_BYTES;
  const take = (bytes: number): number => {
    const from = at;
    at += Math.ceil(bytes / LINE_BYTES) * LINE_BYTES;
    return from;
  };
  const counterStride = Math.ceil(sizes.countersPerThread * 8 / LINE_BYTES) * LINE_BYTES;
  const bumpStride = 2 * LINE_BYTES + sizes.bumpsPerThread * WORD_BYTES;
  return {
    ...sizes,
    shardsAt: take(sizes.shards * LINE_BYTES),
    slabsAt: take(sizes.slabClasses * LINE_BYTES),
    pagesAt: take(LINE_BYTES),
    pageOwnersAt: take(sizes.pages * WORD_BYTES),
    pageLinksAt: take(sizes.pages * WORD_BYTES),
    pageUsedAt: take(sizes.pages * WORD_BYTES),
    sparesAt: take(sizes.counterThreads * sizes.slabClasses * WORD_BYTES),
    lrusAt: take(sizes.lrus * LINE_BYTES),
    counterStride,
    countersAt: take(counterStride * sizes.counterThreads),
    baselineAt: take(counterStride),
    tunablesAt: take(sizes.tunables * 8),
    bumpStride,
    bumpsAt: take(bumpStride * sizes.counterThreads),
    itemSizesAt: take(sizes.itemSizes * WORD_BYTES),
    connsAt: take(sizes.conns * CONN_WORDS * WORD_BYTES),
    connNamesAt: take(sizes.conns * sizes.connNameBytes),
    doorbellsAt: take(sizes.counterThreads * LINE_BYTES),
    ticketNamesAt: take(sizes.counterThreads * LINE_BYTES),
    loginsAt: take(sizes.loginWords * WORD_BYTES),
    prefixesAt: take(sizes.prefixWords * WORD_BYTES),
    logRingsAt: take(sizes.counterThreads * (2 * LINE_BYTES + sizes.logRingBytes)),
    logLinesAt: take(4 * LINE_BYTES + sizes.logLinesBytes),
    samplesAt: take(sizes.counterThreads * sizes.sampleBytes),
    bytes: at,
  };
}

/** One thread's views of the control memory. */
export interface Control {
  readonly regions: Regions;
  readonly i32: Int32Array<SharedArrayBuffer>;
  readonly u32: Uint32Array<SharedArrayBuffer>;
  readonly f64: Float64Array<SharedArrayBuffer>;
}

/** Allocates the control memory, all zero. */
export function makeControlMemory(regions: Regions): SharedArrayBuffer {
  return new SharedArrayBuffer(regions.bytes);
}

/** Memory that every thread can view, all zero, for what would be mapped if it could be. */
export function makeSharedMemory(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(bytes);
}

/** Opens the views over `memory`, which was made for `regions`. */
export function openControl(memory: SharedArrayBuffer, regions: Regions): Control {
  assert(memory.byteLength === regions.bytes, "Control memory of another layout");
  return {
    regions,
    i32: new Int32Array(memory),
    u32: new Uint32Array(memory),
    f64: new Float64Array(memory),
  };
}

/** Index of the 32-bit word at byte `at` of the control memory. */
export function wordIndex(at: number): number {
  return at / WORD_BYTES;
}
