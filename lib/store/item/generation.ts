// flush_all: which items it makes invisible.
//
// At once: every item carries the number of the flush generation it was stored in; a flush starts
// the next generation, and items of another one are flushed. So what is stored after the command
// lives, even in the same second. Delayed: items last stored or touched up to the moment named are
// flushed once it has come. One moment can be pending; a later command replaces it.
//
// The number has 16 bits. When it comes round, the clock decides: on entering a quarter of the
// generations, whatever was stored before that quarter was left in the last round is flushed, so
// that nothing of it comes back to life. That is 49,152 flushes ago, and what is stored now lives.
// A second is given, since threads may read the clock a second apart. Where nothing was stored in a
// generation, a flush starts none.

import { assert } from "../../base/assert.ts";
import { loadWord, storeWord } from "../../memory/atomic.ts";
import { type LockIndex, LockRank, type Locks } from "../../memory/lock.ts";
import { type Control, Global } from "../../memory/regions.ts";
import { itemGeneration, type ItemRef, type Items, itemTime } from "./item.ts";

const GENERATIONS = 0x10000;
const QUARTERS = 4;
const QUARTER = GENERATIONS / QUARTERS;

/**
 * Whether `it` was stored before the last flush.
 *
 * @param now Seconds since start.
 * @hot
 */
export function isFlushed(control: Control, items: Items, it: ItemRef, now: number): boolean {
  if (itemGeneration(items, it) !== control.u32[Global.FLUSH_GENERATION]) return true;
  const time = itemTime(items, it);
  if (time <= control.u32[Global.FLUSHED_UNTIL]!) return true;
  const oldestLive = control.u32[Global.OLDEST_LIVE]!;
  return oldestLive !== 0 && oldestLive <= now && time <= oldestLive;
}

/** The word that says whether anything was stored in a generation. */
function storedInWord(generation: number): number {
  return Global.STORED_IN + (generation & 1);
}

/**
 * The generation of an item that is stored now.
 *
 * A thread that is late may mark a generation that is over. That starts one for nothing, no more:
 * only a flush unmarks, and it unmarks the next generation's word before that one begins.
 * @hot
 */
export function storedGeneration({ u32 }: Control): number {
  const generation = u32[Global.FLUSH_GENERATION]!;
  const word = storedInWord(generation);
  if (u32[word] === 0) u32[word] = 1;
  return generation;
}

function assertSettingsHeld(locks: Locks): void {
  const isHeld = locks.holds(Global.SETTINGS_LOCK as LockIndex, LockRank.SETTINGS);
  assert(isHeld, "The settings are not held");
}

/** Flushes everything stored so far; no moment is pending then. Caller holds the settings lock. */
export function flushNowLocked(control: Control, locks: Locks, now: number): void {
  assertSettingsHeld(locks);
  const { u32 } = control;
  const generation = loadWord(u32, Global.FLUSH_GENERATION);
  storeWord(u32, Global.OLDEST_LIVE, 0);
  storeWord(u32, Global.FLUSHED_AT, now);
  if (loadWord(u32, storedInWord(generation)) === 0) return;
  const next = (generation + 1) % GENERATIONS;
  storeWord(u32, storedInWord(next), 0);
  if (next % QUARTER === 0) enterQuarter(u32, next / QUARTER, now);
  storeWord(u32, Global.FLUSH_GENERATION, next);
}

/** Leaves one quarter of the generations for the next one, `quarter`. */
function enterQuarter(u32: Control["u32"], quarter: number, now: number): void {
  const left = (quarter + QUARTERS - 1) % QUARTERS;
  storeWord(u32, Global.QUARTER_LEFT + left, now + 1);
  const until = loadWord(u32, Global.QUARTER_LEFT + quarter);
  if (until > loadWord(u32, Global.FLUSHED_UNTIL)) storeWord(u32, Global.FLUSHED_UNTIL, until);
}

/**
 * Flushes, once `at` has come, what was last stored or touched before it. Caller holds the settings
 * lock.
 *
 * @param at Seconds since start.
 */
export function flushLaterLocked(
  control: Control,
  locks: Locks,
  at: number,
  now: number,
): void {
  assertSettingsHeld(locks);
  settlePendingLocked(control, locks, now);
  storeWord(control.u32, Global.OLDEST_LIVE, at - 1);
  storeWord(control.u32, Global.FLUSHED_AT, at);
}

/** A pending moment that has come stays in force when another one takes its place. */
function settlePendingLocked(control: Control, locks: Locks, now: number): void {
  const { u32 } = control;
  const pending = loadWord(u32, Global.OLDEST_LIVE);
  // Nothing is younger: later sets may live.
  if (pending === now) flushNowLocked(control, locks, now);
  else if (pending <= now && pending > loadWord(u32, Global.FLUSHED_UNTIL)) {
    storeWord(u32, Global.FLUSHED_UNTIL, pending);
  }
}

/** Which words make up the flush state. */
const FLUSH_WORDS = [
  Global.OLDEST_LIVE,
  Global.FLUSH_GENERATION,
  Global.FLUSHED_UNTIL,
  Global.FLUSHED_AT,
  ...Array.from({ length: QUARTERS }, (_, quarter) => Global.QUARTER_LEFT + quarter),
] as const;

/** Numbers that {@linkcode flushState} gives. */
export const FLUSH_NUMBERS = FLUSH_WORDS.length;

/** The whole flush state, as {@linkcode restoreFlush} takes it. No thread may be at work. */
export function flushState({ u32 }: Control): number[] {
  return FLUSH_WORDS.map((word) => loadWord(u32, word));
}

/** Takes a flush state over. Before any thread uses the store. */
export function restoreFlush({ u32 }: Control, state: readonly number[]): void {
  FLUSH_WORDS.forEach((word, at) => storeWord(u32, word, state[at]!));
  // Restored items may be of the present generation.
  storeWord(u32, storedInWord(loadWord(u32, Global.FLUSH_GENERATION)), 1);
}
