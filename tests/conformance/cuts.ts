// Where the bytes of a step are cut in two, so that what the server answers is shown not to depend
// on how the network cut them.

import { Prng } from "../../lib/base/prng.ts";
import { type Conversation, type ServerKind, type Step, stepsFor } from "./script.ts";
import { PREFIX_LENGTH, render, type Scope } from "./template.ts";

/** Every position this near to either end is cut at. */
const EDGE = 64;
/** Cuts in between, when a step is longer than both edges and these together. */
const MIDDLE_CUTS = 50;
/** Steps of at least so many bytes are cut less often behind their first line: plays are slow. */
const HUGE = 256 * 1024;
const HUGE_LAST_EDGE = 8;
const HUGE_MIDDLE_CUTS = 16;

/** Rounds of each conversation when there is not the time for all. */
const FEW_ROUNDS = 2;

/**
 * How often a conversation is cut: at every position, at a few, or not at all; with or without one
 * more play with its steps glued together.
 */
export type Cuts = "all" | "few" | "glued" | "none";

/** Positions to cut `length` bytes at, each in `[1, length)`, ascending and without repeats. */
export function cutPositions(length: number, prng: Prng): number[] {
  const positions = new Set<number>();
  if (length <= 2 * EDGE + MIDDLE_CUTS) {
    for (let at = 1; at < length; at++) positions.add(at);
    return [...positions];
  }
  const huge = length >= HUGE;
  for (let at = 1; at <= EDGE; at++) positions.add(at);
  for (let left = 1; left <= (huge ? HUGE_LAST_EDGE : EDGE); left++) positions.add(length - left);
  for (let i = 0; i < (huge ? HUGE_MIDDLE_CUTS : MIDDLE_CUTS); i++) {
    positions.add(EDGE + 1 + prng.below(length - 2 * EDGE - 1));
  }
  return [...positions].sort((a, b) => a - b);
}

/**
 * The rounds in which `conversation` is played cut: each round names, for every step that is meant
 * for `server`, where to cut it, or undefined to leave it whole. Over all rounds every step is cut
 * at each of its positions.
 */
export function cutRounds(
  conversation: Conversation,
  server: ServerKind,
  seed: number,
): (readonly (number | undefined)[])[] {
  const positions = stepsFor(conversation.steps, server).map((step) =>
    cutPositions(lengthOf(step), new Prng(seed + step.line))
  );
  const count = Math.max(0, ...positions.map((of) => of.length));
  return Array.from({ length: count }, (_, round) => positions.map((of) => of[round]));
}

/** A few of `rounds`, in their order; which ones is decided by `seed`. */
export function fewOf<Round>(rounds: readonly Round[], seed: number): Round[] {
  const prng = new Prng(seed);
  const left = rounds.map((_, index) => index);
  const drawn = Array.from(
    { length: Math.min(FEW_ROUNDS, left.length) },
    () => left.splice(prng.below(left.length), 1)[0]!,
  );
  return drawn.sort((a, b) => a - b).map((index) => rounds[index]!);
}

/** Bytes that `step` sends, as far as they are known before it is played. */
function lengthOf(step: Step): number {
  return step.sends.reduce((sum, template) => sum + render(template, ANY).length, 0);
}

/** Holds a number by every name: its length stands for that of a number not captured yet. */
class EveryNumber extends Map<string, bigint> {
  override get(): bigint {
    return 1000n;
  }
  override has(): boolean {
    return true;
  }
}

const ANY: Scope = { prefix: "x".repeat(PREFIX_LENGTH), numbers: new EveryNumber() };
