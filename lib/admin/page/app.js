// The live page: takes what the stream of events brings, keeps ten minutes of it, shows it.
//
//   link ──► history ──► charts, tiles, sections   (paused: history goes on, a copy of it is shown)
//
// Nothing of it is kept on the server, and nothing is sent to it.

import { CHART_PLANS } from "./chart_plans.js";
import { Chart } from "./charts.js";
import { byId, make, setText } from "./dom.js";
import { clock, span } from "./format.js";
import { History, HISTORY_SECONDS } from "./history.js";
import { Link } from "./link.js";
import { makeMemorySection } from "./memory_section.js";
import * as sections from "./sections.js";
import { listenToKeys } from "./shortcuts.js";
import { numberOf } from "./stats_event.js";
import { makeTiles } from "./tiles.js";

/** @typedef {import("./link.js").LinkState} LinkState */

/** Least time that charts show, in seconds: a page just opened is not all blank. */
const SHOWN_SECONDS_MIN = 60;

const WORDS = /** @type {const} */ ({
  connecting: ["Connecting", "Waiting for the server."],
  live: ["Live", ""],
  lost: ["Disconnected", "The server does not answer. Trying again by itself."],
  refused: [
    "Refused",
    "The server takes no further page, as too many are open. Trying again by itself.",
  ],
});

const history = new History();
/** What the page shows: the history, or while it is paused, what that was. */
let shown = history;
let state = /** @type {LinkState} */ ("connecting");
let isPaused = false;
/** Whether the page will be drawn with the next frame. */
let isDue = false;
let wishedSeconds = HISTORY_SECONDS;
let heardAt = 0;
let problem = "";

const sectionList = byId("sections");
const charts = Object.entries(CHART_PLANS).map(([id, plan]) => new Chart(byId(id), plan));
const fillTiles = makeTiles();
const fillMemory = makeMemorySection();
const fillLatency = sections.makeLatencyTable();
const fillKeys = sections.makeHotList("hot-keys", "--orange");
const fillPrefixes = sections.makeHotList("hot-prefixes", "--blue");
const fillStates = sections.makeStates();
const fillEvictions = sections.makeEvictions();
const fillWorkers = sections.makeWorkers();
const fillSettings = sections.makeSettings();

/** Draws everything with the next frame: a hidden page draws none. */
function showSoon() {
  if (isDue || isPaused) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    show();
  });
}

function show() {
  const { stats } = shown;
  if (stats === undefined) return;
  const { general } = stats;
  fillTiles(shown);
  drawCharts();
  fillMemory(stats);
  showCommands();
  fillLatency(shown);
  byId("keys-off").hidden = stats.hot !== undefined;
  byId("keys-lists").hidden = stats.hot === undefined;
  fillKeys(stats.hot?.keys ?? []);
  fillPrefixes(stats.hot?.prefixes ?? []);
  fillStates(stats);
  fillEvictions(shown);
  fillWorkers(shown);
  fillSettings(stats);
  setText(
    byId("server"),
    `up ${span(numberOf(general, "uptime"))} · pid ${general.pid} · memcached ${general.version}`,
  );
  const isIdle = numberOf(general, "cmd_get") + numberOf(general, "cmd_set") === 0;
  byId("welcome").hidden = !isIdle;
  setText(byId("welcome-port"), stats.settings.tcpport ?? "11211");
}

function drawCharts() {
  const { at } = shown;
  const to = at.at(-1) ?? 0;
  const known = to - (at[0] ?? to);
  const seconds = Math.min(wishedSeconds, Math.max(SHOWN_SECONDS_MIN, known));
  for (const chart of charts) chart.draw(shown, [to - seconds, to]);
}

/** Offers those commands that were measured. */
function showCommands() {
  const choice = /** @type {HTMLSelectElement} */ (byId("latency-command"));
  const there = new Set([...choice.options].map(({ value }) => value));
  for (const name of shown.commands) {
    if (!there.has(name)) choice.append(make("option", { value: name, text: name }));
  }
}

function showState() {
  const [title, words] = WORDS[state];
  document.body.dataset.link = state;
  setText(byId("state"), state === "live" && isPaused ? "Paused" : title);
  const text = state === "live" ? problem : words;
  byId("banner").hidden = text === "" || state === "connecting" && heardAt === 0;
  setText(byId("banner-words"), text);
  showAge();
}

/** How old the numbers are, where they are not live. */
function showAge() {
  const isOld = state !== "live" && heardAt > 0;
  const seconds = (performance.now() - heardAt) / 1000;
  setText(byId("banner-age"), isOld ? `These numbers are ${span(seconds)} old.` : "");
}

/** @param {number} at Unix time in seconds. */
function showRestart(at) {
  byId("restarted").hidden = false;
  setText(byId("restarted"), `started anew before ${clock(at, true)}`);
}

/** @param {boolean} wished */
function pause(wished) {
  isPaused = wished;
  shown = isPaused ? history.copy() : history;
  document.body.classList.toggle("is-paused", isPaused);
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  showSoon();
  showState();
}

byId("pause").addEventListener("click", () => pause(!isPaused));
byId("theme").addEventListener("click", () => document.dispatchEvent(new Event("themewish")));
byId("span").addEventListener("change", ({ target }) => {
  wishedSeconds = Number(/** @type {HTMLInputElement} */ (target).value);
  drawCharts();
});
byId("latency-command").addEventListener("change", ({ target }) => {
  const command = /** @type {HTMLSelectElement} */ (target).value;
  for (const each of new Set([history, shown])) each.chooseCommand(command);
  drawCharts();
});

/** Marks the section that is read, in the list of sections. */
const reading = new IntersectionObserver((entries) => {
  const id = entries.findLast(({ isIntersecting }) => isIntersecting)?.target.id;
  if (id === undefined) return;
  const links = /** @type {NodeListOf<HTMLElement>} */ (sectionList.querySelectorAll("a"));
  for (const link of links) {
    const isIt = link.getAttribute("href") === `#${id}`;
    if (isIt) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    if (isIt) sectionList.scrollTo({ left: link.offsetLeft - sectionList.clientWidth / 3 });
  }
}, { rootMargin: "-20% 0px -75% 0px" });
for (const section of document.querySelectorAll("main > section")) reading.observe(section);

setInterval(showAge, 1000);
showState();
new Link("api/events", {
  stats: (stats, at) => {
    problem = "";
    heardAt = performance.now();
    const hasRestarted = history.add(stats, at);
    if (hasRestarted) showRestart(at);
    showSoon();
    showState();
  },
  problem: (message) => {
    problem = message;
    showState();
  },
  log: sections.makeLog(),
  state: (now) => {
    state = now;
    showState();
  },
});
listenToKeys({
  p: () => pause(!isPaused),
  t: () => document.dispatchEvent(new Event("themewish")),
  "/": () => byId("settings-search").focus(),
});
