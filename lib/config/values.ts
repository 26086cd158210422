// The value of every option: what was given, checked against its row, or else the row's default.
//
// Everything that one row can decide is decided here: whether the option is available, whether the
// value is in range, what no_… and presets turn off. Checks across options are in settings.ts.

import { FLAGS, isAvailable, labelOf, SUBOPTIONS } from "./options.ts";
import type { Kind, Option, OptionName } from "./options.ts";
import { readSuboption } from "./parse.ts";
import type { RawValues } from "./parse.ts";
import { numberForm, readNumber } from "./numbers.ts";
import { ExitCode, notAvailable, SettingsError } from "./settings_error.ts";

const OPTIONS: ReadonlyMap<string, Option> = new Map(
  [...FLAGS, ...SUBOPTIONS].map((option) => [option.name, option]),
);

/** Kinds whose bad values make memcached exit with EX_USAGE; for the others it is 1. */
const USAGE_KINDS: readonly Kind[] = ["port", "size", "word"];

/** The value of every option of the command line, given or not. */
export class Values {
  readonly #given = new Map<string, string>();
  readonly #lists = new Map<string, readonly string[]>();

  /** @throws {SettingsError} For an option that is not available, and for a value out of range. */
  constructor(raw: RawValues) {
    for (const [name, texts] of raw.flags) {
      const option = optionOf(name);
      if (option.kind === "list") this.#lists.set(name, texts);
      else if (option.kind === "count") this.#given.set(name, String(countOf(option, texts)));
      else texts.forEach((text) => this.#set(option, text));
    }
    for (const [name, text] of raw.suboptions) this.#set(optionOf(name), text);
  }

  /** Whether the option was given, be it with its default. */
  isGiven(name: OptionName): boolean {
    return this.#given.has(name);
  }

  /** Whether a flag was given, or a switch is on. */
  isOn(name: OptionName): boolean {
    return this.#textOf(name) === "1";
  }

  /** A number in the option's own unit. */
  number(name: OptionName): number {
    return readNumber(optionOf(name), this.#textOf(name));
  }

  /** A text; null when there is neither a value nor a default. */
  text(name: OptionName): string | null {
    return this.#textOf(name) || null;
  }

  /**
   * The same for an option that must not be empty: an unset variable in a script would silently
   * turn the option off.
   *
   * @throws {SettingsError} For an empty value.
   */
  name(name: OptionName): string | null {
    const text = this.text(name);
    if (text !== null || !this.isGiven(name)) return text;
    throw new SettingsError(`Cannot use an empty --${name}`, ExitCode.USAGE);
  }

  /** Every value of an option that may repeat. */
  list(name: OptionName): readonly string[] {
    return this.#lists.get(name) ?? [];
  }

  #textOf(name: OptionName): string {
    return this.#given.get(name) ?? optionOf(name).fallback;
  }

  #set(option: Option, text: string): void {
    checkAvailable(option, text);
    checkRange(option, text);
    if (option.kind === "preset") this.#setAll(option.allowed.map(String));
    else if (option.kind === "off") this.#given.set(option.name.slice("no_".length), "0");
    else if (option.kind === "on" || option.kind === "flag") this.#given.set(option.name, "1");
    else this.#given.set(option.name, text);
  }

  /** Sets what a preset stands for, without what this version does not have. */
  #setAll(parts: readonly string[]): void {
    for (const part of parts) {
      const [name, text] = readSuboption(part);
      if (isAvailable(optionOf(name))) this.#set(optionOf(name), text);
    }
  }
}

/** `-vv --verbose=1` is 1: a number replaces what was counted before it. */
function countOf(option: Option, texts: readonly string[]): number {
  return texts.reduce((count, text) => {
    if (text === "") return count + 1;
    checkRange(option, text);
    return readNumber(option, text);
  }, 0);
}

function optionOf(name: string): Option {
  const option = OPTIONS.get(name);
  if (option === undefined) throw new TypeError(`No option row is named ${name}`);
  return option;
}

/** Refuses what this version does not have, unless it asks for what the server does anyway. */
function checkAvailable(option: Option, text: string): void {
  if (option.state === "never") {
    throw new SettingsError(`memden: ${labelOf(option)} is not supported`, ExitCode.FAILURE);
  }
  const isDefault = option.fallback !== "" &&
    readNumber(option, text) === readNumber(option, option.fallback); // Never for texts: NaN.
  if (option.state === "later" && !isDefault) throw notAvailable(labelOf(option));
}

function checkRange(option: Option, text: string): void {
  const expected = rangeError(option, text);
  if (expected === undefined) return;
  const label = option.kind === "count" ? `--${option.name}` : labelOf(option);
  const typed = option.letter === "" || option.kind === "count"
    ? `${label}=${text}`
    : `-${option.letter} ${text === "" ? '""' : text}`;
  throw new SettingsError(`Cannot use ${typed}: must be ${expected}`, exitCodeOf(option));
}

/** What memcached exits with for a value of this option that it refuses. */
function exitCodeOf({ kind, name }: Option): ExitCode {
  return USAGE_KINDS.includes(kind) || name === "memory-limit" ? ExitCode.USAGE : ExitCode.FAILURE;
}

/** What the value would have to be; undefined when it is fine. */
function rangeError(option: Option, text: string): string | undefined {
  const { kind, allowed } = option;
  if (kind === "word") return allowed.includes(text) ? undefined : `one of ${allowed.join(", ")}`;
  if (kind === "octal") return octalError(option, text);
  if (kind === "char") return /^[!-~]$/.test(text) ? undefined : "one character of ASCII";
  const [min, max] = allowed;
  if (typeof min !== "number" || typeof max !== "number") return undefined;
  const value = readNumber(option, text);
  const isAbove = kind === "decimal" ? value > min : value >= min;
  if (isAbove && value <= max) return undefined;
  const range = `${kind === "decimal" ? "above" : "at least"} ${min} and at most ${max}`;
  return Number.isNaN(value) ? `${numberForm(option)}, ${range}` : range;
}

/** The same for an access mode, which is written and read in octal. */
function octalError(option: Option, text: string): string | undefined {
  const max = Number(option.allowed[1]);
  if (readNumber(option, text) <= max) return undefined;
  return `an octal number up to ${max.toString(8)}`;
}
