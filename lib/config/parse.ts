// The command line: from argv to the text of each option, by the rules of getopt_long.
//
// readOptions() follows getopt_long: bundles (`-dvv`), values attached (`-m64`), separate or behind
// `=`, unambiguous long prefixes, `--` ends the options. Operands, which memcached ignores, are
// refused. What it yields is in canonical form, `--name=value`, which std's parseArgs then gathers
// by name. What the texts mean is not decided here.
// Source: memcached memcached.c, main(); glibc getopt_long(3) and getsubopt(3).

import { parseArgs } from "@std/cli/parse-args";
import { FLAGS, hasLongName, needsValue, SUBOPTIONS } from "./options.ts";
import type { Option, OptionName } from "./options.ts";
import { ExitCode, SettingsError } from "./settings_error.ts";

/** What to do instead of serving: print something and exit with 0. */
export type Action = "help" | "license" | "version";

/** The options as typed, neither checked nor completed by defaults. */
export interface RawValues {
  /** For each flag given, its texts in order; "" for one without a value. */
  readonly flags: ReadonlyMap<OptionName, readonly string[]>;
  /** The sub-options of every `-o`, in order; "" where no value was given. */
  readonly suboptions: readonly (readonly [name: OptionName, text: string])[];
}

/** What the command line asks for. */
export type CommandLine =
  | { readonly action: Action }
  | { readonly action: "serve"; readonly raw: RawValues };

/** One option as getopt_long finds it; `text` is undefined when it has no value. */
type Found = readonly [option: Option, text: string | undefined];

/**
 * Reads a command line.
 *
 * As in memcached, `-h`, `-i` and `-V` act where they stand: an unknown option before them is an
 * error, one after them is never seen.
 *
 * @param argv What follows the program's name.
 * @throws {SettingsError} For an option or sub-option that memcached does not know, for a value
 * that is missing or superfluous, and for a word that is no option.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const canonical: string[] = [];
  for (const [option, text] of readOptions(argv)) {
    if (option.kind === "action") return { action: option.name as Action };
    canonical.push(text === undefined ? `--${option.name}` : `--${option.name}=${text}`);
  }

  const names = FLAGS.map((option) => option.name);
  const parsed: Readonly<Record<string, unknown>> = parseArgs(canonical, {
    string: names,
    collect: names,
  });
  const flags = new Map<OptionName, readonly string[]>();
  for (const name of names) {
    const texts = parsed[name];
    if (Array.isArray(texts) && texts.length > 0) flags.set(name, texts.map(String));
  }
  return {
    action: "serve",
    raw: { flags, suboptions: readSuboptions(flags.get("extended") ?? []) },
  };
}

/** Walks argv as getopt_long does. A caller that stops early leaves the rest unread. */
function* readOptions(argv: readonly string[]): Generator<Found> {
  let at = 0;
  /** The next element, as the value of `option`; getopt takes it whatever it looks like. */
  const takeNext = (option: Option): string => {
    if (at === argv.length) throw illegalArgument(`-${option.letter} needs a value`);
    return argv[at++]!.trimStart();
  };

  while (at < argv.length) {
    const arg = argv[at++]!.trimStart(); // Charts have an option and its value in one word.
    if (isBlank(arg)) continue;
    if (arg === "--") return refuseOperands(argv.slice(at));
    if (!arg.startsWith("-")) throw illegalArgument(`${arg} is no option`);
    if (arg.startsWith("--")) yield readLong(arg.slice(2), takeNext);
    else yield* readBundle(arg.slice(1), takeNext);
  }
}

/** An operand that says nothing: a variable of a script that is not set, or a list in a list. */
function isBlank(arg: string): boolean {
  return arg === "" || arg === "-";
}

/**
 * Refuses what stands behind the options: memcached ignores it, and with it what was meant by it.
 *
 * @throws {SettingsError} For the first operand that says something.
 */
function refuseOperands(operands: readonly string[]): void {
  const operand = operands.find((it) => !isBlank(it.trimStart()));
  if (operand !== undefined) throw illegalArgument(`${operand} is no option`);
}

/** Reads `name`, `name=value`, or `name` followed by its value. */
function readLong(arg: string, takeNext: (option: Option) => string): Found {
  const [name, text] = splitAtEquals(arg);
  const option = findLong(name);
  if (text === undefined) return [option, needsValue(option) ? takeNext(option) : undefined];
  if (!needsValue(option) && option.kind !== "count") {
    throw illegalArgument(`--${option.name} takes no value`);
  }
  return [option, text.trimStart()];
}

/** Reads the letters behind one dash; the first that needs a value takes the rest of them. */
function* readBundle(letters: string, takeNext: (option: Option) => string): Generator<Found> {
  for (let at = 0; at < letters.length; at++) {
    const option = FLAGS.find(({ letter }) => letter === letters[at]);
    if (option === undefined) throw illegalArgument(`unknown option -${letters[at]}`);
    if (!needsValue(option)) {
      yield [option, undefined];
      continue;
    }
    const rest = letters.slice(at + 1);
    yield [option, rest === "" ? takeNext(option) : rest.trimStart()];
    return;
  }
}

/**
 * Finds the flag with this long name, or the only one that starts with it. Options that memcached
 * does not have, those without a letter, make no beginning ambiguous that is not so there.
 */
function findLong(name: string): Option {
  const matching = FLAGS.filter((it) => hasLongName(it) && it.name.startsWith(name));
  const exact = matching.find((it) => it.name === name);
  if (exact !== undefined) return exact;
  const memcached = matching.filter(({ letter }) => letter !== "");
  const candidates = memcached.length > 0 ? memcached : matching;
  if (candidates.length === 1) return candidates[0]!;
  if (candidates.length === 0) throw illegalArgument(`unknown option --${name}`);
  const names = candidates.map((it) => `--${it.name}`).join(", ");
  throw illegalArgument(`--${name} could be ${names}`);
}

/** Splits the comma-separated values of every `-o`. Later ones stay later. */
function readSuboptions(texts: readonly string[]): [OptionName, string][] {
  return texts.flatMap((text) => {
    const parts = text.split(",").map((part) => part.trimStart());
    if (parts.at(-1) === "") parts.pop(); // getsubopt() allows a comma at the end.
    return parts.map(readSuboption);
  });
}

/**
 * Reads `name` or `name=value`.
 *
 * A value for a switch is refused: memcached ignores it, so `slab_reassign=0` there turns it on.
 */
export function readSuboption(part: string): [OptionName, string] {
  const [name, text] = splitAtEquals(part);
  const option = SUBOPTIONS.find((it) => it.name === name);
  if (option === undefined) {
    throw new SettingsError(`Illegal suboption "${part}"`, ExitCode.FAILURE);
  }
  if (text === undefined && needsValue(option)) {
    throw new SettingsError(`Cannot use -o ${name}: it needs a value`, ExitCode.FAILURE);
  }
  if (text !== undefined && option.value === "") {
    throw new SettingsError(`Cannot use -o ${part}: ${name} takes no value`, ExitCode.FAILURE);
  }
  return [option.name, text?.trimStart() ?? ""];
}

function splitAtEquals(text: string): [name: string, value: string | undefined] {
  const at = text.indexOf("=");
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** The line that memcached prints for every error of getopt, followed by what was wrong. */
function illegalArgument(reason: string): SettingsError {
  return new SettingsError(`Illegal argument "?": ${reason}`, ExitCode.FAILURE);
}
