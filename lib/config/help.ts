// What -h, -V and -i print, and docs/options.md: all from the rows of options.ts.
//
// Test suites and packages of memcached search the text of `-h` for words such as `unix-socket` to
// detect features. So `-h` lists an option only once it can be used, and no help text
// may name another option's word.

import { MEMCACHED_VERSION, MEMDEN_VERSION } from "../base/version.ts";
import { ENVIRONMENT, FLAGS, hasLongName, isAvailable } from "./options.ts";
import { needsValue, type Option, type State, SUBOPTIONS } from "./options.ts";

const COLUMNS = 100;

/** Where the explanations start, as in memcached's list. */
const HELP_COLUMN = 26;

/** Values that are quantities; a default is printed with them. */
const UNITS: readonly string[] = ["MB", "KB", "bytes", "s", "us", "percent"];

/** What the state of an option means, for docs/options.md. */
const STATES: Readonly<Record<State, string>> = {
  ready: "works as in memcached",
  echo: "accepted if valid, shown where memcached shows it, without effect",
  later: "refused at start in this version; a number equal to the default is fine",
  never: "refused at start; not planned",
};

/** How values are read, for docs/options.md. */
const NUMBERS_READ =
  `memden refuses a number with trailing text: memcached reads \`-m 1g\` as 1, \`-p abc\` as 0. A
fraction must be zeros: \`-t 4.0\`. A memory size (in MB, KB or bytes) may end in k, m, g, kb, mb or
gb, in either case, whatever its unit: \`-m 1g\` is \`-m 1024\`, and \`slab_chunk_max=256k\` is
\`slab_chunk_max=256\`. memden refuses a word that is neither an option nor the value of one.`;

/** What `-V` prints. Tools read the first line, so it names the memcached that is stood for. */
export function versionText(): string {
  return `memcached ${MEMCACHED_VERSION}\nmemden ${MEMDEN_VERSION}\n`;
}

/** What `-i` prints. */
export function licenseText(): string {
  return `${versionText()}
memden is free software under the MIT License: you may use, copy, change, merge, publish,
distribute, sublicense and sell it, provided that every copy keeps the license text, which comes
with the source in the file LICENSE. It is provided as is, without warranty of any kind.
`;
}

/** What `-h` prints: every option that can be used, in memcached's layout. */
export function helpText(): string {
  const flags = FLAGS.filter(isAvailable).map((it) => entry(usageOf(it), explain(it)));
  const suboptions = SUBOPTIONS.filter(isAvailable).map((it) =>
    entry(`   - ${it.name}:`, explain(it))
  );
  return `${versionText()}${flags.join("")}${suboptions.join("")}`;
}

/** docs/options.md: every option of memcached, also those that are refused. */
export function optionsMarkdown(): string {
  const states = Object.entries(STATES).map(([state, meaning]) => `- **${state}**: ${meaning}`);
  return `<!-- Generated from lib/config/options.ts by \`deno task docs\`. Do not edit. -->

# Options

Letters and names are memcached ${MEMCACHED_VERSION}'s. The state says what memden
${MEMDEN_VERSION} does:

${states.join("\n")}

${NUMBERS_READ}

## Flags

${table(["flag", "long name", "default", "meaning", "state"], FLAGS.map(flagCells))}

## Sub-options of -o

${table(["name", "value", "default", "meaning", "state"], SUBOPTIONS.map(suboptionCells))}

## Environment

${table(["variable", "meaning"], ENVIRONMENT.map(([name, help]) => [`\`${name}\``, help]))}
`;
}

/** `-p, --port=<num>` */
function usageOf(option: Option): string {
  if (!hasLongName(option)) return `-${option.letter} <${option.value}>`;
  const letter = option.letter === "" ? "" : `-${option.letter}, `;
  const usage = `${letter}--${option.name}`;
  if (option.kind === "count") return `${usage}[=<num>]`;
  return needsValue(option) ? `${usage}=<${option.value}>` : usage;
}

/** The help of an option, with its choices and its default. */
export function explain(option: Option): string {
  const notes: string[] = [];
  if (option.kind === "word") notes.push(option.allowed.join(", "));
  const fallback = defaultOf(option);
  if (fallback !== "") notes.push(`default: ${fallback}`);
  if (option.state === "echo") notes.push("no effect");
  return notes.length > 0 ? `${option.help} (${notes.join("; ")})` : option.help;
}

/** The default with its unit; "" when there is none that could be typed. */
function defaultOf(option: Option): string {
  const { kind, fallback, allowed, value } = option;
  if (kind === "flag" || kind === "count") return "";
  if (kind === "on") return fallback === "1" ? "on" : "off";
  const [min] = allowed;
  if (typeof min === "number" && Number(fallback) < min) return "";
  return fallback !== "" && UNITS.includes(value) ? `${fallback} ${value}` : fallback;
}

/** One entry of the list, wrapped at {@linkcode COLUMNS}. */
function entry(usage: string, help: string): string {
  let line = usage.padEnd(HELP_COLUMN - 1);
  let text = "";
  for (const word of help.split(" ")) {
    if (line.length + 1 + word.length > COLUMNS) {
      text += `${line}\n`;
      line = " ".repeat(HELP_COLUMN - 1);
    }
    line += ` ${word}`;
  }
  return `${text}${line}\n`;
}

function flagCells(option: Option): string[] {
  const longName = hasLongName(option) ? `\`--${option.name}\`` : "";
  const letter = option.letter === "" ? "" : `\`-${option.letter}\``;
  return [letter, longName, defaultOf(option), option.help, option.state];
}

function suboptionCells(option: Option): string[] {
  const name = `\`${option.name}\``;
  return [name, option.value, defaultOf(option), option.help, option.state];
}

/** A Markdown table, its columns aligned as `deno fmt` aligns them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = widths.map((width) => "-".repeat(width));
  return [head, rule, ...rows].map(line).join("\n");
}
