// The message for a first word that is neither an option nor a sub-command.

import { FLAGS, hasLongName, isAvailable } from "../../config/options.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { SUB_COMMANDS } from "./sub_commands.ts";

/** Most letters that may be wrong, missing, too many, or in the place of the one beside them. */
const MISTAKES_MAX = 2;

/** What to throw for `word`, with the name that may have been meant. */
export function unknownWord(word: string): SettingsError {
  const meant = nearest(word);
  const hint = meant === undefined ? "memden -h lists what there is" : `did you mean ${meant}?`;
  return new SettingsError(`memden: ${word} is no option and no command; ${hint}`, ExitCode.USAGE);
}

/** The sub-command or flag whose name is most like `word`, as one would type it. */
function nearest(word: string): string | undefined {
  const [, name = word] = /^([\w-]+)=/.exec(word) ?? [];
  const candidates = [
    ...SUB_COMMANDS.map((command) => [command.name, command.name] as const),
    ...FLAGS.filter((it) => isAvailable(it) && hasLongName(it))
      .map((it) => [it.name, `--${it.name}`] as const),
  ];
  let meant: string | undefined = undefined;
  let least = Math.min(MISTAKES_MAX, Math.ceil(name.length / 3)) + 1;
  for (const [candidate, typed] of candidates) {
    const mistakes = mistakesBetween(name.toLowerCase(), candidate);
    if (mistakes >= least) continue;
    least = mistakes;
    meant = typed;
  }
  return meant;
}

/**
 * How many mistakes make `typed` of `meant`: letters that are wrong, missing or too many, and two
 * neighbours that have changed places.
 *
 * Source: the distance of optimal string alignment.
 */
export function mistakesBetween(typed: string, meant: string): number {
  const rows: number[][] = [Array.from({ length: meant.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= typed.length; i++) {
    const row = [i];
    for (let j = 1; j <= meant.length; j++) {
      const wrong = typed[i - 1] === meant[j - 1] ? 0 : 1;
      let least = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + wrong);
      const isSwapped = i > 1 && j > 1 && typed[i - 1] === meant[j - 2] &&
        typed[i - 2] === meant[j - 1];
      if (isSwapped) least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[typed.length]![meant.length]!;
}
