// Commands with sub-commands: extstore, lru, lru_crawler, slabs. They are rare, so their words may
// be strings.

import { ascii } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { parseInt64, parseUint } from "../../base/decimal.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { TunableName } from "../../store/control/tunables.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";

/** Largest number that most sub-commands take. */
export const U32_MAX = 0xffffffff;

/** The words of a line behind the command's name. */
export type Words = readonly string[];

/**
 * Runs a sub-command; returns the reply line, or undefined when it has written its reply itself.
 */
export type SubCommand = (
  executor: Executor,
  words: Words,
  session: Session,
  replies: ReplyBuffer,
) => Block | undefined;

/** A sub-command, and the fewest words of its line, its name included. */
export type SubCommandRow = readonly [wordsMin: number, run: SubCommand];

/** A number without a sign; NaN for anything else. */
export function uintOf(word: string | undefined, max: number): number {
  const bytes = ascii(word ?? "");
  return parseUint(bytes, 0, bytes.length, max);
}

/** A whole number; NaN for anything else. */
export function intOf(word: string | undefined): number {
  const bytes = ascii(word ?? "");
  return parseInt64(bytes, 0, bytes.length);
}

/** A decimal number; NaN for anything else. */
export function decimalOf(word: string | undefined): number {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(word ?? "") ? Number(word) : NaN;
}

/** Sets a tunable if `value` is a number in `[min, max]`. */
export function tune(
  { store }: Executor,
  name: TunableName,
  value: number,
  [min, max]: readonly [number, number],
  refusal: Block = Reply.ERROR,
): Block {
  if (!(value >= min && value <= max)) return refusal;
  store.tunables.set(name, value);
  return Reply.OK;
}

/** Runs the sub-command that the second word of the line names. */
export function runSubCommand(
  rows: Readonly<Record<string, SubCommandRow>>,
  executor: Executor,
  session: Session,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const words = Array.from(
    { length: executor.tokens.count - 1 },
    (_, index) => executor.wordOf(block, index + 1),
  );
  if (session.noreply) words.pop();
  const name = words[0] ?? "";
  const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
  const line = row === undefined || words.length < row[0]
    ? Reply.ERROR
    : row[1](executor, words, session, replies);
  if (line !== undefined) replies.write(line);
  else session.noreply = false; // `noreply` does not suppress a list.
  return Outcome.DONE;
}
