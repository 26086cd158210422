// The picture: from a view to lines that fit a window.
//
// The picture is made of sections. Those that matter least are left out first where the window has
// too few rows; the table of slab classes takes the rows that are left.

import type { Figures, KindFigures } from "./figures.ts";
import { ageText, bar, bytesText, countText, type Glyphs, historyLine } from "./number_text.ts";
import { shareText, UNKNOWN, uptimeText } from "./number_text.ts";
import { numberOf, type Sample } from "./sample.ts";
import { orderTitle, slabTable } from "./slab_table.ts";
import { cellText, type Column, cut, fittingColumns, type Line, type Span } from "./spans.ts";
import { widthOf } from "./spans.ts";

/** Everything that a picture shows. */
export interface View {
  /** The server's address, printable. */
  readonly label: string;
  /** Time of day. */
  readonly clock: string;
  readonly sample: Sample;
  readonly figures: Figures;
  readonly history: History;
  /** What totals count from: `since start`. */
  readonly since: string;
  /** A message in the second line; empty for none. */
  readonly status: string;
  /** Whether the numbers are old: the server does not answer. */
  readonly isStale: boolean;
  readonly order: number;
  /** The keys and what they do; empty unless help is shown. */
  readonly help: readonly (readonly [key: string, meaning: string])[];
}

/** Values of the last updates, oldest first; undefined for a gap. */
export interface History {
  readonly gets: readonly (number | undefined)[];
  readonly hitShares: readonly (number | undefined)[];
}

/** The room for a picture. */
export interface Room {
  readonly columns: number;
  /** Infinity for as many as it takes. */
  readonly rows: number;
}

/** Lines that stay together, and when they go: the highest rank first, 0 never. */
interface Section {
  readonly rank: number;
  readonly lines: readonly Line[];
}

const BLANK: Section = { rank: 6, lines: [[]] };
const BAR_COLUMNS_MAX = 40;

/** Rows that the table gets before other things are shown: a heading and three classes. */
const TABLE_ROWS_MIN = 4;

/** In a low window it gets this share of the rows instead. */
const TABLE_SHARE_MIN = 0.25;

const KEY_LINE = "q quit  p pause  r reset  s sort  ? help";

/** Draws `view`: at most `room.rows` lines of at most `room.columns` columns. */
export function layout(view: View, room: Room, glyphs: Glyphs, hasKeys: boolean): Line[] {
  const { columns, rows } = room;
  const head: Section[] = [
    { rank: 0, lines: [headLine(view)] },
    view.status === "" ? BLANK : { rank: 0, lines: [[[view.status, "bad"]]] },
  ];
  const body = view.help.length > 0 ? [] : [
    ...numberSections(view, columns, glyphs),
    BLANK,
    { rank: 5, lines: historyLines(view, columns, glyphs) },
    BLANK,
  ];
  const foot: Section[] = hasKeys ? [{ rank: 4, lines: [keyLine(view)] }] : [];
  const tableRows = Math.min(TABLE_ROWS_MIN, Math.floor(rows * TABLE_SHARE_MIN));
  const kept = fitting([...head, ...body, ...foot], rows - tableRows);
  const linesOf = (sections: readonly Section[]) =>
    sections.filter((it) => kept.has(it)).flatMap(({ lines }) => lines);
  const above = linesOf(head);
  const middle = linesOf(body);
  const below = linesOf(foot);
  const left = rows - above.length - middle.length - below.length;
  const table = view.help.length > 0
    ? helpLines(view).slice(0, Math.max(0, left))
    : slabTable(view.figures.classes, view.order, columns, left);
  const shown = [...middle, ...table].map((line) => view.isStale ? dimmed(line) : line);
  const filler = Number.isFinite(rows) ? left - table.length : 0;
  const blanks = below.length > 0
    ? Array.from({ length: Math.max(0, filler) }, (): Line => [])
    : [];
  return [...above, ...shown, ...blanks, ...below].slice(0, rows)
    .map((line) => cut(line, columns));
}

/** The sections that fit into `rows`, the others taken away by rank. */
function fitting(sections: readonly Section[], rows: number): Set<Section> {
  // Blank lines are one object at several places: all of them go at once.
  const kept = new Set(sections);
  const height = () => sections.reduce((sum, it) => kept.has(it) ? sum + it.lines.length : sum, 0);
  while (height() > rows) {
    const highest = Math.max(...[...kept].map(({ rank }) => rank));
    if (highest === 0) break;
    for (const section of kept) if (section.rank === highest) kept.delete(section);
  }
  return kept;
}

function headLine({ label, clock, sample: { general } }: View): Line {
  const version = general.get("version") ?? UNKNOWN;
  const uptime = uptimeText(numberOf(general, "uptime"));
  return [
    [label, "bold"],
    [`  memcached ${version}  up ${uptime}  ${clock}`, "plain"],
  ];
}

function keyLine({ order, help }: View): Line {
  const text = help.length > 0 ? "any key goes back" : `${KEY_LINE}  (by ${orderTitle(order)})`;
  return [[text, "dim"]];
}

