// Options as a program gives them: `{ memoryLimit: 256, idleTimeout: 60 }`.
//
// Names are those of the table in camelCase, whether a flag has the name or a sub-option of `-o`,
// and the types are made of its rows. What is given becomes what a command line would have given,
// so that both are checked in one place.

import { FLAGS, type Kind, type Option, type OptionRow, SUBOPTIONS } from "./options.ts";
import type { OptionName } from "./options.ts";
import type { RawValues } from "./parse.ts";
import { ExitCode, SettingsError } from "./settings_error.ts";

/** Options of a server process, which a server embedded in another program does not have. */
const NOT_NAMED = [
  ...["user", "pidfile", "daemon", "enable-coredumps", "config", "logfile", "admin"] as const,
  ...["admin-keys", "extended"] as const,
] as const;

/** Kinds that have no name: what acts at once, and what other options say as well. */
type Unnamed = "action" | "off" | "preset";

/** `memory-limit` and `idle_timeout` as `memoryLimit` and `idleTimeout`. */
type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

/** The rows that can be given. */
type NamedRow = Exclude<
  Extract<OptionRow, { readonly 6: "ready" }>,
  { readonly 1: typeof NOT_NAMED[number] } | { readonly 2: Unnamed }
>;

/** What the value of a row is. */
type ValueOf<Row extends OptionRow> = Row[2] extends "flag" | "on" ? boolean
  : Row[2] extends "word" ? Row[4][number]
  : Row[2] extends "text" | "char" ? string
  : Row[2] extends "list" ? string | readonly string[]
  : Row[2] extends "size" ? number | string
  : number;

/**
 * Every option of the table that a server in another program can have; docs/options.md says what
 * each does. Numbers are in the table's unit. A switch that is on by default is turned off by
 * `false`. For a port, 0 lets the system choose.
 */
export type NamedOptions = {
  readonly [Row in NamedRow as Camel<Row[1]>]?: ValueOf<Row> | undefined;
};

const UNNAMED: readonly Kind[] = ["action", "off", "preset"] satisfies readonly Unnamed[];

/** Each option that can be given, by its name in camelCase. */
const BY_NAME: ReadonlyMap<string, Option> = new Map(
  [...FLAGS, ...SUBOPTIONS]
    .filter(({ name, kind, state }) =>
      state === "ready" && !UNNAMED.includes(kind) &&
      !NOT_NAMED.some((other) => other === name)
    )
    .map((option) => [camelCase(option.name), option]),
);

/** `memory-limit` and `idle_timeout` as `memoryLimit` and `idleTimeout`. */
export function camelCase(name: string): string {
  return name.replaceAll(/[-_](.)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * Turns named options into what a command line would have given.
 *
 * @throws {SettingsError} For a name that no option has, and a value that is not of its type.
 */
export function rawValuesOf(options: NamedOptions): RawValues {
  const flags = new Map<OptionName, readonly string[]>();
  const suboptions: [OptionName, string][] = [];
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const option = BY_NAME.get(name);
    if (option === undefined) throw refused(name, "there is no such option");
    if (!SUBOPTIONS.includes(option)) {
      const texts = textsOf(name, option, value);
      if (texts.length > 0) flags.set(option.name, texts);
    } else if (value === false) {
      const off = SUBOPTIONS.find((other) => other.name === `no_${option.name}`);
      if (off?.kind === "off") suboptions.push([off.name, ""]);
    } else for (const text of textsOf(name, option, value)) suboptions.push([option.name, text]);
  }
  return { flags, suboptions };
}

/** The texts that say `value`; none for a flag that is not given. */
function textsOf(name: string, option: Option, value: unknown): readonly string[] {
  switch (option.kind) {
    case "flag":
    case "on":
      if (typeof value !== "boolean") throw refused(name, "it is true or false");
      return value ? [""] : [];
    case "list": {
      const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
      return texts.map((text) => textOf(name, text));
    }
    case "word":
    case "char":
    case "text":
      return [textOf(name, value)];
    case "size":
      return [typeof value === "string" ? value : numberText(name, option, value)];
    default:
      return [numberText(name, option, value)];
  }
}

function textOf(name: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw refused(name, "it is a text, and not empty");
}

/** The number `value`, as it is typed for the option. */
function numberText(name: string, { kind }: Option, value: unknown): string {
  if (typeof value !== "number" || !Number.isFinite(value)) throw refused(name, "it is a number");
  if (kind === "decimal") return String(value);
  if (!Number.isInteger(value)) throw refused(name, "it is a whole number");
  if (kind === "octal") return value.toString(8);
  if (kind === "count") return String(value);
  return kind === "port" && value === 0 ? "-1" : String(value);
}

function refused(name: string, reason: string): SettingsError {
  return new SettingsError(`Cannot use ${name}: ${reason}`, ExitCode.USAGE);
}
