// Settings that commands change while the server runs: `lru`, `lru_crawler`, `slabs`, `extstore`,
// `cache_memlimit`. One number each, in shared memory: every thread reads the same.

import { type Control } from "../../memory/regions.ts";

/** What can be changed, with the unit of each. Switches are 1 or 0. */
// deno-fmt-ignore
const ROWS = [
  // name                    what it is
  ["maxbytes",              "memory for items, in bytes"],
  ["segmented",             "switch: each class has the lists HOT, WARM and COLD"],
  ["temporaryTtl",          "items that live no longer go to TEMP, in seconds; -1 for none"],
  ["hotLruPct",             "share of a class for HOT, in percent"],
  ["warmLruPct",            "share of a class for WARM, in percent"],
  ["hotMaxFactor",          "age of HOT's tail, in times that of COLD's"],
  ["warmMaxFactor",         "age of WARM's tail, in times that of COLD's"],
  ["lruCrawler",            "switch: crawls are allowed"],
  ["lruCrawlerSleep",       "rest of the crawler, in microseconds"],
  ["lruCrawlerTocrawl",     "items per class and crawl; 0 for all"],
  ["slabAutomove",          "level: 0 never, 1 by age, 2 on every eviction"],
  ["slabAutomoveRatio",     "age of the youngest class to the oldest below which a page moves"],
  ["slabAutomoveWindow",    "seconds that decide over a move"],
  ["slabAutomoveFreeratio", "share of memory to hold free for external storage"],
  ["extItemSize",           "external storage: smallest value, in bytes"],
  ["extItemAge",            "external storage: idle time before a value goes there, in seconds"],
  ["extLowTtl",             "external storage: TTL below which values share pages, in seconds"],
  ["extRecacheRate",        "external storage: reads after which a value returns; 0 for never"],
  ["extCompactUnder",       "external storage: free pages that start compaction"],
  ["extDropUnder",          "external storage: free pages that start dropping values"],
  ["extMaxSleep",           "external storage: longest rest of its threads, in microseconds"],
  ["extMaxFrag",            "external storage: fragmentation that starts compaction"],
  ["extDropUnread",         "external storage: switch: compaction drops unread values"],
] as const;

/** Name of a setting that can be changed. */
export type TunableName = typeof ROWS[number][0];
/** A value for each. */
export type TunableValues = Readonly<Record<TunableName, number>>;

/** Slots of all tunables. */
export const TUNABLES = ROWS.length;

const SLOTS: Readonly<Record<TunableName, number>> = Object.fromEntries(
  ROWS.map(([name], slot) => [name, slot]),
) as Record<TunableName, number>;

const FLOAT_BYTES = 8;
const { segmented: SEGMENTED, temporaryTtl: TEMPORARY_TTL } = SLOTS;

/** One thread's way to the tunables. */
export class Tunables {
  readonly #slots: Float64Array<SharedArrayBuffer>;
  readonly #from: number;

  constructor({ f64, regions }: Control) {
    this.#slots = f64;
    this.#from = regions.tunablesAt / FLOAT_BYTES;
  }

  /** The value in force. */
  get(name: TunableName): number {
    return this.#slots[this.#from + SLOTS[name]]!;
  }

  /** Changes a value for all threads. */
  set(name: TunableName, value: number): void {
    this.#slots[this.#from + SLOTS[name]] = value;
  }

  /** Sets all. */
  setAll(values: TunableValues): void {
    for (const [name] of ROWS) this.set(name, values[name]);
  }

  /** All values in force. */
  all(): TunableValues {
    return Object.fromEntries(ROWS.map(([name]) => [name, this.get(name)])) as Record<
      TunableName,
      number
    >;
  }

  /**
   * Whether each class has the lists HOT, WARM and COLD, and not COLD alone.
   * @hot
   */
  get isSegmented(): boolean {
    return this.#slots[this.#from + SEGMENTED] === 1;
  }

  /**
   * Items that live no longer than this, in seconds, go to TEMP; negative for none.
   * @hot
   */
  get temporaryTtl(): number {
    return this.#slots[this.#from + TEMPORARY_TTL]!;
  }
}
