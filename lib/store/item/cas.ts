// Version numbers of items: 64 bits, one sequence for the whole server, without a lock or BigInt.
//
// The low word is a shared counter that every thread adds to. The high word cannot be read together
// with it, so a second word counts the half-turns of the low one: its parity must equal the low
// word's top bit. When it does not, the reader came just before or just after the thread that
// counts the half-turn, and which of both shows in the low word: near its start the count is late,
// near its end early. That is right as long as no thread sleeps through 2^30 versions between two
// instructions.

import type { U64 } from "../../base/u64.ts";
import { addWord, loadWord, storeWord } from "../../memory/atomic.ts";
import { type Control, Global } from "../../memory/regions.ts";

const HALF_TURN_LAST = 0x7fffffff;
const QUARTER_TURN = 0x40000000;

/**
 * Takes the next version into `cas`; the first one is 1.
 * @hot
 */
export function takeCas(control: Control, cas: U64): void {
  const low = (addWord(control.u32, Global.CAS_LOW, 1) + 1) >>> 0;
  const place = low & HALF_TURN_LAST;
  const parity = low >>> 31;
  // The thread that takes the first version of a half-turn counts it.
  let epoch = place === 0
    ? addWord(control.u32, Global.CAS_EPOCH, 1) + 1
    : control.u32[Global.CAS_EPOCH]!;
  if ((epoch & 1) !== parity) epoch += place < QUARTER_TURN ? 1 : -1;
  cas.set(epoch >>> 1, low);
}

/** The last version taken, into `cas`. For stats and checks. */
export function lastCas(control: Control, cas: U64): void {
  cas.set(loadWord(control.u32, Global.CAS_EPOCH) >>> 1, loadWord(control.u32, Global.CAS_LOW));
}

/** The state of the sequence: the low word, and the count of its half-turns. */
export type CasState = readonly [low: number, epoch: number];

/** What {@linkcode restoreCas} needs to go on with the sequence. No thread may be at work. */
export function casState({ u32 }: Control): CasState {
  return [loadWord(u32, Global.CAS_LOW), loadWord(u32, Global.CAS_EPOCH)];
}

/** Goes on with the sequence from where it was. Before any thread uses the store. */
export function restoreCas({ u32 }: Control, [low, epoch]: CasState): void {
  storeWord(u32, Global.CAS_LOW, low);
  storeWord(u32, Global.CAS_EPOCH, epoch);
}
