// Lines of a screen before they are text: pieces, each with the way it looks.

/** How a piece of a line looks. */
export type Style = "plain" | "bold" | "dim" | "heading" | "chart" | "warn" | "bad";

/** A piece of a line; every character takes one column. */
export type Span = readonly [text: string, style: Style];

/** One line, left to right. */
export type Line = readonly Span[];

/**
 * The escape sequence of each style: with colours, and without. Bold, dim and reverse are no
 * colours: NO_COLOR leaves them. Source: ECMA-48, SGR; no-color.org.
 */
const SGR: Readonly<Record<Style, readonly [colour: string, plain: string]>> = {
  plain: ["", ""],
  bold: ["1", "1"],
  dim: ["2", "2"],
  heading: ["7", "7"],
  chart: ["36", ""],
  warn: ["33", ""],
  bad: ["1;31", "1"],
};

/** The line without its end beyond `columns`. */
export function cut(line: Line, columns: number): Line {
  const kept: Span[] = [];
  let left = columns;
  for (const [text, style] of line) {
    if (left <= 0) break;
    kept.push([text.slice(0, left), style]);
    left -= text.length;
  }
  return kept;
}

/** How many columns a line takes. */
export function widthOf(line: Line): number {
  return line.reduce((sum, [text]) => sum + text.length, 0);
}

/** The line as plain text. */
export function plainText(line: Line): string {
  return line.map(([text]) => text).join("").trimEnd();
}

/** The line as a terminal shows it. */
export function terminalText(line: Line, hasColour: boolean): string {
  return line.map(([text, style]) => {
    const sgr = SGR[style][hasColour ? 0 : 1];
    return sgr === "" ? text : `\x1b[${sgr}m${text}\x1b[0m`;
  }).join("");
}

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly width: number;
  /** Where there is no room for all columns, those of the highest rank go first. */
  readonly rank: number;
  readonly cell: (row: Row) => string;
}

/** The columns that fit into `width`, one blank before each. */
export function fittingColumns<Row>(
  columns: readonly Column<Row>[],
  width: number,
): Column<Row>[] {
  const kept = [...columns];
  while (kept.length > 0 && kept.reduce((sum, column) => sum + 1 + column.width, 0) > width) {
    const highest = Math.max(...kept.map(({ rank }) => rank));
    kept.splice(kept.findLastIndex(({ rank }) => rank === highest), 1);
  }
  return kept;
}

/** One cell, right-aligned behind a blank. */
export function cellText(text: string, width: number): string {
  return ` ${text.slice(0, width).padStart(width)}`;
}
