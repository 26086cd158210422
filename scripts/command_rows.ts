// Every command line that the executable understands, as rows for the man page and for completions:
// the server's options, those of `-o`, and each sub-command's.

import { explain } from "../lib/config/help.ts";
import { FLAGS, hasLongName, isAvailable, needsValue, type Option } from "../lib/config/options.ts";
import { SUBOPTIONS } from "../lib/config/options.ts";
import { explain as explainSub } from "../lib/cli/command_line/sub_command_line.ts";
import type { SubCommand, SubOption } from "../lib/cli/command_line/sub_commands.ts";

/** What stands at the top of a file that is made from these rows. */
export const GENERATED =
  "Generated from lib/config/options.ts and lib/cli/sub_commands.ts by `deno task docs`.";

/**
 * What a shell can offer as the value of an option.
 *
 * - `words`: one of a few; `suboptions`: those of `-o`
 * - `files`, `users`: what the system has
 * - `none`: nothing
 */
export type Offer = "none" | "words" | "files" | "users" | "suboptions";

/** One option. */
export interface OptionRow {
  /** Empty where there is only a name. */
  readonly letter: string;
  /** The long name, or that of a sub-option; empty where there is only a letter. */
  readonly name: string;
  /** What the value is; empty when there is none. */
  readonly value: string;
  /** Whether it may be given without its value. */
  readonly isValueOptional: boolean;
  readonly offer: Offer;
  /** For `words`: all of them. */
  readonly words: readonly string[];
  readonly repeats: boolean;
  /** One line, with the default. */
  readonly help: string;
}

/** The server's options that can be used, in the order of `-h`. */
export function serverRows(): OptionRow[] {
  return FLAGS.filter(isAvailable).map(serverRow);
}

/** The options of `-o` that can be used. */
export function suboptionRows(): OptionRow[] {
  return SUBOPTIONS.filter(isAvailable).map(serverRow);
}

/** The options of a sub-command. */
export function subCommandRows({ options }: SubCommand): OptionRow[] {
  return options.map((option: SubOption) => ({
    letter: option.letter,
    name: option.name,
    value: option.value,
    isValueOptional: false,
    offer: option.kind === "file" ? "files" : "none",
    words: [],
    repeats: false,
    help: explainSub(option),
  }));
}

function serverRow(option: Option): OptionRow {
  const isCount = option.kind === "count";
  return {
    letter: option.letter,
    name: hasLongName(option) ? option.name : "",
    value: isCount ? "num" : option.value,
    isValueOptional: isCount || (option.value !== "" && !needsValue(option)),
    offer: offerOf(option),
    words: option.kind === "word" ? option.allowed.map(String) : [],
    repeats: isCount || option.kind === "list",
    help: explain(option),
  };
}

function offerOf({ kind, name, value }: Option): Offer {
  if (kind === "word") return "words";
  if (name === "extended") return "suboptions";
  if (value === "file") return "files";
  return value === "user" ? "users" : "none";
}

/** The ways to write an option, without its value: `-p`, `--port`. */
export function spellings({ letter, name }: OptionRow): string[] {
  return [...(letter === "" ? [] : [`-${letter}`]), ...(name === "" ? [] : [`--${name}`])];
}
