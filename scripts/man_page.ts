// deploy/man/memden.1, in the macros of man(7).
//
// Options, sub-commands, keys and variables come from their tables; only what no table has is
// written here.

import { MEMCACHED_VERSION, MEMDEN_VERSION } from "../lib/base/version.ts";
import { ENVIRONMENT } from "../lib/config/options.ts";
import { OPERAND, SUB_COMMANDS, type SubCommand } from "../lib/cli/command_line/sub_commands.ts";
import {
  GENERATED,
  type OptionRow,
  serverRows,
  subCommandRows,
  suboptionRows,
} from "./command_rows.ts";

/** The day on which the sentences of this file were last changed. */
const CHANGED_ON = "2026-12-01";

/** Longest line of text, in characters. Source: mandoc's lint. */
const COLUMNS = 79;

const DESCRIPTION = [
  `memden is a drop-in memcached server: options, protocols and statistics are memcached's ` +
  `${MEMCACHED_VERSION}. Without a login (-Y, -S) it serves every client that can connect: bind ` +
  `it to addresses that only your machines reach.`,
  "A first argument that names a sub-command runs that instead of the server. Other operands, " +
  "which memcached ignores, are refused.",
];

/** Source: main.ts. */
const SIGNALS: readonly (readonly [name: string, meaning: string])[] = [
  ["SIGINT, SIGTERM", "stop the server"],
  ["SIGUSR1", "stop the server, and save the items in the file of -e for the next one"],
  ["SIGHUP", "read logins and certificates again"],
  ["SIGUSR2", "check every rule of the store, and write the result to stderr"],
];

/** Source: lib/config/settings_error.ts and main.ts. */
const EXIT_CODES: readonly (readonly [code: string, meaning: string])[] = [
  ["0", "ended on request; for ping: the server is alive"],
  ["1", "an unusable option or file; for ping: no answer"],
  ["64, 67, 71", "options that exclude each other, no such user, an error of the system"],
  ["70", "the server found an internal error, and writes it to stderr"],
];

const EXAMPLES: readonly (readonly [what: string, command: string])[] = [
  ["Serve this machine with one gigabyte:", "memden -l 127.0.0.1 -m 1024 -t 2"],
  ["Watch a memcached on another machine:", "memden top cache1:11211"],
  ["Three updates for a script:", "memden top -b -n 3 -d 5 cache1"],
  ["In a Dockerfile:", 'HEALTHCHECK CMD ["memden", "ping"]'],
];

/** The page. */
export function manPage(): string {
  const subCommands = SUB_COMMANDS.flatMap(subCommandPart);
  const synopsis = SUB_COMMANDS.flatMap(({ name }) => [
    ".br",
    `.B memden ${name}`,
    `[\\fIoptions\\fR] [\\fI${OPERAND.name}\\fR]`,
  ]);
  return [
    `.\\" ${GENERATED}`,
    `.TH MEMDEN 1 ${CHANGED_ON} "memden ${MEMDEN_VERSION}"`,
    ...section("NAME", ["memden \\- memcached server"]),
    ...section("SYNOPSIS", [".B memden", "[\\fIoptions\\fR]", ...synopsis]),
    ...section("DESCRIPTION", paragraphs(DESCRIPTION)),
    ...section("OPTIONS", serverRows().flatMap(optionEntry)),
    ...section("OPTIONS OF \\-o", suboptionRows().flatMap(suboptionEntry)),
    ...section("SUB-COMMANDS", subCommands),
    ...section("SIGNALS", SIGNALS.flatMap(([name, help]) => entry(bold(name), help))),
    ...section("ENVIRONMENT", ENVIRONMENT.flatMap(([name, help]) => entry(bold(name), help))),
    ...section("EXIT STATUS", EXIT_CODES.flatMap(([code, help]) => entry(bold(code), help))),
    ...section("EXAMPLES", EXAMPLES.flatMap(example)),
    ...section("SEE ALSO", [".BR memcached (1)"]),
    "",
  ].join("\n");
}

/** `text` as roff shows it: every hyphen can be copied, and no line is taken for a request. */
export function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&");
}

function section(title: string, lines: readonly string[]): string[] {
  return [`.SH ${title.includes(" ") ? `"${title}"` : title}`, ...lines];
}

function paragraphs(texts: readonly string[]): string[] {
  return texts.flatMap((text, index) =>
    index === 0 ? sentences(text) : [".PP", ...sentences(text)]
  );
}

/** One line for each sentence, as roff wants them; several for a long one. */
function sentences(text: string): string[] {
  return text.split(/(?<=[.]) (?=[A-Z])/).flatMap(wrapped);
}

function wrapped(sentence: string): string[] {
  const lines: string[] = [];
  for (const word of sentence.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length === 0 || roff(longer).length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  return lines.map(roff);
}

const bold = (text: string): string => `\\fB${roff(text)}\\fR`;
const italic = (text: string): string => `\\fI${roff(text)}\\fR`;

function entry(head: string, help: string): string[] {
  return [".TP", head, ...sentences(help)];
}

function optionEntry({ letter, name, value, isValueOptional, help }: OptionRow): string[] {
  const long = name === "" ? "" : bold(`--${name}`) + valueText(value, isValueOptional, "=");
  const short = letter === "" ? "" : bold(`-${letter}`) + (name === "" ? ` ${italic(value)}` : "");
  return entry([short, long].filter((text) => text !== "").join(", "), help);
}

function suboptionEntry({ name, value, isValueOptional, help }: OptionRow): string[] {
  return entry(bold(name) + valueText(value, isValueOptional, "="), help);
}

function valueText(value: string, isOptional: boolean, before: string): string {
  if (value === "") return "";
  return isOptional ? `[${before}${italic(value)}]` : `${before}${italic(value)}`;
}

function subCommandPart(command: SubCommand): string[] {
  const { name, summary, about, keys } = command;
  return [
    `.SS "memden ${name} [options] [${OPERAND.name}]"`,
    ...sentences(`${summary[0]?.toUpperCase()}${summary.slice(1)}.`),
    ...about.flatMap((text) => [".PP", ...sentences(text)]),
    ...entry(italic(OPERAND.name), OPERAND.help),
    ...subCommandRows(command).flatMap(optionEntry),
    ...(keys.length === 0 ? [] : [".PP", "Keys:"]),
    ...keys.flatMap(([key, meaning]) => entry(bold(key), meaning)),
  ];
}

function example([what, command]: readonly [string, string], index: number): string[] {
  return [...(index === 0 ? [] : [".PP"]), roff(what), ".PP", ".EX", `    ${roff(command)}`, ".EE"];
}
