// Atomic access to shared words: the only Atomics calls besides the locks.

/** Any integer view whose elements threads may share. */
export type Words = Int32Array | Uint32Array | Uint16Array;

/**
 * Reads `words[at]`.
 * @hot
 */
export function loadWord(words: Words, at: number): number {
  return Atomics.load(words, at);
}

/**
 * Writes `words[at]`.
 * @hot
 */
export function storeWord(words: Words, at: number, value: number): void {
  Atomics.store(words, at, value);
}

/**
 * Adds `delta`, wrapping; returns the value before.
 * @hot
 */
export function addWord(words: Words, at: number, delta: number): number {
  return Atomics.add(words, at, delta);
}
