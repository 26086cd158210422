// Writes docs/*.md, the man page and the shells' completions from the tables of the source:
// options, commands, counters, records; and the marked blocks of pages that are written by hand.
// `--check` writes nothing and fails when a page is stale. Either way a link of any page that leads
// nowhere is reported.
// deno-lint-ignore-file no-console

import { MEMCACHED_VERSION } from "../lib/base/version.ts";
import { optionsMarkdown } from "../lib/config/help.ts";
import { Global, LINE_BYTES, planRegions, type Regions } from "../lib/memory/regions.ts";
import type { Layout } from "../lib/memory/layout.ts";
import { Reply } from "../lib/protocol/reply.ts";
import { KeyRule, type Opcode, OPCODES } from "../lib/protocol/binary/opcodes.ts";
import { Status } from "../lib/protocol/binary/response.ts";
import { FLAG_ROWS } from "../lib/protocol/meta/flags.ts";
import { COMMANDS } from "../lib/protocol/text/commands.ts";
import { CLASS_ROWS, type CounterRow, THREAD_ROWS } from "../lib/stats/names.ts";
import { GENERAL_ROWS } from "../lib/command/admin/stats.ts";
import { ITEM } from "../lib/store/item/item.ts";
import { BUMPS_PER_THREAD } from "../lib/store/lru/bump_buffer.ts";
import { CHUNK } from "../lib/store/item/chunk.ts";
import { LOGIN_WORDS } from "../lib/auth/logins.ts";
import { PREFIX_WORDS } from "../lib/store/counts/prefix_counts.ts";
import { TUNABLES } from "../lib/store/control/tunables.ts";
import { checkLinks } from "./check_links.ts";
import { bashCompletion } from "./completions/bash.ts";
import { fishCompletion } from "./completions/fish.ts";
import { zshCompletion } from "./completions/zsh.ts";
import { DEVIATIONS } from "./deviations.ts";
import { withBlocks } from "./blocks.ts";
import { layerTable, programTable, stepTable, taskTable } from "./development_tables.ts";
import { circlesText, drawingOf } from "./drawing.ts";
import { folderGraph } from "./import_graph.ts";
import { layerLevels } from "./layers.ts";
import { manPage } from "./man_page.ts";
import { scalingBlocks } from "./scaling.ts";
import { readSources } from "./sources.ts";

/** One page: where it goes and what is in it. The formatter lays out those in Markdown. */
type Page = readonly [path: string, render: () => string | Promise<string>];

const FOLDERS_PAGE = "docs/decisions/0046-folders.md";

const PAGES: readonly Page[] = [
  ["docs/options.md", optionsMarkdown],
  ["docs/protocol.md", protocolMarkdown],
  ["docs/stats.md", statsMarkdown],
  ["docs/memory.md", memoryMarkdown],
  ["deploy/man/memden.1", manPage],
  ["deploy/completions/memden.bash", bashCompletion],
  ["deploy/completions/_memden", zshCompletion],
  ["deploy/completions/memden.fish", fishCompletion],
  ["docs/scaling.md", () => withBlocks(readPage("docs/scaling.md"), scalingBlocks(table))],
  ["CONTRIBUTING.md", contributing],
  ["ARCHITECTURE.md", architecture],
  [FOLDERS_PAGE, async () => withBlocks(readPage(FOLDERS_PAGE), { folders: await folders() })],
];

const generated = (sources: string): string =>
  `<!-- Generated from ${sources} by \`deno task docs\`. Do not edit. -->`;

const readPage = (path: string): string => Deno.readTextFileSync(path);

async function contributing(): Promise<string> {
  const markdown = ([head = [], ...rows]: readonly (readonly string[])[]) => table(head, rows);
  return withBlocks(readPage("CONTRIBUTING.md"), {
    tasks: markdown(taskTable()),
    programs: markdown(await programTable()),
    steps: markdown(stepTable()),
    layers: markdown(layerTable()),
  });
}

/** The drawing of the folders, and whether there is a circle. */
async function folders(): Promise<string> {
  const graph = folderGraph(await readSources(["lib"]));
  return `\`\`\`mermaid\n${drawingOf(graph)}\n\`\`\`\n\n${circlesText(graph)}`;
}

async function architecture(): Promise<string> {
  const levels = layerLevels().map((names) => names.map((name) => `\`${name}\``).join(", "));
  return withBlocks(readPage("ARCHITECTURE.md"), {
    layers: levels.map((names, index) => `${index + 1}. ${names}`).join("\n"),
    folders: await folders(),
  });
}

/** What each kind of token is, by {@linkcode FlagToken}. */
const FLAG_TOKEN_NAMES = ["", "seconds", "64-bit number", "32-bit number", "mode", "≤ 31 bytes"];

