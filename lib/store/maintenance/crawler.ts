// The LRU crawler: looks through the items for those that are expired or flushed, and removes them.
//
// memcached walks each LRU list with a pseudo-item for its place. Here a crawl walks the hash
// table: no list lock is held, and nothing strange is on a list. What it sees of expiry times
// decides when a class is worth the next crawl.
// Source: memcached items.c and crawler.c, crawler_expired_eval, lru_maintainer_crawler_check.

import { ClassCounter, CLASSES_MAX, Counter } from "../../stats/names.ts";
import { LogType, Watched } from "../../log/event_log.ts";
import { isFlushed } from "../item/generation.ts";
import { isExpired, itemExptime, ItemFlag, itemFlags, type ItemRef } from "../item/item.ts";
import { classOf } from "../lru/lists.ts";
import { addToClassSet, type ClassSet, isInClassSet, setCrawling } from "../control/requests.ts";
import { unlinkLocked } from "../link.ts";
import type { Store } from "../store.ts";
import { TableWalk } from "../table_walk.ts";

/** Most buckets that one step looks at. */
const BUCKETS_PER_STEP = 1000;
const MINUTE = 60;
/** Minutes for which items are counted by when they expire. */
const MINUTES = 60;
/** A crawl pays when this share of the items that expire at all does so within the wait. */
const SHARE_WORTH = 0.01;
/** Longest wait between two crawls of a class, in seconds. */
const WAIT_MAX = 3600;
/** Shortest wait, and what every wait is lengthened by, in seconds. */
const WAIT_MIN = 5;

/** What a crawl has seen of one class. */
class Seen {
  checked = 0;
  reclaimed = 0;
  /** Items that will expire. */
  mortal = 0;
  /** Of those, by the minutes they have left; the last count is of all that have more. */
  readonly byMinute = new Uint32Array(MINUTES + 1);

  add(secondsLeft: number): void {
    this.mortal++;
    this.byMinute[Math.min(Math.floor(secondsLeft / MINUTE), MINUTES)]! += 1;
  }

  clear(): void {
    this.checked = 0;
    this.reclaimed = 0;
    this.mortal = 0;
    this.byMinute.fill(0);
  }
}

/**
 * The wait before the next crawl of a class: a minute more where a crawl that late would find too
 * little, a minute less where it would find enough sooner.
 *
 * @param byMinute Items by the minutes they had left, of the crawl before.
 * @param wait The wait before that one, in seconds.
 */
export function nextWait(mortal: number, byMinute: ArrayLike<number>, wait: number): number {
  const worth = mortal * SHARE_WORTH + 1;
  let found = 0;
  for (let minute = 0; minute < MINUTES; minute++) {
    found += byMinute[minute]!;
    if (found <= worth) continue;
    if (wait < minute * MINUTE) return Math.min(wait + MINUTE, WAIT_MAX);
    return wait >= MINUTE ? wait - MINUTE : wait;
  }
  return found === 0 ? Math.min(wait + MINUTE, WAIT_MAX) : wait;
}

/** One crawl at a time, and when the next one is due. */
export class Crawler {
  readonly #store: Store;
  readonly #seen = Array.from({ length: CLASSES_MAX }, () => new Seen());
  /** By class: wait before the next crawl, and the second from which it is due. */
  readonly #wait = new Uint32Array(CLASSES_MAX);
  readonly #due = new Float64Array(CLASSES_MAX);
  #classes: ClassSet = { low: 0, high: 0 };
  #itemsMax = 0;
  /** When this crawl began; and, by class, when the last one ended that found items. */
  #startedAt = 0;
  readonly #ranAt = new Float64Array(CLASSES_MAX);
  #walk: TableWalk | undefined;
  readonly #visit = (it: ItemRef): void => this.#look(it);

  constructor(store: Store) {
    this.#store = store;
  }

  /** Whether a crawl is under way. */
  get isRunning(): boolean {
    return this.#walk !== undefined;
  }

