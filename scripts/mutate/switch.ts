// Which change is made at the moment, in a program that has all of them compiled in.
//
// Every change of schemata.ts asks isOn() whether it is made. The same call counts how far a test
// has come, and ends a loop that a change has left without an end.

/** No change: the program as it is. */
export const NONE = 0;

/** Says in the environment which change is made while modules load. */
const AT_START = "MEMDEN_CHANGE_AT_START";

/** The change that is made while modules load. */
export const FIRST = Number(Deno.env.get(AT_START) ?? NONE);

let active = FIRST;
let steps = 0;
let stepsMax = Infinity;
let reached = new Set<number>();

/** What a process needs in its environment to load its modules with the change `id` made. */
export function atStart(id: number): Record<string, string> {
  return { [AT_START]: String(id) };
}

/**
 * Whether the change `id` is made. Called by the program at the place of the change.
 *
 * @param isCompared Whether {@linkcode compared} says if a test reaches it.
 * @throws {Error} When more than the steps of {@linkcode begin} were made.
 */
export function isOn(id: number, isCompared = false): boolean {
  if (++steps > stepsMax) throw new Error("The test does not end");
  if (!isCompared) reached.add(id);
  return id === active;
}

/**
 * Returns `value`, and notes whether the change `id` would make another one of it: a test in which
 * it never does cannot fail by it.
 *
 * @param other What the change makes of it; without effects.
 */
export function compared<T>(id: number, value: T, other: () => unknown): T {
  if (active === NONE && !reached.has(id) && differs(value, other)) reached.add(id);
  return value;
}

function differs(value: unknown, other: () => unknown): boolean {
  try {
    return !Object.is(value, other());
  } catch {
    return true;
  }
}

/** Makes the change `id`, or {@linkcode NONE}, and allows `most` calls of isOn(). */
export function begin(id: number, most: number): void {
  active = id;
  steps = 0;
  stepsMax = most;
  reached = new Set();
}

/** The calls of isOn() since {@linkcode begin}, and for which changes. */
export function progress(): { steps: number; reached: number[] } {
  return { steps, reached: [...reached] };
}