function numberSections(view: View, columns: number, glyphs: Glyphs): Section[] {
  const { sample, figures } = view;
  const states = [...sample.connStates ?? []].sort((a, b) => b[1] - a[1])
    .map(([state, count]) => `${countText(count)} ${state}`).join(", ");
  return [
    { rank: 1, lines: wrapped(serverParts(view), columns) },
    ...(states === "" ? [] : [{ rank: 5, lines: [[[`states ${states}`, "plain"] as const]] }]),
    { rank: 1, lines: [memoryLine(sample, columns, glyphs)] },
    { rank: 1, lines: wrapped(itemParts(view), columns) },
    BLANK,
    { rank: 2, lines: kindLines(figures.kinds, columns) },
  ];
}

function serverParts({ sample: { general, settings }, figures }: View): Span[] {
  const limit = numberOf(general, "max_connections") ??
    (settings === undefined ? undefined : numberOf(settings, "maxconns"));
  const conns = countText(numberOf(general, "curr_connections"));
  const parts = [
    `conns ${conns} of ${countText(limit)}, ${countText(figures.connectionsPerSecond)} new/s`,
    `threads ${countText(numberOf(general, "threads"))}`,
    `cpu ${cpuText(figures.cpuShare)}`,
    `in ${bytesText(figures.inPerSecond)}/s`,
    `out ${bytesText(figures.outPerSecond)}/s`,
  ];
  return parts.map((text) => [text, "plain"]);
}

/** More than one core is more than 100 per cent. */
function cpuText(share: number | undefined): string {
  return share === undefined ? UNKNOWN : `${countText(Math.round(share * 1000) / 10)}%`;
}

function memoryLine({ general }: Sample, columns: number, glyphs: Glyphs): Line {
  const used = numberOf(general, "bytes");
  const limit = numberOf(general, "limit_maxbytes");
  const share = used === undefined || limit === undefined || limit === 0 ? undefined : used / limit;
  const text = ` ${bytesText(used)} of ${bytesText(limit)}  ${shareText(share)}`;
  const room = Math.min(BAR_COLUMNS_MAX, columns - "memory ".length - text.length);
  return [["memory ", "plain"], [bar(share ?? 0, room, glyphs), "chart"], [text, "plain"]];
}

function itemParts({ sample: { general }, figures, since }: View): Span[] {
  const { evictedPerSecond, evictedTotal, evictedAge, reclaimedPerSecond } = figures;
  const evicted = `evicted ${countText(evictedPerSecond)}/s, ${countText(evictedTotal)} ${since}`;
  const age = evictedAge === undefined ? "" : `, last idle for ${ageText(evictedAge)}`;
  return [
    [`items ${countText(numberOf(general, "curr_items"))}`, "plain"],
    [evicted + age, (evictedPerSecond ?? 0) > 0 ? "warn" : "plain"],
    [`reclaimed ${countText(reclaimedPerSecond)}/s`, "plain"],
  ];
}

/** `parts` in as many lines as they take, two blanks between them. */
function wrapped(parts: readonly Span[], columns: number): Line[] {
  const lines: Span[][] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line === undefined || widthOf(line) + 2 + part[0].length > columns) lines.push([part]);
    else line.push(["  ", "plain"], part);
  }
  return lines;
}

/** The rows of the table of commands, whose columns are the kinds. */
const KIND_LINES: readonly (readonly [title: string, cell: (it: KindFigures) => string])[] = [
  ["/s", ({ perSecond }) => countText(perSecond)],
  ["hits", ({ hitShare }) => shareText(hitShare)],
  ["total", ({ total }) => countText(total)],
];

function kindLines(kinds: readonly KindFigures[], columns: number): Line[] {
  const table = fittingColumns<number>(
    [
      { title: "", width: 5, rank: 0, cell: (row) => KIND_LINES[row]![0] },
      ...kinds.map((it, index): Column<number> => ({
        title: it.name,
        width: 6,
        rank: index,
        cell: (row) => KIND_LINES[row]![1](it),
      })),
    ],
    columns,
  );
  const heading: Line = [[table.map((it) => cellText(it.title, it.width)).join(""), "heading"]];
  const rows = KIND_LINES.map((_, row): Line => [
    [table.map(({ cell, width }) => cellText(cell(row), width)).join(""), "plain"],
  ]);
  return [heading, ...rows];
}

function historyLines({ figures, history, since }: View, columns: number, glyphs: Glyphs): Line[] {
  const most = Math.max(0, ...history.gets.map((value) => value ?? 0));
  const gets = countText(figures.kinds[0]?.perSecond);
  const texts = [
    `gets ${gets}/s, at most ${countText(most)}/s`,
    `hits ${shareText(figures.hitShare)}, ${shareText(figures.hitShareOfAll)} ${since}`,
  ];
  const width = Math.max(...texts.map((text) => text.length)) + 2;
  const lines = [historyLine(history.gets, most, columns - width, glyphs)];
  lines.push(historyLine(history.hitShares, 1, columns - width, glyphs));
  return lines.map((line, index) => [[texts[index]!.padEnd(width), "plain"], [line, "chart"]]);
}

function helpLines({ help }: View): Line[] {
  const width = Math.max(...help.map(([key]) => key.length)) + 2;
  return help.map(([key, meaning]): Line => [[key.padEnd(width), "bold"], [meaning, "plain"]]);
}

function dimmed(line: Line): Line {
  return widthOf(line) === 0 ? line : line.map(([text]) => [text, "dim"] as const);
}