  /** Begins a crawl of `classes`. */
  start(classes: ClassSet): void {
    const { counters, control, tunables } = this.#store;
    this.#classes = classes;
    this.#itemsMax = tunables.get("lruCrawlerTocrawl") || Infinity;
    this.#walk = new TableWalk();
    this.#startedAt = this.#store.clock.now;
    for (const seen of this.#seen) seen.clear();
    counters.add(Counter.LRU_CRAWLER_STARTS, 1);
    setCrawling(control, true);
  }

  /** Crawls on for a while; returns whether there is more to do. Takes: bucket, LRU, slab. */
  step(): boolean {
    const walk = this.#walk;
    if (walk === undefined) return false;
    for (let bucket = 0; bucket < BUCKETS_PER_STEP; bucket++) {
      if (!walk.step(this.#store, this.#visit)) {
        this.#end();
        return false;
      }
    }
    return true;
  }

  /** Ends the crawl where it is. */
  stop(): void {
    this.#walk = undefined;
    setCrawling(this.#store.control, false);
  }

  #end(): void {
    this.stop();
    const { now } = this.#store.clock;
    for (let clsid = 1; clsid < CLASSES_MAX; clsid++) {
      if (!isInClassSet(this.#classes, clsid)) continue;
      const { mortal, byMinute } = this.#seen[clsid]!;
      this.#wait[clsid] = nextWait(mortal, byMinute, this.#wait[clsid]!);
      if (this.#store.log.wants(Watched.SYSEVENTS)) this.#logClass(clsid, now);
      this.#due[clsid] = now + this.#wait[clsid]! + WAIT_MIN;
    }
  }

  /**
   * Logs what the crawl has seen of a class.
   * Source: memcached items.c, lru_maintainer_crawler_check, which has a line for each list.
   */
  #logClass(clsid: number, now: number): void {
    const { checked, reclaimed, mortal, byMinute } = this.#seen[clsid]!;
    if (checked === 0) return;
    const wait = this.#wait[clsid]!;
    const soon = byMinute.subarray(0, Math.floor(wait / MINUTE)).reduce((sum, n) => sum + n, 0);
    this.#store.log.text(
      LogType.SYSEVENT,
      `type=lru_crawler crawler=${clsid} lru=all low_mark=${
        Math.floor(mortal * SHARE_WORTH) + 1
      } ` +
        `next_reclaims=${soon} since_run=${Math.max(0, now - this.#ranAt[clsid]!)} ` +
        `next_run=${wait + WAIT_MIN} elapsed=${now - this.#startedAt} examined=${checked} ` +
        `reclaimed=${reclaimed}`,
    );
    this.#ranAt[clsid] = now;
  }

  /** Classes that have items and are due for a crawl; undefined when none is. */
  dueClasses(): ClassSet | undefined {
    const { clock, classes, lru } = this.#store;
    const due: ClassSet = { low: 0, high: 0 };
    let any = false;
    for (let clsid = 1; clsid <= classes.last; clsid++) {
      if (clock.now <= this.#due[clsid]! || !lru.hasItems(clsid)) continue;
      addToClassSet(due, clsid);
      any = true;
    }
    return any ? due : undefined;
  }

  /** Looks at one item. Caller holds its shard. */
  #look(it: ItemRef): void {
    const { items, counters, clock, control } = this.#store;
    const clsid = classOf(items, it);
    const seen = this.#seen[clsid]!;
    if (!isInClassSet(this.#classes, clsid) || seen.checked >= this.#itemsMax) return;
    seen.checked++;
    counters.addClass(clsid, ClassCounter.CRAWLER_ITEMS_CHECKED, 1);
    if (isExpired(items, it, clock.now) || isFlushed(control, items, it, clock.now)) {
      counters.addClass(clsid, ClassCounter.CRAWLER_RECLAIMED, 1);
      seen.reclaimed++;
      if ((itemFlags(items, it) & ItemFlag.FETCHED) === 0) {
        counters.addClass(clsid, ClassCounter.EXPIRED_UNFETCHED, 1);
      }
      unlinkLocked(this.#store, this.#store.assoc.hashOf(it), it);
      return;
    }
    const exptime = itemExptime(items, it);
    if (exptime !== 0) seen.add(exptime - clock.now);
  }
}
