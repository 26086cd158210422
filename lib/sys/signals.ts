// Signals that a thread waits for, instead of being interrupted.
//
// A signal that every thread blocks stays pending until one waits for it. New threads, spawned
// processes and executed programs inherit the mask.
//
// sigset_t:  [ u32 × 32 ]      signal n is bit n - 1

import { SysError } from "./errno.ts";
import { libc } from "./libc.ts";

/** Source: asm-generic/signal.h; the same on x86-64 and arm64. */
export const SIGUSR1 = 10;

// Source: asm-generic/signal-defs.h.
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;

/** Words of a `sigset_t`. */
const SET_WORDS = 32;
const WORD_BITS = 32;

/** Where the number of the signal that has come is written. */
const arrived = new Int32Array(SET_WORDS);

/** Whether the calling thread blocks `signal`. */
export function isSignalBlocked(signal: number): boolean {
  const mask = new Uint32Array(SET_WORDS);
  changeMask(SIG_BLOCK, null, mask);
  const [word, bit] = placeOf(signal);
  return (mask[word]! >>> bit & 1) === 1;
}

/** Blocks `signal` in the calling thread, and in what it starts. */
export function blockSignal(signal: number): void {
  changeMask(SIG_BLOCK, setOf(signal), null);
}

/** Undoes {@linkcode blockSignal}. */
export function unblockSignal(signal: number): void {
  changeMask(SIG_UNBLOCK, setOf(signal), null);
}

/** Waits for `signal`, which every thread blocks; one that is pending has come already. */
export async function awaitSignal(signal: number): Promise<void> {
  const failure = await libc.sigwait(setOf(signal), arrived);
  if (failure !== 0) throw new SysError("sigwait", signal, failure);
}

function changeMask(
  how: number,
  set: Uint32Array<ArrayBuffer> | null,
  before: Uint32Array<ArrayBuffer> | null,
): void {
  const failure = libc.pthread_sigmask(how, set, before);
  if (failure !== 0) throw new SysError("pthread_sigmask", how, failure);
}

/** The set with `signal` only. */
function setOf(signal: number): Uint32Array<ArrayBuffer> {
  const set = new Uint32Array(SET_WORDS);
  const [word, bit] = placeOf(signal);
  set[word] = 1 << bit;
  return set;
}

function placeOf(signal: number): readonly [word: number, bit: number] {
  return [Math.floor((signal - 1) / WORD_BITS), (signal - 1) % WORD_BITS];
}
