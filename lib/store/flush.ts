// flush_all: which items it makes invisible.
//
// At once: every item carries the number of the flush generation it was stored in; a flush starts
// the next generation, and items of another one are flushed. So what is stored after the command
// lives, even in the same second. Delayed: items last stored or touched up to the moment named are
// flushed once it has come. One moment can be pending; a later command replaces it.
//
// The number has 16 bits. Should one second see so many flushes that it would come round, the clock
// decides: whatever was stored in that second is flushed until the next one begins.

import { loadWord, storeWord } from "../memory/atomic.ts";
import { type Control, Global } from "../memory/regions.ts";
import { itemGeneration, type ItemRef, type Items, itemTime } from "./item.ts";

const GENERATIONS = 0x10000;

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

/** The generation that items stored now belong to. */
export function flushGeneration(control: Control): number {
  return control.u32[Global.FLUSH_GENERATION]!;
}

/** Flushes everything stored so far, and any pending moment. Caller holds the settings lock. */
export function flushNowLocked(control: Control, now: number): void {
  const { u32 } = control;
  const inSecond = u32[Global.FLUSH_SECOND] === now ? u32[Global.FLUSHES_IN_SECOND]! + 1 : 1;
  u32[Global.FLUSH_SECOND] = now;
  u32[Global.FLUSHES_IN_SECOND] = inSecond;
  storeWord(u32, Global.FLUSHED_UNTIL, inSecond < GENERATIONS ? now - 1 : now);
  storeWord(u32, Global.OLDEST_LIVE, 0);
  const generation = loadWord(u32, Global.FLUSH_GENERATION);
  storeWord(u32, Global.FLUSH_GENERATION, (generation + 1) % GENERATIONS);
}

/**
 * Flushes, once `at` has come, what was last stored or touched before it. Caller holds the settings
 * lock.
 *
 * @param at Seconds since start.
 */
export function flushLaterLocked(control: Control, at: number): void {
  storeWord(control.u32, Global.OLDEST_LIVE, at - 1);
}