/** A Markdown table whose columns line up, as the formatter wants them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) =>
    Math.max(3, ...cells.map((row) => [...(row[column] ?? "")].length))
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, at) => cell + " ".repeat(widths[at]! - [...cell].length)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [line(cells[0]!), rule, ...cells.slice(1).map(line)].join("\n");
}

function protocolMarkdown(): string {
  const commands = COMMANDS.map(({ text, usage, replies }) => [
    `\`${`${text} ${usage}`.trim()}\``,
    replies,
  ]);
  const decoder = new TextDecoder();
  const texts = Object.values(Reply).map((line) => decoder.decode(line.bytes).trim());
  const lines = texts.filter((text) => text !== "").map((text) => `\`${text}\``);
  return `${generated("lib/protocol and scripts/deviations.ts")}

# Protocol

memden speaks memcached ${MEMCACHED_VERSION}'s text, meta and binary protocols. In
the first two a line ends with LF; memden drops an optional CR before it; tokens are separated by
spaces; a value is followed by CRLF.

## Commands

${table(["command", "replies"], commands)}

A line that ends in \`noreply\` gets no reply, even a wrong one. When memden refuses a storage
command (set, add, replace, append, prepend, cas, ms), it discards as many bytes as the line
announces. Without a length from 0 to 2147483645 it cannot distinguish a value from a command:
it answers the error, \`noreply\` or not, and closes the connection.

## Flags of the meta commands

A flag is a letter, followed by a token where the table names one. Every command accepts all of them
and ignores those without a meaning there. Returned flags come in the order of the request, then the
marks: \`W\` this client should recompute the value, \`Z\` another client already does, \`X\` the
value is stale.

${
    table(
      ["flag", "token", "mg", "ms", "md", "ma"],
      FLAG_ROWS.map(([letter, token, ...meanings]) => [
        `\`${letter}\``,
        FLAG_TOKEN_NAMES[token] ?? "",
        ...meanings,
      ]),
    )
  }

## Fixed reply lines

${lines.map((line) => `- ${line}`).join("\n")}

${binaryMarkdown()}

## What differs from memcached, and why

${
    table(
      [`memcached ${MEMCACHED_VERSION}`, "memden", "why"],
      DEVIATIONS,
    )
  }
`;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");

const KEY_NAMES: Readonly<Record<KeyRule, string>> = {
  [KeyRule.NONE]: "",
  [KeyRule.NEEDED]: "key",
  [KeyRule.OPTIONAL]: "key or none",
};

function binaryMarkdown(): string {
  const quietOf = (loud: Opcode) => OPCODES.find(({ name }) => name === `${loud.name}Q`);
  const loud = OPCODES.filter(({ isQuiet }) => !isQuiet).toSorted((a, b) => a.code - b.code);
  const commands = loud.map((opcode) => {
    const quiet = quietOf(opcode);
    return [
      `\`${hex(opcode.code, 2)}\``,
      quiet === undefined ? "" : `\`${hex(quiet.code, 2)}\``,
      opcode.name,
      opcode.extras.join(" or "),
      KEY_NAMES[opcode.key],
      opcode.hasValue ? "value" : "",
    ];
  });
  const decoder = new TextDecoder();
  const statuses = Object.values(Status).map(({ code, text }) => [
    `\`${hex(code, 4)}\``,
    decoder.decode(text.bytes),
  ]);
  return `## Commands of the binary protocol

A connection whose first byte is 80 speaks it. memden answers the quiet form of a retrieval only
with a value, that of a change only with an error. It answers \`0004\` to a packet whose lengths
do not fit its command, \`0081\` to one whose body is too short, and closes the
connection. It also closes the connection when a packet does not begin with the byte 80.

${table(["code", "quiet", "command", "extras", "key", "value"], commands)}

${table(["status", "text"], statuses)}`;
}

function statsMarkdown(): string {
  const rows = (list: readonly CounterRow[]) =>
    list.map(([name, kind, unit, help]) => [`\`${name}\``, kind, unit, help]);
  const head = ["name", "kind", "unit", "what it counts"];
  return `${generated("lib/stats/names.ts and lib/command/admin/stats.ts")}

# Statistics

A counter only grows, and \`stats reset\` sets it to 0; a gauge can rise and fall, and
\`stats reset\` does not change it.

## Counted once per thread

${table(head, rows(THREAD_ROWS))}

## Counted per thread and slab class

\`stats\` shows the sum over all classes, \`stats items\` and \`stats slabs\` each class.

${table(head, rows(CLASS_ROWS))}

## Lines of \`stats\`, in order

${GENERAL_ROWS.map(([name]) => `- \`${name}\``).join("\n")}
`;
}

function memoryMarkdown(): string {
  const regions = planRegions({
    shards: 1024,
    slabClasses: 64,
    lrus: 256,
    pages: 129,
    counterThreads: 6,
    countersPerThread: THREAD_ROWS.length + 64 * CLASS_ROWS.length,
    tunables: TUNABLES,
    bumpsPerThread: BUMPS_PER_THREAD,
    itemSizes: 0,
    conns: 1024,
    connNameBytes: 0,
    loginWords: LOGIN_WORDS,
    prefixWords: PREFIX_WORDS,
    logRingBytes: 65536,
    logLinesBytes: 262144,
    sampleBytes: 0,
  });
  return `${generated("lib/memory/regions.ts, lib/store/item/item.ts and lib/store/item/chunk.ts")}

# Memory

## Item

${recordTable(ITEM)}

Behind the header: the version (8 bytes, unless \`-C\`), the key, the client's flags (4 bytes,
unless 0), the value, CR and LF. An item lies in one chunk of its slab class; an item too large for
any chunk has a reference of 4 bytes to its first chunk in place of the value.

## Chunk

A part of a large item's value; the bytes follow.

${recordTable(CHUNK)}

## Memory file

With \`-e\`, the file contains the segments of item memory byte for byte, one after the other. Page
0, which contains no item, has a mark at byte 4096: \`memden items in use\`, or \`memden items
saved\` and the id that the metadata has too.

## Control memory

One SharedArrayBuffer. Each record starts on a line of ${LINE_BYTES} bytes, so that threads that
write different records do not share one. Sizes are those of \`-t 4 -m 64\`.

${regionTable(regions)}

Words of the first region:

${table(["word", "index"], Object.entries(Global).map(([name, at]) => [`\`${name}\``, String(at)]))}
`;
}

function recordTable(record: Layout<string>): string {
  let at = 0;
  const rows = record.rows.map(([name, width, holds]) => {
    const row = [String(at), `\`${name}\``, String(width), holds];
    at += width;
    return row;
  });
  return table(["byte", "field", "bytes", "what it holds"], rows);
}

function regionTable(regions: Regions): string {
  const rows: (readonly [name: string, from: number, what: string])[] = [
    ["globals", 0, "clock, flush state, cas, connection count"],
    ["shards", regions.shardsAt, "hash table: lock, buckets, items"],
    ["slabs", regions.slabsAt, "slab classes: lock, free chunks, pages, open page"],
    ["pages", regions.pagesAt, "lock, pages used, limit, pool"],
    ["page owners", regions.pageOwnersAt, "slab class of each page"],
    ["page links", regions.pageLinksAt, "lists of pages"],
    ["page use", regions.pageUsedAt, "chunks in use of each page"],
    ["spares", regions.sparesAt, "a free chunk for each thread and class"],
    ["lrus", regions.lrusAt, "LRU lists: lock, head, tail, count"],
    ["counters", regions.countersAt, "one block per thread"],
    ["baseline", regions.baselineAt, "what `stats reset` subtracts"],
    ["tunables", regions.tunablesAt, "settings that commands change"],
    ["bumps", regions.bumpsAt, "by thread: items of COLD that a client read again"],
    ["item sizes", regions.itemSizesAt, "items by size, with `-o track_sizes`"],
    ["conns", regions.connsAt, "by descriptor: state, last command, listener"],
    ["conn names", regions.connNamesAt, "their addresses, with the relay transport"],
    [
      "doorbells",
      regions.doorbellsAt,
      "by thread: the word it sleeps on, with the relay transport",
    ],
    [
      "ticket names",
      regions.ticketNamesAt,
      "by thread: names of its TLS ticket keys, with a session cache",
    ],
    ["logins", regions.loginsAt, "names and passwords of `-Y`"],
    ["prefixes", regions.prefixesAt, "`stats detail`: keys counted by prefix"],
    ["log rings", regions.logRingsAt, "by thread: records for watchers"],
    ["log lines", regions.logLinesAt, "what watchers read"],
  ];
  const ends = [...rows.slice(1).map(([, from]) => from), regions.bytes];
  return table(
    ["region", "from", "bytes", "what is in it"],
    rows.map(([name, from, what], index) => [
      name,
      String(from),
      String(ends[index]! - from),
      what,
    ]),
  );
}

/** `text` as the formatter wants it. */
async function formatted(text: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { stdout, success } = await child.output();
  if (!success) throw new Error("Cannot format a generated page");
  return new TextDecoder().decode(stdout);
}

/** The current text of a page; undefined when there is none. */
async function read(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  let stale = 0;
  for (const [path, render] of PAGES) {
    const rendered = await render();
    const text = path.endsWith(".md") ? await formatted(rendered) : rendered;
    if (await read(path) === text) continue;
    stale++;
    if (!check) await Deno.writeTextFile(path, text);
    console.log(`${path}: ${check ? "stale: run `deno task docs`" : "written"}`);
  }
  const broken = await checkLinks();
  for (const { path, line, message } of broken) console.log(`${path}:${line}: ${message}`);
  Deno.exit(check && stale + broken.length > 0 ? 1 : 0);
}
