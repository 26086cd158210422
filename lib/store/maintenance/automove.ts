// The slab automover: which page should move where, by what the last seconds have shown.
//
// Once a second each class adds a row to its window: whether it evicted or ran out of chunks,
// whether it got a page, and how long its oldest item has not been read.
//
//   a class with 2.5 pages of free chunks and a quiet window    gives a page to the pool
//   the class that evicts items youngest, for half of a window  gets a page of the class whose
//   when they are younger than a share of the oldest class's    oldest item is oldest
//
// Source: memcached slab_automove.c, slab_automove_run.

import type { Snapshot } from "../../stats/counters.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import { lruIdOf, LruSegment } from "../lru/lists.ts";
import type { PageMove } from "../control/requests.ts";
import { SlabWord } from "../slab/record.ts";
import type { SlabClass } from "../slab/classes.ts";
import { tailAge } from "../whole_store.ts";
import type { Store } from "../store.ts";
import { POOL } from "./mover.ts";

/** Free pages of a quiet class above which it gives one up. */
const FREE_PAGES_MAX = 2.5;
/** Pages above which the oldest class is taken one from. */
const OLDEST_PAGES_MIN = 2;
/** Fewest pages of a class that can miss one. */
const SOURCE_PAGES_MIN = 2;

/** One class in one second. */
interface Row {
  readonly evicted: boolean;
  readonly dirty: boolean;
  readonly age: number;
}

/** What a class looks like now. */
export interface ClassState {
  readonly clsid: number;
  /** Evictions and failed allocations so far. */
  readonly evicted: number;
  readonly outofmemory: number;
  readonly pages: number;
  readonly freeChunks: number;
  readonly perPage: number;
  /** How long the oldest item has not been read, in seconds. */
  readonly age: number;
}

const NONE = new Uint32Array(CLASSES_MAX);

/**
 * Reads the state of every class that has pages.
 *
 * @param forMoves By class: evictions that a page moved away for. They do not show that the class
 * could do with a page.
 */
export function classStates(store: Store, totals: Snapshot, forMoves = NONE): ClassState[] {
  const states: ClassState[] = [];
  for (let id = 1; id <= store.classes.last; id++) {
    const clsid = id as SlabClass;
    const pages = store.slabs.word(clsid, SlabWord.PAGES);
    if (pages === 0) continue;
    states.push({
      clsid,
      evicted: totals.ofClass(id, "evictions") - forMoves[id]!,
      outofmemory: totals.ofClass(id, "outofmemory"),
      pages,
      freeChunks: store.slabs.freeChunks(clsid),
      perPage: store.classes.perPage[id]!,
      age: tailAge(store, lruIdOf(clsid, LruSegment.COLD)),
    });
  }
  return states;
}

/** The windows of all classes. */
export class SlabAutomove {
  readonly #windows: Row[][] = Array.from({ length: CLASSES_MAX }, () => []);
  readonly #before = new Map<number, ClassState>();

  /**
   * Adds a second to the windows.
   *
   * @param seconds Length of a window.
   */
  observe(states: readonly ClassState[], seconds: number): void {
    for (const state of states) {
      const before = this.#before.get(state.clsid);
      const evicted = before !== undefined &&
        (state.evicted > before.evicted || state.outofmemory > before.outofmemory);
      const dirty = evicted || before === undefined || state.pages > before.pages;
      const window = this.#windows[state.clsid]!;
      window.push({ evicted, dirty, age: state.age });
      window.splice(0, window.length - seconds);
      this.#before.set(state.clsid, state);
    }
  }

  /**
   * The move that is due, if any.
   *
   * @param ratio Share of the oldest class's age below which the youngest gets a page.
   */
  decide(states: readonly ClassState[], seconds: number, ratio: number): PageMove | undefined {
    let oldest: ClassState | undefined;
    let youngest: ClassState | undefined;
    let oldestAge = 0;
    let youngestAge = Infinity;
    for (const state of states) {
      const window = this.#windows[state.clsid]!;
      const isQuiet = window.length >= seconds && !window.some(({ dirty }) => dirty);
      if (isQuiet && state.freeChunks > state.perPage * FREE_PAGES_MAX) {
        return { from: state.clsid, to: POOL };
      }
      const age = window.reduce((sum, row) => sum + row.age, 0) / Math.max(window.length, 1);
      if (age > oldestAge && state.pages > OLDEST_PAGES_MIN) {
        oldest = state;
        oldestAge = age;
      }
      const evictedFor = window.filter(({ evicted }) => evicted).length;
      if (age < youngestAge && evictedFor > seconds / 2 && window.at(-1)?.evicted === true) {
        youngest = state;
        youngestAge = age;
      }
    }
    if (oldest === undefined || youngest === undefined || oldest === youngest) return undefined;
    if (youngestAge >= oldestAge * ratio) return undefined;
    return { from: oldest.clsid, to: youngest.clsid };
  }
}

/**
 * The class that should give a page to `to`: one with a page of free chunks if there is any, else
 * the one with the oldest item. Undefined when none has two pages.
 *
 * @param mayEvict Whether items may go for it; otherwise only a page of free chunks will do.
 */
export function sourceFor(
  states: readonly ClassState[],
  to: number,
  mayEvict = true,
): number | undefined {
  let source: ClassState | undefined;
  for (const state of states) {
    if (state.clsid === to || state.pages < SOURCE_PAGES_MIN) continue;
    if (!mayEvict && state.freeChunks < state.perPage) continue;
    if (source === undefined || isBetterSource(state, source)) source = state;
  }
  return source?.clsid;
}

/** Whether `a` can miss a page more easily than `b`. */
function isBetterSource(a: ClassState, b: ClassState): boolean {
  const spareA = a.freeChunks >= a.perPage;
  const spareB = b.freeChunks >= b.perPage;
  if (spareA !== spareB) return spareA;
  if (a.age !== b.age) return a.age > b.age;
  return a.pages > b.pages;
}
