// A chart over time: uPlot draws the lines, the table below it says the same in numbers.
//
// The table is legend and text alternative in one. With the keyboard, or the pointer, its first
// column shows the moment that is pointed at instead of now.

import { isEmpty } from "./chart_plans.js";
import { clock } from "./format.js";
import { make, setText } from "./dom.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./chart_plans.js").ChartPlan} ChartPlan */

/** @type {typeof import("uplot")} */
const uPlot = /** @type {any} */ (globalThis).uPlot;

const HEIGHT = 180;
const AXIS_FONT = "11px system-ui, sans-serif";
/** Steps of a scale in bytes: powers of two, so that labels are round. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, at) => 2 ** at);
/** All charts show the same moment. */
const SYNC = "memden";

/** One chart in the page. */
export class Chart {
  #plan;
  #host = make("div", { class: "plot" });
  #frame;
  #empty;
  #when = make("th", { scope: "col", text: "now" });
  #cells = /** @type {HTMLElement[][]} */ ([]);
  #plot = /** @type {import("uplot") | undefined} */ (undefined);
  #data = /** @type {(number | null)[][]} */ ([]);
  #range = /** @type {[number, number]} */ ([0, 1]);

  /**
   * @param {HTMLElement} place
   * @param {ChartPlan} plan
   */
  constructor(place, plan) {
    this.#plan = plan;
    this.#empty = make("p", { class: "plot-empty" }, [make("span", { text: plan.empty })]);
    this.#frame = make("div", { class: "plot-frame", tabindex: "0", role: "group" }, [
      this.#host,
      this.#empty,
    ]);
    const title = make("figcaption", { text: plan.title });
    place.replaceChildren(make("figure", { class: "chart" }, [title, this.#frame, this.#table()]));
    this.#frame.addEventListener("keydown", (event) => this.#move(event));
    this.#frame.addEventListener("blur", () => this.#plot?.setCursor({ left: -10, top: -10 }));
    new ResizeObserver(() => this.#resize()).observe(this.#host);
    document.addEventListener("themechange", () => this.#rebuild());
  }

  /** The lines in numbers. */
  #table() {
    const rows = this.#plan.lines.map(({ label, colour }) => {
      const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.setProperty("--part", `var(${colour})`);
      const name = make("th", { scope: "row" }, [swatch, document.createTextNode(label)]);
      const cells = [make("td", { class: "now" }), make("td"), make("td")];
      this.#cells.push(cells);
      return make("tr", {}, [name, ...cells]);
    });
    const heads = ["mean", "max"].map((text) => make("th", { scope: "col", text }));
    const corner = make("td");
    return make("table", { class: "figures" }, [
      make("thead", {}, [make("tr", {}, [corner, this.#when, ...heads])]),
      make("tbody", {}, rows),
    ]);
  }

  /**
   * Shows what is in `history`.
   * @param {History} history
   * @param {[number, number]} range From when to when.
   */
  draw(history, range) {
    const { lines, title, format } = this.#plan;
    const from = history.at.findIndex((at) => at >= range[0]);
    const columns = lines.map(({ column }) => history.columns[column].slice(Math.max(0, from)));
    this.#data = [history.at.slice(Math.max(0, from)), ...columns];
    this.#range = range;
    this.#empty.hidden = !isEmpty(this.#plan, columns);
    if (this.#plot === undefined) this.#rebuild();
    else this.#plot.setData(/** @type {any} */ (this.#data));
    this.#fillTable();
    const now = lines.map(({ label }, at) => `${label} ${format(columns[at]?.at(-1) ?? null)}`);
    this.#frame.setAttribute("aria-label", `Chart: ${title}. ${now.join(", ")}.`);
  }

  #fillTable() {
    const at = this.#plot?.cursor.idx ?? null;
    const isPointed = at !== null && (this.#plot?.cursor.left ?? -1) >= 0;
    const time = isPointed ? this.#data[0]?.[at] ?? null : null;
    setText(this.#when, time === null ? "now" : clock(time, true));
    this.#plan.lines.forEach((_, line) => {
      const column = this.#data[line + 1] ?? [];
      const known = column.filter((value) => value !== null);
      const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
      const shown = time === null ? column.at(-1) : column[at ?? 0];
      const isUnknown = known.length === 0;
      const most = isUnknown ? null : Math.max(...known);
      const values = [shown ?? null, isUnknown ? null : mean, most];
      values.forEach((value, cell) => {
        const element = this.#cells[line]?.[cell];
        if (element !== undefined) setText(element, this.#plan.format(value));
      });
    });
  }

  /** Arrow keys move the moment that is shown. @param {KeyboardEvent} event */
  #move(event) {
    const plot = this.#plot;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    const last = (this.#data[0]?.length ?? 0) - 1;
    if (plot === undefined || steps === undefined || last < 0) return;
    event.preventDefault();
    const isPointed = (plot.cursor.left ?? -1) >= 0;
    const at = isPointed ? plot.cursor.idx ?? last : last + 1;
    const time = this.#data[0]?.[Math.min(last, Math.max(0, at + steps))] ?? 0;
    plot.setCursor({ left: plot.valToPos(time, "x"), top: plot.over.clientHeight / 2 });
  }

  #resize() {
    const width = this.#host.clientWidth;
    if (this.#plot !== undefined && width > 0) this.#plot.setSize({ width, height: HEIGHT });
  }

  /** Colours are drawn into the canvas, so another theme needs another plot. */
  #rebuild() {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#data.length === 0) return;
    const options = plotOptions(this.#plan, () => this.#range, this.#host.clientWidth);
    options.hooks = { setCursor: [() => this.#fillTable()] };
    this.#plot = new uPlot(options, /** @type {any} */ (this.#data), this.#host);
  }
}

/**
 * @param {ChartPlan} plan
 * @param {() => [number, number]} range
 * @param {number} width
 * @returns {import("uplot").Options}
 */
function plotOptions(plan, range, width) {
  const style = getComputedStyle(document.documentElement);
  /** @param {string} name */
  const colourOf = (name) => style.getPropertyValue(name).trim();
  const { format, formatAxis = format } = plan;
  const axis = {
    stroke: colourOf("--muted"),
    font: AXIS_FONT,
    grid: { stroke: colourOf("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(1, width),
    height: HEIGHT,
    padding: [10, 18, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      sync: { key: SYNC },
      drag: { x: false, y: false },
      points: { size: 7, width: 2 },
    },
    scales: {
      x: { time: true, range },
      y: { range: (_, __, max) => heightOf(plan, max), distr: plan.isLogarithmic ? 3 : 1 },
    },
    axes: [
      { ...axis, space: 70, size: 24, values: (_, times) => times.map((at) => timeLabel(at)) },
      {
        ...axis,
        size: 54,
        space: 36,
        gap: 4,
        ...(plan.isBytes ? { incrs: BYTE_STEPS } : {}),
        grid: { ...axis.grid, filter: (_, values) => values.map((at) => lineAt(plan, at)) },
        values: (_, values) => values.map((value) => value === null ? "" : formatAxis(value)),
      },
    ],
    series: [
      {},
      ...plan.lines.map(({ label, colour, isFilled = false }) => ({
        label,
        stroke: colourOf(colour),
        width: 1.75,
        points: { show: false },
        ...(isFilled ? { fill: `color-mix(in srgb, ${colourOf(colour)} 14%, transparent)` } : {}),
      })),
    ],
  };
}

/**
 * Of a logarithmic scale only the powers of ten get a line.
 * @param {ChartPlan} plan
 * @param {number} at
 * @returns {number | null}
 */
function lineAt({ isLogarithmic }, at) {
  return isLogarithmic && Math.log10(at) % 1 !== 0 ? null : at;
}

/** @param {number} at Unix time in seconds. */
function timeLabel(at) {
  return clock(at, at % 60 !== 0);
}

/**
 * The scale: from nothing to a little more than the most that there is.
 * @param {ChartPlan} plan
 * @param {number | null} max
 * @returns {[number, number]}
 */
function heightOf({ top, isLogarithmic }, max) {
  if (top !== undefined) return [0, top];
  if (isLogarithmic) return [1, 10 ** Math.ceil(Math.log10(Math.max(100, (max ?? 0) * 1.2)))];
  return [0, Math.max(1, (max ?? 0) * 1.12)];
}
