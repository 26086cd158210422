// The table of slab classes: its columns, and the orders that it can be sorted by.

import type { SlabClassFigures } from "./figures.ts";
import { ageText, bytesText, countText, shareText } from "./number_text.ts";
import { cellText, type Column, fittingColumns, type Line } from "./spans.ts";

type Row = SlabClassFigures;

// deno-fmt-ignore
const COLUMNS: readonly Column<Row>[] = [
  { title: "class", width: 5, rank: 0, cell: (it) => String(it.clsid) },
  { title: "chunk", width: 6, rank: 3, cell: (it) => bytesText(it.chunkBytes) },
  { title: "pages", width: 6, rank: 1, cell: (it) => countText(it.pages) },
  { title: "items", width: 6, rank: 1, cell: (it) => countText(it.items) },
  { title: "used", width: 6, rank: 4, cell: (it) => shareText(it.usedShare) },
  { title: "evict/s", width: 7, rank: 2, cell: (it) => countText(it.evictedPerSecond) },
  { title: "age", width: 5, rank: 2, cell: (it) => ageText(it.age) },
  { title: "hot", width: 6, rank: 5, cell: (it) => countText(it.hot) },
  { title: "warm", width: 6, rank: 5, cell: (it) => countText(it.warm) },
  { title: "cold", width: 6, rank: 5, cell: (it) => countText(it.cold) },
  { title: "temp", width: 6, rank: 6, cell: (it) => countText(it.temp) },
];

/** What the table can be sorted by, largest first: a column's title, and what counts in it. */
const ORDERS: readonly (readonly [title: string, weight: (it: Row) => number])[] = [
  ["pages", (it) => it.bytes],
  ["items", (it) => it.items ?? 0],
  ["used", (it) => it.usedShare ?? 0],
  ["evict/s", (it) => it.evictedPerSecond ?? 0],
  ["age", (it) => it.age ?? 0],
  ["class", (it) => -it.clsid],
];

/** How many orders there are. */
export const ORDER_COUNT = ORDERS.length;

/** The title of the column that order `index` sorts by. */
export function orderTitle(index: number): string {
  return ORDERS[index % ORDER_COUNT]![0];
}

/**
 * The table in at most `rows` lines, its heading included; empty where not even one class fits.
 *
 * @param order What it is sorted by; classes of the same weight in the order of their numbers.
 */
export function slabTable(
  classes: readonly Row[],
  order: number,
  columns: number,
  rows: number,
): Line[] {
  if (rows < 2) return [];
  const [title, weight] = ORDERS[order % ORDER_COUNT]!;
  const kept = fittingColumns(COLUMNS, columns);
  const heading = kept.map((it): [string, "heading" | "bold"] => [
    cellText(it.title, it.width),
    it.title === title ? "bold" : "heading",
  ]);
  const sorted = [...classes].sort((a, b) => weight(b) - weight(a) || a.clsid - b.clsid);
  const lines = sorted.slice(0, rows - 1).map((it): Line => [[
    kept.map(({ cell, width }) => cellText(cell(it), width)).join(""),
    (it.evictedPerSecond ?? 0) > 0 ? "warn" : "plain",
  ]]);
  if (classes.length === 0) lines.push([["  no slab class holds anything", "dim"]]);
  return [heading, ...lines];
}
