// What is longer than the style allows, and why it reads better that way than cut in two.
//
// A ratchet: each number is the present length, so it can only go down, and a row goes away with
// the last line too many. tidy.ts looks at files, the lint plugin at functions.

/** One allowed excess. */
export interface Excess {
  /** Present length in lines. */
  readonly lines: number;
  readonly why: string;
}

/** Longest file, in lines. */
export const FILE_LINES_MAX = 400;

/** Longest function, in lines, without its doc comment. */
export const FUNCTION_LINES_MAX = 60;

/** Files over {@linkcode FILE_LINES_MAX}, by path. */
export const LONG_FILES: ReadonlyMap<string, Excess> = new Map([]);

/** Functions over {@linkcode FUNCTION_LINES_MAX}, by `path#name`. */
export const LONG_FUNCTIONS: ReadonlyMap<string, Excess> = new Map([]);

/**
 * Says what is wrong with a length, if anything.
 *
 * @param max The limit that holds without a row in the table.
 * @returns A sentence; undefined when all is well.
 */
export function lengthProblem(
  lines: number,
  max: number,
  excess: Excess | undefined,
): string | undefined {
  const allowed = excess?.lines ?? max;
  if (lines > allowed) return `${lines} lines; at most ${allowed}`;
  if (excess === undefined || lines === allowed) return undefined;
  if (lines <= max) return `${lines} lines; take its row out of scripts/ratchet.ts`;
  return `${lines} lines; lower its row in scripts/ratchet.ts, now ${allowed}`;
}
