// The live page and its files, in the program itself: it works offline and in one executable.
//
// They are imported as text, so that `deno compile` and `deno bundle` take them along as they take
// modules; uPlot's two come out of its package. There is no build step: what is here is what the
// browser gets.

import uplotCss from "uplot/dist/uPlot.min.css" with { type: "text" };
import uplotJs from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import app from "./page/app.js" with { type: "text" };
import chartPlans from "./page/chart_plans.js" with { type: "text" };
import charts from "./page/charts.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import history from "./page/history.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import link from "./page/link.js" with { type: "text" };
import liveCss from "./page/live.css" with { type: "text" };
import liveHtml from "./page/live.html" with { type: "text" };
import memorySection from "./page/memory_section.js" with { type: "text" };
import partsCss from "./page/parts.css" with { type: "text" };
import percentiles from "./page/percentiles.js" with { type: "text" };
import rates from "./page/rates.js" with { type: "text" };
import sections from "./page/sections.js" with { type: "text" };
import shortcuts from "./page/shortcuts.js" with { type: "text" };
import slabMemory from "./page/slab_memory.js" with { type: "text" };
import statsEvent from "./page/stats_event.js" with { type: "text" };
import themeCss from "./page/theme.css" with { type: "text" };
import themeJs from "./page/theme.js" with { type: "text" };
import tiles from "./page/tiles.js" with { type: "text" };
import wideCss from "./page/wide.css" with { type: "text" };

/** One file of the page. */
export interface Asset {
  /** Its Content-Type. */
  readonly type: string;
  readonly text: string;
}

/** What the page may do: load from here, ask here, and nothing else. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sent with every file of the page. */
export const PAGE_HEADERS = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
} as const;

const CSS = "text/css; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const JS = "text/javascript; charset=utf-8";
const SVG = "image/svg+xml";

/** Every file by its path. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map<string, Asset>([
  ["/", { type: HTML, text: liveHtml }],
  ["/app.js", { type: JS, text: app }],
  ["/chart_plans.js", { type: JS, text: chartPlans }],
  ["/charts.js", { type: JS, text: charts }],
  ["/dom.js", { type: JS, text: dom }],
  ["/format.js", { type: JS, text: format }],
  ["/history.js", { type: JS, text: history }],
  ["/icon.svg", { type: SVG, text: icon }],
  ["/link.js", { type: JS, text: link }],
  ["/live.css", { type: CSS, text: liveCss }],
  ["/memory_section.js", { type: JS, text: memorySection }],
  ["/parts.css", { type: CSS, text: partsCss }],
  ["/percentiles.js", { type: JS, text: percentiles }],
  ["/rates.js", { type: JS, text: rates }],
  ["/sections.js", { type: JS, text: sections }],
  ["/shortcuts.js", { type: JS, text: shortcuts }],
  ["/slab_memory.js", { type: JS, text: slabMemory }],
  ["/stats_event.js", { type: JS, text: statsEvent }],
  ["/theme.css", { type: CSS, text: themeCss }],
  ["/theme.js", { type: JS, text: themeJs }],
  ["/tiles.js", { type: JS, text: tiles }],
  ["/uplot.css", { type: CSS, text: uplotCss }],
  ["/uplot.js", { type: JS, text: uplotJs }],
  ["/wide.css", { type: CSS, text: wideCss }],
]);
