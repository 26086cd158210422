// Numbers as options have them: read whole, or not at all.
//
// memcached reads digits as far as they go and takes no digits for 0, so `-p abc` listens nowhere
// and `-m 1g` is a megabyte. memden accepts what has one sensible meaning: k, m, g, kb, mb or gb
// behind a size of memory, whatever its unit, and a fraction of zeros (`-t 4.0`). It refuses
// everything else.
// Source: memcached.c, main: atoi and strtol on option arguments.

import type { Option } from "./options.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

/** What may stand behind a size, with or without a `b`, in bytes. */
const SUFFIXES: Readonly<Record<string, number>> = { k: KIB, m: MIB, g: 1024 * MIB };

/** Units of options that are sizes of memory, in bytes; other numbers have no suffix. */
const SIZE_UNITS: Readonly<Record<string, number>> = { bytes: 1, KB: KIB, MB: MIB };

/** Whether k, m, g, kb, mb and gb may stand behind the number. */
function isSize({ kind, value }: Option): boolean {
  return kind === "size" || kind === "int" && value in SIZE_UNITS;
}

/**
 * Reads the number that `text` is, in the option's own unit.
 *
 * @returns NaN when it is none. A number that is too large stays large, so that ranges see it.
 */
export function readNumber(option: Option, text: string): number {
  const trimmed = text.trim();
  switch (option.kind) {
    case "int":
    case "size":
      return isSize(option) ? readSize(option, trimmed) : readWhole(trimmed);
    case "port":
    case "count":
      return readWhole(trimmed);
    case "level":
      return text === "" ? 1 : readWhole(trimmed);
    case "octal":
      return /^[0-7]+$/.test(trimmed) ? Number.parseInt(trimmed, 8) : NaN;
    case "decimal":
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : NaN;
    default:
      return NaN;
  }
}

/** What a text that is no number would have to be. */
export function numberForm(option: Option): string {
  if (option.kind === "decimal") return "a number";
  if (!isSize(option)) return "a whole number";
  const { value } = option;
  const unit = value in SIZE_UNITS ? value : "bytes";
  return `a whole number of ${unit}, or with k, m or g behind it`;
}

/** Reads a whole number, with or without a sign, with or without a fraction of zeros. */
export function readWhole(text: string): number {
  return /^[+-]?\d+(?:\.0+)?$/.test(text) ? Number(text) : NaN;
}

/** Reads a size in the option's unit: `64`, `64m` and `64MB` are the same where that is MB. */
function readSize({ value }: Option, text: string): number {
  const match = /^(.*\d)([kmg])b?$/i.exec(text);
  if (match === null) return readWhole(text);
  const [, digits = "", suffix = ""] = match;
  const bytes = readWhole(digits) * SUFFIXES[suffix.toLowerCase()]!;
  const number = bytes / (SIZE_UNITS[value] ?? 1);
  return Number.isInteger(number) ? number : NaN;
}
