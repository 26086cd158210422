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

/**
 * Writes `words[at]`; returns the value before.
 * @hot
 */
export function exchangeWord(words: Words, at: number, value: number): number {
  return Atomics.exchange(words, at, value);
}

/**
 * Writes `words[at]` if it is `expected`; returns the value before.
 * @hot
 */
export function compareExchangeWord(
  words: Words,
  at: number,
  expected: number,
  value: number,
): number {
  return Atomics.compareExchange(words, at, expected, value);
}

/** Sleeps until {@linkcode wakeWord}, for up to `ms` milliseconds, if `words[at]` is `expected`. */
export function sleepOnWord(
  words: Int32Array<SharedArrayBuffer>,
  at: number,
  expected: number,
  ms: number,
): void {
  Atomics.wait(words, at, expected, ms);
}

/** Changes `words[at]`, and wakes the threads that sleep on it or are about to. */
export function wakeWord(words: Int32Array<SharedArrayBuffer>, at: number): void {
  Atomics.add(words, at, 1);
  Atomics.notify(words, at);
}

/**
 * Waits, without stopping this thread, until {@linkcode wakeWord} or {@linkcode addAndWake} changes
 * `words[at]`, for up to `ms` milliseconds, if `words[at]` is `expected`.
 */
export async function changeOfWord(
  words: Int32Array<SharedArrayBuffer>,
  at: number,
  expected: number,
  ms: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const timer = setTimeout(resolve, ms); // A wait alone does not keep the event loop alive.
  Promise.resolve(Atomics.waitAsync(words, at, expected, ms).value).then(resolve);
  await promise;
  clearTimeout(timer);
}

/** Adds `delta`, wrapping, and wakes the threads that sleep on `words[at]`. */
export function addAndWake(
  words: Int32Array<SharedArrayBuffer>,
  at: number,
  delta: number,
): void {
  Atomics.add(words, at, delta);
  Atomics.notify(words, at);
}

/** Sets the bits `bits` of `words[at]`. */
export function orWord(words: Words, at: number, bits: number): void {
  Atomics.or(words, at, bits);
}

/** Keeps only those bits of `words[at]` that are in `bits`. */
export function andWord(words: Words, at: number, bits: number): void {
  Atomics.and(words, at, bits);
}
