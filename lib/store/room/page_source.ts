// Which slab class gives up a page for another one: what each class has, and which can best spare a
// page.

import type { Snapshot } from "../../stats/counters.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import { lruIdOf, LruSegment } from "../lru/lists.ts";
import type { SlabClass } from "../slab/classes.ts";
import { SlabWord } from "../slab/record.ts";
import type { Store } from "../store.ts";
import { tailAge } from "../whole_store.ts";

/** Fewest pages of a class that can give one up. */
const SOURCE_PAGES_MIN = 2;

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
 * needs a page.
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
