// What must hold of the page: before there is load, under load, without the server, with a new one,
// on a telephone, by the keyboard.

import type { Browser, Page } from "playwright-core";
import { freePort, startMemden, type TestServer } from "../support/server.ts";
import { pause, until } from "../support/talk.ts";
import { startFakeServer } from "./fake_server.ts";
import { HOT_KEY, startLoad } from "./load.ts";

/** Counts a claim. */
export type Check = (holds: boolean, what: string) => void;

/** Longest wait for what must come true, in milliseconds. */
const WAIT_MS_MAX = 10_000;
const POLL_MS = 50;
const PHONE_WIDTH = 360;
/** What the server takes: lib/admin/event_stream.ts. */
const STREAMS_MAX = 32;
const EVIL_KEY = '<img src="x" onerror="document.title=1">';

const PROBLEM = "statistics cannot be read: Lock 7 not had within 2000 ms";

const SECTIONS = [
  "traffic",
  "latency",
  "memory",
  "keys",
  "evictions",
  "connections",
  "workers",
  "settings",
  "log",
];

/** A page, and what it has complained of or asked of others. */
interface Opened {
  readonly page: Page;
  readonly complaints: string[];
  readonly strangers: string[];
}

async function open(browser: Browser, url: string, width = 1280): Promise<Opened> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, reducedMotion: "reduce" });
  page.setDefaultTimeout(WAIT_MS_MAX);
  const opened: Opened = { page, complaints: [], strangers: [] };
  page.on("pageerror", (error) => opened.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      opened.complaints.push(message.text());
    }
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) opened.strangers.push(request.url());
  });
  await page.goto(url);
  return opened;
}

/**
 * Waits until `expression` is true in the page, and counts whether it came to be. It is asked from
 * outside: the page's policy lets nothing be evaluated in it.
 */
async function becomes(page: Page, check: Check, expression: string, what: string): Promise<void> {
  const deadline = Date.now() + WAIT_MS_MAX;
  while (true) {
    const isTrue = await page.evaluate(expression) === true;
    if (isTrue || Date.now() > deadline) return check(isTrue, what);
    await pause(POLL_MS);
  }
}

const textOf = (selector: string) =>
  `document.querySelector(${JSON.stringify(selector)}).textContent`;
const tile = (number: number) => textOf(`.tile:nth-child(${number}) .tile-value`);
const isShown = (selector: string) =>
  `document.querySelector(${JSON.stringify(selector)}).checkVisibility()`;

/** A number for what a chart has drawn. */
const picture = (page: Page) =>
  page.evaluate("document.querySelector('#chart-commands canvas').toDataURL()");

/** The page of a running memden, from its first moment to its second life. */
export async function lookAtServer(browser: Browser, check: Check): Promise<void> {
  const port = freePort();
  const args = ["-t", "2", `--admin=${port}`, "--admin-keys"];
  const server = await startMemden(args);
  const url = `http://127.0.0.1:${port}/`;
  await until(
    "the admin server answers",
    () => fetch(`${url}healthz`).then((it) => it.text()).then(() => true, () => false),
  );
  const { page, complaints, strangers } = await open(browser, url);
  await lookAtEmpty(page, check);
  const load = startLoad(server.address);
  await lookAtLoad(page, check, server, url);
  await byKeyboard(page, check);
  check(complaints.length === 0, `no errors in the console: ${complaints.join("; ")}`);
  await crowd(browser, check, url);
  await load.stop();
  await server.stop();
  await becomes(page, check, isShown("#banner"), "the banner says that the server is gone");
  await becomes(
    page,
    check,
    "Number(getComputedStyle(document.querySelector('main')).opacity) < 0.7",
    "what is old is dimmed",
  );
  // It comes again without its last option.
  const second = await startMemden(args.slice(0, -1));
  await lookAtSecondLife(page, check, second);
  await second.stop();
  check(strangers.length === 0, `no request goes elsewhere: ${strangers.join(" ")}`);
  await page.close();
}

async function lookAtEmpty(page: Page, check: Check): Promise<void> {
  await becomes(page, check, `${textOf("#state")} === "Live"`, "the page is live");
  await becomes(page, check, `${tile(4)} === "0"`, "an empty server has 0 items");
  await becomes(page, check, `${tile(1)} === "0"`, "an idle server runs 0 commands per second");
  await becomes(page, check, isShown("#welcome"), "it says that nothing was asked yet");
  await becomes(page, check, isShown("#chart-commands .plot-empty"), "an empty chart says so");
  const words = await page.textContent("#memory-words");
  check(/^All 64 MiB are free/.test(words ?? ""), `memory in words: ${words}`);
}

