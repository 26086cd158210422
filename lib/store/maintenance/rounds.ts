// What the maintenance thread does, as a loop of short turns: the LRU lists, crawls, moves of
// pages, and what comes once a second. Each part has its file; this one decides when a
// part runs.

import { Snapshot } from "../../stats/counters.ts";
import { Crawler } from "./crawler.ts";
import { LogType, Watched } from "../../log/event_log.ts";
import { LruMaintainer } from "./lru_maintainer.ts";
import {
  askedMove,
  askMove,
  endMove,
  isMoving,
  POOL,
  takeCrawl,
  takeNeedy,
} from "../control/requests.ts";
import { type ClassState, classStates, sourceFor } from "../room/page_source.ts";
import { SlabAutomove } from "./automove.ts";
import { Moving, SlabMover } from "./mover.ts";
import type { Store } from "../store.ts";

/** Longest rest between two turns, in milliseconds. */
const REST_MS_MAX = 1000;
/** Rest while a page waits for clients to release items, in milliseconds. */
const WAIT_MS = 2;
/** In one second one page, and this share of all pages, may move by age. */
const MOVED_SHARE = 1 / 64;

/** The maintenance of one store. */
export class Maintainer {
  readonly #store: Store;
  readonly #discard: (page: number) => void;
  readonly #lru: LruMaintainer;
  readonly #crawler: Crawler;
  readonly #mover: SlabMover;
  readonly #automove = new SlabAutomove();
  readonly #isLruMaintained: boolean;
  /** The second that was looked at last, and pages that may still move in it. */
  #second = 0;
  #movesLeft = 0;
  /** When the crawler's rest ends. */
  #nextCrawlMs = 0;
  /** Pages still to move to a class that had no chunk left. */
  #needy = { clsid: 0, pages: 0 };

  /**
   * @param isLruMaintained Lists are brought to their sizes, and crawls made by schedule.
   * @param discard Gives the memory of a page back to the system.
   */
  constructor(store: Store, isLruMaintained: boolean, discard: (page: number) => void) {
    this.#store = store;
    this.#discard = discard;
    this.#lru = new LruMaintainer(store);
    this.#crawler = new Crawler(store);
    this.#mover = new SlabMover(store);
    this.#isLruMaintained = isLruMaintained;
  }

  /**
   * Does a little of everything that is to be done.
   *
   * @param nowMs Milliseconds of any steady clock.
   * @returns Milliseconds until the next turn is due.
   */
  turn(nowMs: number): number {
    const { clock, slabs } = this.#store;
    if (clock.now !== this.#second) {
      this.#second = clock.now;
      this.#eachSecond();
    }
    const lruMs = this.#isLruMaintained ? this.#lru.run(nowMs) : REST_MS_MAX;
    const rest = Math.min(lruMs, this.#crawl(nowMs), this.#move());
    while (slabs.pages.returnOne(this.#discard));
    return rest;
  }

  #eachSecond(): void {
    const { shape, tunables, slabs } = this.#store;
    if (this.#isLruMaintained && tunables.get("lruCrawler") === 1 && !this.#crawler.isRunning) {
      const due = this.#crawler.dueClasses();
      if (due !== undefined) this.#crawler.start(due);
    }
    if (!shape.slabReassign || tunables.get("slabAutomove") === 0) return;
    this.#automove.observe(this.#classStates(), tunables.get("slabAutomoveWindow"));
    this.#movesLeft = 1 + Math.floor(slabs.pages.inUse * MOVED_SHARE);
    slabs.pages.startShrinking();
  }

  #classStates(): ClassState[] {
    return classStates(this.#store, new Snapshot(this.#store.control), this.#mover.evicted);
  }

  #crawl(nowMs: number): number {
    const { control, tunables } = this.#store;
    const asked = takeCrawl(control);
    if (asked !== undefined) this.#crawler.start(asked);
    if (!this.#crawler.isRunning) return REST_MS_MAX;
    if (tunables.get("lruCrawler") === 0) {
      this.#crawler.stop();
      return REST_MS_MAX;
    }
    if (nowMs >= this.#nextCrawlMs) {
      if (!this.#crawler.step()) return REST_MS_MAX;
      this.#nextCrawlMs = nowMs + tunables.get("lruCrawlerSleep") / 1000;
    }
    return this.#nextCrawlMs - nowMs;
  }

  #move(): number {
    const { control, shape } = this.#store;
    const wasRunning = this.#mover.isRunning;
    const moving = this.#mover.step();
    if (moving === Moving.ON) return 0;
    if (moving === Moving.WAITS) return WAIT_MS;
    if (wasRunning) endMove(control);

    if (shape.slabReassign && !isMoving(control)) this.#chooseMove();
    const asked = askedMove(control);
    if (asked === undefined) return REST_MS_MAX;
    const started = this.#mover.start(asked.from, asked.to);
    if (this.#store.log.wants(Watched.SYSEVENTS)) {
      const state = started ? "ok" : "fail";
      const text = `type=slab_move src=${asked.from} dst=${asked.to} state=${state}`;
      this.#store.log.text(LogType.SYSEVENT, text);
    }
    if (!this.#mover.isRunning) endMove(control);
    return started ? 0 : REST_MS_MAX;
  }

  /** Asks for the move that is most urgent, if any is. */
  #chooseMove(): void {
    const { control, tunables, slabs: { pages }, shape: { evictions } } = this.#store;
    const level = tunables.get("slabAutomove");
    if (this.#needy.pages === 0) {
      const needy = takeNeedy(control); // At level 0 they are just forgotten.
      if (needy !== undefined && level > 0) {
        this.#needy = { clsid: needy.clsid, pages: Math.min(needy.pages, pages.inUse >> 1) };
      }
    }
    if (this.#needy.pages === 0 && !pages.isShrinking && (level === 0 || this.#movesLeft === 0)) {
      return;
    }
    const states = this.#classStates();
    if (pages.isShrinking) { // First: what a needy class gets is not to be taken away at once.
      const from = sourceFor(states, POOL, evictions);
      if (from === undefined) pages.stopShrinking();
      else askMove(control, { from, to: POOL });
    } else if (this.#needy.pages > 0) {
      this.#needy.pages--;
      const from = sourceFor(states, this.#needy.clsid, evictions);
      if (from !== undefined) askMove(control, { from, to: this.#needy.clsid });
      else this.#needy.pages = 0;
    } else this.#chooseByAge(states);
  }

  #chooseByAge(states: readonly ClassState[]): void {
    const { control, tunables, shape: { evictions } } = this.#store;
    const ratio = tunables.get("slabAutomoveRatio");
    const due = this.#automove.decide(states, tunables.get("slabAutomoveWindow"), ratio);
    if (due?.to === POOL) return void askMove(control, due); // Nothing goes for it: all at once.
    this.#movesLeft--;
    // Without evictions nothing may go for a page, however old it is.
    if (due === undefined || !evictions) this.#movesLeft = 0;
    else askMove(control, due);
  }
}
