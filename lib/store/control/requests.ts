// What the workers ask of the maintenance thread, and how they wake it: words of the control
// memory.
//
//   crawl   FREE ─ a worker ─► ASKED ─ the thread ─► FREE, and CRAWLING is 1 until it is done
//   move    FREE ─ a worker, or the thread itself ─► ASKED ─► FREE once the page has moved
//   needy   a bit for each slab class in which an allocation found no chunk

import {
  andWord,
  compareExchangeWord,
  loadWord,
  orWord,
  sleepOnWord,
  storeWord,
  wakeWord,
} from "../../memory/atomic.ts";
import { type Control, Global } from "../../memory/regions.ts";

const FREE = 0;
const CLAIMED = 1;
const ASKED = 2;

/** Classes in one word of bits. */
const CLASSES_PER_WORD = 32;

/** A set of slab classes: bits of the classes 0..31, and of 32..63. */
export interface ClassSet {
  low: number;
  high: number;
}

/** Adds `clsid` to `set`. */
export function addToClassSet(set: ClassSet, clsid: number): void {
  if (clsid < CLASSES_PER_WORD) set.low |= 1 << clsid;
  else set.high |= 1 << (clsid - CLASSES_PER_WORD);
}

/** Whether `clsid` is in `set`. */
export function isInClassSet(set: ClassSet, clsid: number): boolean {
  const word = clsid < CLASSES_PER_WORD ? set.low : set.high;
  return ((word >>> clsid % CLASSES_PER_WORD) & 1) === 1;
}

/** Wakes the maintenance thread. */
export function wakeMaintainer({ i32 }: Control): void {
  wakeWord(i32, Global.WAKE);
}

/** What {@linkcode sleepUntilWoken} waits for a change of: read it before looking for work. */
export function wakeCount({ i32 }: Control): number {
  return loadWord(i32, Global.WAKE);
}

/** Sleeps for `ms` milliseconds, or until another thread has woken this one since `count`. */
export function sleepUntilWoken({ i32 }: Control, count: number, ms: number): void {
  sleepOnWord(i32, Global.WAKE, count, ms);
}

/** Classes there are: a place in NEEDY_PAGES for the class beside the pages. */
const CLASSES = 64;

/**
 * Records that `clsid` has no chunk left, and wakes the maintenance thread for it.
 *
 * @param pages How many pages it needs.
 */
export function needPage(control: Control, clsid: number, pages = 1): void {
  const asked = pages * CLASSES + clsid;
  if (pages > 1 && asked > loadWord(control.i32, Global.NEEDY_PAGES)) {
    storeWord(control.i32, Global.NEEDY_PAGES, asked);
  }
  const word = clsid < CLASSES_PER_WORD ? Global.NEEDY_LOW : Global.NEEDY_HIGH;
  const bit = 1 << clsid % CLASSES_PER_WORD;
  if ((loadWord(control.i32, word) & bit) !== 0) return;
  orWord(control.i32, word, bit);
  wakeMaintainer(control);
}

/** Takes one of the classes that have no chunk left, and forgets it; undefined when none has. */
export function takeNeedy(
  { i32 }: Control,
): { readonly clsid: number; readonly pages: number } | undefined {
  for (const [word, base] of [[Global.NEEDY_LOW, 0], [Global.NEEDY_HIGH, 32]] as const) {
    const bits = loadWord(i32, word);
    if (bits === 0) continue;
    const place = 31 - Math.clz32(bits & -bits);
    andWord(i32, word, ~(1 << place));
    const clsid = base + place;
    const asked = loadWord(i32, Global.NEEDY_PAGES);
    if (asked % CLASSES !== clsid) return { clsid, pages: 1 };
    storeWord(i32, Global.NEEDY_PAGES, 0);
    return { clsid, pages: Math.max(1, Math.floor(asked / CLASSES)) };
  }
  return undefined;
}

/** Asks for a crawl of `classes`; false when one is under way. */
export function askCrawl(control: Control, classes: ClassSet): boolean {
  const { i32 } = control;
  if (loadWord(i32, Global.CRAWLING) !== 0) return false;
  if (compareExchangeWord(i32, Global.CRAWL_STATE, FREE, CLAIMED) !== FREE) return false;
  storeWord(i32, Global.CRAWL_LOW, classes.low);
  storeWord(i32, Global.CRAWL_HIGH, classes.high);
  storeWord(i32, Global.CRAWL_STATE, ASKED);
  wakeMaintainer(control);
  return true;
}

/** Takes the crawl that was asked for; undefined when none was. */
export function takeCrawl({ i32 }: Control): ClassSet | undefined {
  if (loadWord(i32, Global.CRAWL_STATE) !== ASKED) return undefined;
  const classes = {
    low: loadWord(i32, Global.CRAWL_LOW),
    high: loadWord(i32, Global.CRAWL_HIGH),
  };
  storeWord(i32, Global.CRAWLING, 1);
  storeWord(i32, Global.CRAWL_STATE, FREE);
  return classes;
}

/** Says whether a crawl runs. */
export function setCrawling({ i32 }: Control, running: boolean): void {
  storeWord(i32, Global.CRAWLING, running ? 1 : 0);
}

/** Whether a crawl runs, or is about to. */
export function isCrawling({ i32 }: Control): boolean {
  return loadWord(i32, Global.CRAWLING) !== 0 || loadWord(i32, Global.CRAWL_STATE) !== FREE;
}

/** The global page pool, in the place of a slab class. */
export const POOL = 0;

/** A page move: from a slab class or {@linkcode POOL} to another. */
export interface PageMove {
  readonly from: number;
  readonly to: number;
}

/** Asks for a move; false when one is under way. */
export function askMove(control: Control, { from, to }: PageMove): boolean {
  const { i32 } = control;
  if (compareExchangeWord(i32, Global.MOVE_STATE, FREE, CLAIMED) !== FREE) return false;
  storeWord(i32, Global.MOVE_FROM, from);
  storeWord(i32, Global.MOVE_TO, to);
  storeWord(i32, Global.MOVE_STATE, ASKED);
  wakeMaintainer(control);
  return true;
}

/** The move that was asked for, if any. It is under way until {@linkcode endMove}. */
export function askedMove({ i32 }: Control): PageMove | undefined {
  if (loadWord(i32, Global.MOVE_STATE) !== ASKED) return undefined;
  return { from: loadWord(i32, Global.MOVE_FROM), to: loadWord(i32, Global.MOVE_TO) };
}

/** Lets the next move be asked for. */
export function endMove({ i32 }: Control): void {
  storeWord(i32, Global.MOVE_STATE, FREE);
}

/** Whether a page moves, or is about to. */
export function isMoving({ i32 }: Control): boolean {
  return loadWord(i32, Global.MOVE_STATE) !== FREE;
}
