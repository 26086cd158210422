// The numbers on top of the page, each with a line of the last minutes.

import { byId, make, setText } from "./dom.js";
import { bytes, compact, micros, percent, rate, whole } from "./format.js";
import { numberOf } from "./stats_event.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./history.js").Column} Column */
/** @typedef {import("./history.js").Row} Row */
/** @typedef {import("./stats_event.js").Stats} Stats */

/** Rows that a line shows. */
const LINE_ROWS = 120;
const SVG = "http://www.w3.org/2000/svg";
/** Of the drawing, in its own units. */
const WIDTH = 120;
const HEIGHT = 28;

/**
 * @typedef {object} Tile
 * @property {string} title
 * @property {Column} column
 * @property {string} colour
 * @property {number} [top] Fixed end of the scale.
 * @property {(row: Row, stats: Stats) => string} value
 * @property {(row: Row, stats: Stats) => string} note
 */

/** @type {readonly Tile[]} */
const TILES = [
  {
    title: "Commands/s",
    column: "commands",
    colour: "--blue",
    value: ({ commands }) => rate(commands),
    note: ({ sets }) => `${compact(sets)} of them sets`,
  },
  {
    title: "Hit ratio",
    column: "hitRatio",
    colour: "--green",
    top: 1,
    value: ({ hitRatio }) => percent(hitRatio),
    note: (_, { general }) => ratioSinceStart(general),
  },
  {
    title: "p99 latency",
    column: "p99",
    colour: "--orange",
    value: ({ p99 }) => micros(p99),
    note: ({ p50 }) => p50 === null ? "nothing measured" : `p50 ${micros(p50)}`,
  },
  {
    title: "Items",
    column: "items",
    colour: "--green",
    value: ({ items }) => compact(items),
    note: (_, { general }) => `${compact(numberOf(general, "total_items"))} ever stored`,
  },
  {
    title: "Memory",
    column: "bytes",
    colour: "--violet",
    value: (_, { general }) => bytes(numberOf(general, "bytes")),
    note: (_, { general }) => `of ${bytes(numberOf(general, "limit_maxbytes"))}`,
  },
  {
    title: "Connections",
    column: "connections",
    colour: "--blue",
    value: ({ connections }) => whole(connections),
    note: (_, { general }) => `of ${whole(numberOf(general, "max_connections"))}`,
  },
  {
    title: "Evictions/s",
    column: "evictions",
    colour: "--red",
    value: ({ evictions }) => rate(evictions),
    note: (_, { general }) => `${compact(numberOf(general, "evictions"))} since start`,
  },
  {
    title: "CPU, of a core",
    column: "cpu",
    colour: "--violet",
    value: ({ cpu }) => percent(cpu),
    note: (_, { general }) => `${numberOf(general, "threads")} workers`,
  },
];

/**
 * @param {import("./stats_event.js").Values} general
 * @returns {string}
 */
function ratioSinceStart(general) {
  const hits = numberOf(general, "get_hits");
  const gets = hits + numberOf(general, "get_misses");
  return gets === 0 ? "no gets yet" : `${percent(hits / gets)} since start`;
}

/**
 * Makes the tiles; what is returned fills them.
 * @returns {(history: History) => void}
 */
export function makeTiles() {
  const tiles = TILES.map((tile) => {
    const value = make("dd", { class: "tile-value" });
    const note = make("dd", { class: "tile-note" });
    const spark = makeSpark(tile);
    const title = make("dt", { text: tile.title });
    const root = make("div", { class: "tile" }, [title, value, note, spark.root]);
    return { tile, root, value, note, spark };
  });
  byId("tiles").replaceChildren(...tiles.map(({ root }) => root));
  return (history) => {
    const { row, stats, columns } = history;
    if (stats === undefined) return;
    for (const { tile, value, note, spark } of tiles) {
      setText(value, tile.value(row, stats));
      setText(note, tile.note(row, stats));
      spark.fill(columns[tile.column].slice(-LINE_ROWS));
    }
  };
}

/** @param {Tile} tile */
function makeSpark({ colour, top }) {
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("class", "spark");
  root.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  root.setAttribute("preserveAspectRatio", "none");
  root.setAttribute("aria-hidden", "true");
  const [area, line] = ["area", "line"].map((name) => {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", `spark-${name}`);
    path.style.setProperty("--part", `var(${colour})`);
    return path;
  });
  root.append(...[area, line].filter((path) => path !== undefined));
  return {
    root,
    /** @param {readonly (number | null)[]} values */
    fill: (values) => {
      const max = top ?? Math.max(...values.map((value) => value ?? 0), 0);
      line?.setAttribute("d", sparkPath(values, max, false));
      area?.setAttribute("d", sparkPath(values, max, true));
    },
  };
}

/**
 * The path through the values; the newest is at the right edge.
 * @param {readonly (number | null)[]} values
 * @param {number} max
 * @param {boolean} isArea
 * @returns {string}
 */
function sparkPath(values, max, isArea) {
  const step = WIDTH / (LINE_ROWS - 1);
  const first = WIDTH - (values.length - 1) * step;
  /** @type {string[]} */
  const parts = [];
  let start = -1;
  const endArea = (/** @type {number} */ at) => {
    if (isArea && start >= 0) {
      const [from, to] = [first + start * step, first + (at - 1) * step];
      parts.push(`L${to.toFixed(1)} ${HEIGHT}L${from.toFixed(1)} ${HEIGHT}Z`);
    }
    start = -1;
  };
  values.forEach((value, at) => {
    if (value === null) return endArea(at);
    const x = (first + at * step).toFixed(1);
    const y = max === 0 ? HEIGHT - 1 : HEIGHT - 1 - (HEIGHT - 3) * Math.min(1, value / max);
    parts.push(`${start < 0 ? "M" : "L"}${x} ${y.toFixed(1)}`);
    if (start < 0) start = at;
  });
  endArea(values.length);
  return parts.join("");
}
