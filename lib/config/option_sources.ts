// Where options come from: a file, the environment, the command line.
//
// A later source replaces what an earlier one says of an option, be it a list or a count; only the
// sub-options of -o, which are options themselves, add up. The file is memcached.conf as Debian's
// scripts read it: an option to a line as on a command line, comments, and `logfile FILE`.
// Source: Debian's memcached, start-memcached and systemd-memcached-wrapper.

import type { Environment, OptionName } from "./options.ts";
import { type CommandLine, parseCommandLine, type RawValues } from "./parse.ts";
import { ExitCode, SettingsError } from "./settings_error.ts";
import { Values } from "./values.ts";
import { splitWords } from "./words.ts";

/** Longest file that is read, in bytes. A file that never ends ends there. */
const FILE_BYTES_MAX = 65_536;

/** Lines that Debian's scripts skip: in the background or not, the one who starts it says. */
const SKIPPED = /^-[dh]/;

/** A mutable {@linkcode RawValues}. */
interface Gathered {
  readonly flags: Map<OptionName, readonly string[]>;
  readonly suboptions: RawValues["suboptions"][number][];
}

/**
 * Reads the options of all sources.
 *
 * @param argv What follows the program's name. `-h`, `-i` and `-V` in it leave the others unread.
 * @throws {SettingsError} As {@linkcode parseCommandLine}, and for a file that cannot be read. An
 * error in the file names the file and the line.
 */
export function readOptions(argv: readonly string[], env: Environment): CommandLine {
  const commandLine = parseCommandLine(argv);
  if (commandLine.action !== "serve") return commandLine;
  const variable = within("MEMDEN_OPTS", () => rawOf(splitWords(env.MEMDEN_OPTS ?? "")));
  const path = lastOf(commandLine.raw, "config") ?? lastOf(variable, "config");
  const file = path === undefined ? noOptions() : parseFile(readText(path), path);
  return { action: "serve", raw: layered([file, variable, commandLine.raw]) };
}

/** Reads what is in the file `path`: {@linkcode readOptions}. */
export function parseFile(text: string, path: string): RawValues {
  const gathered = noOptions();
  text.split("\n").forEach((line, at) => {
    if (SKIPPED.test(line.trimStart())) return;
    const { flags, suboptions } = within(`${path}:${at + 1}`, () => rawOf(wordsOf(line)));
    // Lines are one command line: lists grow and counts add up from one to the next.
    for (const [name, texts] of flags) {
      gathered.flags.set(name, [...gathered.flags.get(name) ?? [], ...texts]);
    }
    gathered.suboptions.push(...suboptions);
  });
  return gathered;
}

/** The words of a line; a directive is turned into the option that does the same. */
function wordsOf(line: string): readonly string[] {
  const words = splitWords(line, "#");
  const [first = "-", ...rest] = words;
  if (first.startsWith("-")) {
    const isNested = words.some((word) => /^--conf/.test(word));
    if (isNested) throw new SettingsError("a file cannot name another one", ExitCode.USAGE);
    return words;
  }
  if (first !== "logfile") throw new SettingsError(`unknown word "${first}"`, ExitCode.USAGE);
  return [`--logfile=${rest.join(" ")}`];
}

/** Parses words and checks each value by itself, so that an error names its source. */
function rawOf(words: readonly string[]): RawValues {
  const parsed = parseCommandLine(words);
  if (parsed.action !== "serve") {
    const message = `--${parsed.action} is for the command line only`;
    throw new SettingsError(message, ExitCode.USAGE);
  }
  new Values(parsed.raw);
  return parsed.raw;
}

/** Puts sources over each other, the last on top. */
function layered(sources: readonly RawValues[]): RawValues {
  const gathered = noOptions();
  for (const { flags, suboptions } of sources) {
    for (const [name, texts] of flags) gathered.flags.set(name, texts);
    gathered.suboptions.push(...suboptions);
  }
  return gathered;
}

function noOptions(): Gathered {
  return { flags: new Map(), suboptions: [] };
}

function lastOf({ flags }: RawValues, name: OptionName): string | undefined {
  return flags.get(name)?.at(-1);
}

/** Runs `read`, and puts `place` in front of the message of a SettingsError. */
function within<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(`${place}: ${error.message}`, error.exitCode);
  }
}

/** The text of the file; it may be a pipe, of which no more is read than a file may have. */
function readText(path: string): string {
  const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
  const length = readInto(bytes, path);
  const text = new TextDecoder().decode(bytes.subarray(0, length));
  if (length <= FILE_BYTES_MAX && !text.includes("\0")) return text;
  const reason = length > FILE_BYTES_MAX ? `more than ${FILE_BYTES_MAX} bytes` : "not a text file";
  throw new SettingsError(`Cannot read --config=${path}: ${reason}`, ExitCode.USAGE);
}

/** Reads as much of the file as there is room for; returns how much that was. */
function readInto(bytes: Uint8Array, path: string): number {
  try {
    using file = Deno.openSync(path);
    let length = 0;
    for (let count: number | null = 1; count !== null && length < bytes.length;) {
      count = file.readSync(bytes.subarray(length));
      length += count ?? 0;
    }
    return length;
  } catch (error) {
    const reason = (error as Error).message.replace(/ \(os error \d+\).*$/, "");
    throw new SettingsError(`Cannot read --config=${path}: ${reason}`, ExitCode.USAGE);
  }
}
