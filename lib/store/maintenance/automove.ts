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

import { CLASSES_MAX } from "../../stats/names.ts";
import { type PageMove, POOL } from "../control/requests.ts";
import type { ClassState } from "../room/page_source.ts";

/** Free pages of a quiet class above which it gives one up. */
const FREE_PAGES_MAX = 2.5;
/** Pages above which the oldest class is taken one from. */
const OLDEST_PAGES_MIN = 2;

/** One class in one second. */
interface Row {
  readonly evicted: boolean;
  readonly dirty: boolean;
  readonly age: number;
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