async function lookAtLoad(
  page: Page,
  check: Check,
  server: TestServer,
  url: string,
): Promise<void> {
  const before = await picture(page);
  const number = `Number(${tile(1)}.replaceAll(",", ""))`;
  await becomes(page, check, `${number} > 100`, "commands are counted");
  await becomes(page, check, `Number(${tile(4)}.replace(/K/, "e3")) > 10`, "items are counted");
  await becomes(page, check, `!${isShown("#welcome")}`, "the welcome goes");
  await becomes(page, check, `!${isShown("#chart-commands .plot-empty")}`, "the chart has lines");
  check(await picture(page) !== before, "the chart is drawn anew");
  const drawn = await picture(page);
  const seen = await page.evaluate(textOf("#chart-commands .now"));
  await becomes(
    page,
    check,
    `${textOf("#chart-commands .now")} !== ${JSON.stringify(seen)}`,
    "numbers move",
  );
  check(await picture(page) !== drawn, "lines move");
  await becomes(page, check, "document.querySelectorAll('.class').length > 2", "slab classes");
  const percent = `${textOf("#chart-hits .now")}`;
  await becomes(page, check, `/^9\\d\\.\\d %$/.test(${percent})`, "the hit ratio is known");
  await becomes(page, check, `${textOf("#states-rows")}.includes("conn_")`, "states are shown");
  await lookAtMeasured(page, check, url);
  Deno.kill(server.pid, "SIGUSR2");
  const line = `${textOf("#log-lines")}.includes("store checked")`;
  await becomes(page, check, line, "a warning comes into the log");
}

/** What older servers do not have: shown where it is there, and said where it is not. */
async function lookAtMeasured(page: Page, check: Check, url: string): Promise<void> {
  const stats = await (await fetch(`${url}api/stats`)).json();
  const hot = stats.hot === undefined
    ? isShown("#keys-off")
    : `[...document.querySelectorAll("#hot-keys code")].some((it) => it.textContent === ${
      JSON.stringify(HOT_KEY)
    })`;
  await becomes(page, check, hot, `hot keys (${stats.hot === undefined ? "not " : ""}measured)`);
  const latency = stats.latency === undefined
    ? `${tile(3)} === "–"`
    : `${isShown("#latency-table")} && / (µs|ms)$/.test(${tile(3)})`;
  const isOn = `!${isShown("#keys-off")} && ${isShown("#keys-lists")}`;
  if (stats.hot !== undefined) await becomes(page, check, isOn, "nothing says that keys are off");
  await becomes(page, check, latency, `latency (${stats.latency ? "" : "not "}measured)`);
  const workers = stats.workers === undefined
    ? isShown("#workers-empty")
    : `document.querySelectorAll("#workers-list li").length === 2`;
  await becomes(page, check, workers, `workers (${stats.workers ? "" : "not "}measured)`);
}

/** One page more than the server takes: it says so, and comes in when there is room. */
async function crowd(browser: Browser, check: Check, url: string): Promise<void> {
  const leave = new AbortController();
  const { signal } = leave;
  const others = Array.from({ length: STREAMS_MAX }, () => fetch(`${url}api/events`, { signal }));
  const statuses = (await Promise.all(others)).map(({ status }) => status);
  const taken = statuses.filter((status) => status === 200).length;
  check(taken === STREAMS_MAX - 1, `${taken} streams beside the page's own`);
  check(statuses.includes(503), "one more gets 503");
  const { page } = await open(browser, url);
  await becomes(page, check, `${textOf("#state")} === "Refused"`, "a page too many says so");
  leave.abort();
  await becomes(page, check, `${textOf("#state")} === "Live"`, "and comes in when there is room");
  await page.close();
}

async function byKeyboard(page: Page, check: Check): Promise<void> {
  await page.evaluate("scrollTo(0, 0)");
  await page.keyboard.press("Tab");
  check(await page.evaluate("document.activeElement.className") === "skip", "Tab: skip link first");
  const reached = new Set<string>();
  for (let press = 0; press < 20; press++) {
    await page.keyboard.press("Tab");
    const href = await page.evaluate("document.activeElement.getAttribute('href') ?? ''");
    if (!String(href).startsWith("#")) continue;
    const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
    await page.keyboard.press("Enter");
    const at = `document.querySelector("${href}").getBoundingClientRect().top < innerHeight`;
    if (outline !== "none" && await page.evaluate(at)) reached.add(String(href).slice(1));
    await page.focus(`nav a[href="${href}"]`);
  }
  const missed = SECTIONS.filter((section) => !reached.has(section));
  check(missed.length === 0, `the keyboard reaches each section: ${missed.join(" ") || "all"}`);

  const theme = await page.evaluate("document.documentElement.dataset.theme");
  await page.keyboard.press("t");
  await becomes(
    page,
    check,
    `document.documentElement.dataset.theme !== ${JSON.stringify(theme)}`,
    "T changes the theme",
  );
  await page.keyboard.press("/");
  await page.keyboard.type("num_threads");
  const list = `${textOf("#settings-list")}.startsWith("num_threads2")`;
  await becomes(page, check, list, "/ searches settings");
  await page.keyboard.press("Tab");
  await page.keyboard.press("p");
  await becomes(page, check, `${textOf("#state")} === "Paused"`, "P pauses");
  const still = await page.evaluate(textOf("#server"));
  await page.waitForTimeout(1500);
  check(await page.evaluate(textOf("#server")) === still, "a paused page stands still");
  await holdsCharts(page, check);
  await page.keyboard.press("p");
  await becomes(page, check, `${textOf("#server")} !== ${JSON.stringify(still)}`, "and goes on");
  await withoutShortcuts(page, check);
  await page.focus("#chart-commands .plot-frame");
  await page.keyboard.press("ArrowLeft");
  const when = `/^\\d\\d:\\d\\d:\\d\\d$/.test(${textOf("#chart-commands thead th:nth-child(2)")})`;
  await becomes(page, check, when, "arrow keys move along a chart");
}

