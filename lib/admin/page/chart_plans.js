// Every chart of the page: its place, its lines, its colours.

import { bytes, compact, micros, percent, rate } from "./format.js";

/** @typedef {import("./history.js").Column} Column */

/**
 * @typedef {object} Line
 * @property {Column} column
 * @property {string} label
 * @property {string} colour Name of a custom property.
 * @property {boolean} [isFilled]
 */

/**
 * @typedef {object} ChartPlan
 * @property {string} title
 * @property {string} empty What to say while there is nothing to see.
 * @property {readonly Line[]} lines
 * @property {(value: number | null) => string} format
 * @property {(value: number | null) => string} [formatAxis]
 * @property {boolean} [isLogarithmic]
 * @property {boolean} [isBytes]
 * @property {number} [top] Fixed end of the scale.
 */

const WAITING = "No commands yet";

/**
 * By the id of the place in the page.
 * @type {Record<string, ChartPlan>}
 */
export const CHART_PLANS = {
  "chart-commands": {
    title: "Commands per second",
    empty: WAITING,
    lines: [
      { column: "gets", label: "gets", colour: "--blue", isFilled: true },
      { column: "sets", label: "sets", colour: "--orange" },
      { column: "others", label: "others", colour: "--violet" },
    ],
    format: rate,
    formatAxis: compact,
  },
  "chart-hits": {
    title: "Hit ratio",
    empty: "No gets yet",
    lines: [{ column: "hitRatio", label: "hits", colour: "--green", isFilled: true }],
    format: percent,
    formatAxis: (share) => share === null ? "" : `${Math.round(share * 100)} %`,
    top: 1,
  },
  "chart-network": {
    title: "Network, bytes per second",
    empty: "Nothing sent or received yet",
    lines: [
      { column: "sent", label: "sent", colour: "--blue", isFilled: true },
      { column: "received", label: "received", colour: "--orange" },
    ],
    format: bytes,
    isBytes: true,
  },
  "chart-cpu": {
    title: "CPU, in cores",
    empty: "Idle",
    lines: [{ column: "cpu", label: "process", colour: "--violet", isFilled: true }],
    format: rate,
  },
  "chart-latency": {
    title: "Time in the server, by share of commands",
    empty: "Nothing measured yet",
    lines: [
      { column: "p999", label: "p99.9", colour: "--red" },
      { column: "p99", label: "p99", colour: "--orange" },
      { column: "p50", label: "p50", colour: "--blue" },
    ],
    format: micros,
    isLogarithmic: true,
  },
  "chart-connections": {
    title: "Open connections",
    empty: "Nobody is connected",
    lines: [{ column: "connections", label: "open", colour: "--blue", isFilled: true }],
    format: rate,
    formatAxis: compact,
  },
  "chart-accepted": {
    title: "New connections per second",
    empty: "Nobody has come since the page was opened",
    lines: [{ column: "accepted", label: "accepted", colour: "--green", isFilled: true }],
    format: rate,
    formatAxis: compact,
  },
  "chart-evictions": {
    title: "Items that left, per second",
    empty: "Nothing evicted, nothing expired",
    lines: [
      { column: "evictions", label: "evicted", colour: "--red", isFilled: true },
      { column: "expired", label: "expired", colour: "--violet" },
    ],
    format: rate,
    formatAxis: compact,
  },
  "chart-items": {
    title: "Items",
    empty: "No items yet",
    lines: [{ column: "items", label: "stored", colour: "--green", isFilled: true }],
    format: compact,
  },
};

/**
 * Whether there is nothing to see: no value above 0, or where the scale has a fixed end and 0 says
 * something, no value at all.
 * @param {Pick<ChartPlan, "top">} plan
 * @param {readonly (readonly (number | null)[])[]} columns
 * @returns {boolean}
 */
export function isEmpty({ top }, columns) {
  /** @param {number | null} value */
  const isSeen = (value) => top === undefined ? (value ?? 0) > 0 : value !== null;
  return !columns.some((column) => column.some(isSeen));
}
