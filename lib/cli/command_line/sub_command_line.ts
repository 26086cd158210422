// The command line of a sub-command: from argv to the options given, and the text of `-h`.

import { parseArgs } from "@std/cli/parse-args";
import { MEMDEN_VERSION } from "../../base/version.ts";
import { ExitCode, SettingsError } from "../../config/settings_error.ts";
import { OPERAND, SUB_COMMANDS } from "./sub_commands.ts";
import type { SubCommand, SubOption, SubOptionName } from "./sub_commands.ts";

const COLUMNS = 100;

/** Where explanations start in the text of `-h`. */
const HELP_COLUMN = 26;

/** What was given on the command line of a sub-command, checked and completed by defaults. */
export interface Given {
  /** The only operand; empty when there was none. */
  readonly operand: string;
  /** Whether a flag was given. */
  has(name: SubOptionName): boolean;
  /** The text of an option; undefined when it was not given and has no default. */
  text(name: SubOptionName): string | undefined;
  /** The number of an option; `absent` when it was not given and has no default. */
  number(name: SubOptionName, absent?: number): number;
}

/**
 * Reads what follows the name of a sub-command.
 *
 * Of an option that is repeated the last one counts.
 */
export function parseSubCommand({ name, options }: SubCommand, argv: readonly string[]): Given {
  const refuse = (problem: string): never => {
    const message = `memden ${name}: ${problem}; memden ${name} -h lists what there is`;
    throw new SettingsError(message, ExitCode.FAILURE);
  };
  const withLetter = options.filter(({ letter }) => letter !== "");
  const parsed: Readonly<Record<string, unknown>> & { readonly _: readonly unknown[] } = parseArgs(
    [...argv],
    {
      string: ["_", ...options.filter(({ kind }) => kind !== "flag").map((it) => it.name)],
      boolean: options.filter(({ kind }) => kind === "flag").map((it) => it.name),
      alias: Object.fromEntries(withLetter.map((it) => [it.name, it.letter])),
      unknown: (arg: string, key?: string) =>
        key === undefined ? true : refuse(`unknown option ${arg}`),
    },
  );

  const values = new Map<string, string>();
  for (const option of options) {
    const value = parsed[option.name];
    if (option.kind === "flag" && typeof value === "string") {
      refuse(`--${option.name} takes no value`);
    }
    if (option.kind === "flag" ? value === true : typeof value === "string") {
      const problem = problemOf(option, String(value));
      if (problem !== undefined) refuse(problem);
      values.set(option.name, String(value));
    } else if (option.fallback !== "") {
      values.set(option.name, option.fallback);
    }
  }
  const [operand = "", ...more] = parsed._;
  if (more.length > 0) refuse(`one ${OPERAND.name} at most`);
  return {
    operand: String(operand),
    has: (option) => values.has(option),
    text: (option) => values.get(option),
    number: (option, absent = NaN) => values.has(option) ? Number(values.get(option)) : absent,
  };
}

/** Why `text` cannot be the value of an option; undefined when it can. */
function problemOf({ name, kind, allowed }: SubOption, text: string): string | undefined {
  if (text === "") return `--${name} needs a value`;
  const [min, max] = allowed;
  if (min === undefined || max === undefined) return undefined;
  const form = kind === "count" ? /^\d+$/ : /^\d*\.?\d+$/;
  const number = form.test(text) ? Number(text) : NaN;
  if (number >= min && number <= max) return undefined;
  return `cannot use --${name}=${text}: must be a number from ${min} to ${max}`;
}

/** What stands at the end of the server's `-h`. */
export function subCommandsText(): string {
  const rows = SUB_COMMANDS.map(({ name, summary }) =>
    entry(`memden ${name} [${OPERAND.name}]`, [
      `${summary} (see memden ${name} -h)`,
    ])
  );
  return `\n${rows.join("")}`;
}

/** What `memden NAME -h` prints. */
export function subCommandHelp(command: SubCommand): string {
  const { name, summary, about, options, keys } = command;
  const optionRows = options.map((it) => entry(usageOf(it), [explain(it)]));
  const keyRows = keys.map(([key, meaning]) => entry(key, [meaning]));
  return [
    `memden ${MEMDEN_VERSION}: ${summary}\nmemden ${name} [options] [${OPERAND.name}]\n`,
    about.map((sentences) => entry("", [sentences], 0)).join("\n"),
    entry(OPERAND.name, [OPERAND.help]) + optionRows.join(""),
    ...(keys.length === 0 ? [] : [`Keys:\n${keyRows.join("")}`]),
  ].join("\n");
}

/** `-d, --delay=<seconds>` */
export function usageOf({ letter, name, value }: SubOption): string {
  const usage = `${letter === "" ? "" : `-${letter}, `}--${name}`;
  return value === "" ? usage : `${usage}=<${value}>`;
}

/** The help of an option, with its default. */
export function explain({ help, fallback }: SubOption): string {
  return fallback === "" ? help : `${help} (default: ${fallback})`;
}

/** `usage`, and words behind it that are wrapped at {@linkcode COLUMNS}. */
function entry(usage: string, [text = ""]: readonly string[], column = HELP_COLUMN): string {
  let line = usage.padEnd(column - 1);
  let lines = "";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > COLUMNS) {
      lines += `${line}\n`;
      line = " ".repeat(Math.max(0, column - 1));
    }
    line += line === "" ? word : ` ${word}`;
  }
  return `${lines}${line}\n`;
}