/** Keys that act by themselves can be switched off, and stay so. */
async function withoutShortcuts(page: Page, check: Check): Promise<void> {
  const hinted = "document.querySelectorAll('[aria-keyshortcuts]').length";
  await page.focus("#shortcuts");
  await page.keyboard.press("Space");
  await becomes(page, check, `!${isShown("#pause kbd")}`, "without shortcuts no badge");
  check(await page.evaluate(hinted) === 0, "and no hint for those who listen");
  await page.reload();
  await becomes(page, check, `${textOf("#state")} === "Live"`, "the page is live again");
  await becomes(page, check, `!${isShown("#pause kbd")}`, "shortcuts stay off");
  await page.focus("#shortcuts");
  await page.keyboard.press("p");
  check(await page.evaluate(textOf("#state")) === "Live", "P does nothing then");
  await page.getByRole("checkbox", { name: "Keyboard shortcuts" }).check();
  await page.keyboard.press("p");
  await becomes(page, check, `${textOf("#state")} === "Paused"`, "P pauses when they are on");
  await page.keyboard.press("p");
  await becomes(page, check, isShown("#pause kbd"), "with its badge");
}

/** What is chosen while the page is paused shows other parts of the same moment. */
async function holdsCharts(page: Page, check: Check): Promise<void> {
  const now = textOf("#chart-commands .now");
  const still = await page.evaluate(now);
  await page.check('#span input[value="60"]', { force: true });
  await page.selectOption("#latency-command", { index: 1 });
  await page.selectOption("#latency-command", { index: 0 });
  check(await page.evaluate(now) === still, "its charts, too, whatever is chosen of them");
  await page.check('#span input[value="600"]', { force: true });
}

async function lookAtSecondLife(page: Page, check: Check, server: TestServer): Promise<void> {
  await becomes(page, check, `${textOf("#state")} === "Live"`, "it finds the server that is new");
  await becomes(page, check, `!${isShown("#banner")}`, "the banner goes");
  await becomes(page, check, isShown("#restarted"), "it says that the server was started anew");
  const pid = `${textOf("#server")}.includes("pid ${server.pid} ")`;
  await becomes(page, check, pid, "and shows its pid");
  await becomes(page, check, `${tile(1)} === "0"`, "no rate comes of counters that went back");
  const isOff = `${isShown("#keys-off")} && !${isShown("#keys-lists")}`;
  await becomes(page, check, isOff, "hot keys are off, and nothing of them is left");
  const words = await page.textContent("#keys-off");
  check(words?.includes("--admin-keys") === true, "the page says how to turn them on");
}

/** The page of the made-up server: what takes long to come, and names that mean harm. */
export async function lookAtFake(browser: Browser, check: Check): Promise<void> {
  const server = startFakeServer(0, EVIL_KEY);
  const { page, complaints } = await open(browser, server.url, PHONE_WIDTH);
  await becomes(page, check, "document.querySelectorAll('#hot-keys li').length === 20", "20 keys");
  for (const scheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    const theme = `document.documentElement.dataset.theme === "${scheme}"`;
    await becomes(page, check, theme, `${scheme} as the system has it`);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    check(width === PHONE_WIDTH, `${scheme}: as wide as a telephone: ${width} of ${PHONE_WIDTH}`);
  }
  const names = await page.evaluate(
    "[...document.querySelectorAll('#hot-keys code')].map((c) => c.textContent)",
  );
  check((names as string[]).includes(EVIL_KEY), "a name that looks like HTML is shown as it is");
  check(await page.evaluate("document.querySelectorAll('main img').length") === 0, "as text");
  const charts = await page.evaluate(
    "[...document.querySelectorAll('.plot-frame')].map((it) => it.getAttribute('aria-label'))",
  ) as string[];
  const named = charts.filter((label) => /^Chart: .*\d/.test(label ?? ""));
  check(named.length === 9, `${named.length} of ${charts.length} charts say what they show`);
  await page.selectOption("#latency-command", "set");
  await becomes(page, check, `${textOf("#latency-rows")}.includes("delete")`, "latency by command");
  const figures = await page.evaluate(textOf("#chart-latency tbody tr:last-child td:nth-child(3)"));
  check(/ µs$/.test(String(figures)), `p50 of sets over ten minutes: ${figures}`);
  server.complain(PROBLEM);
  const words = `${textOf("#banner-words")} === ${JSON.stringify(PROBLEM)}`;
  await becomes(page, check, words, "the banner says why there are no numbers");
  check(complaints.length === 0, `no errors in the console: ${complaints.join("; ")}`);
  await page.close();
  await server.stop();
}
