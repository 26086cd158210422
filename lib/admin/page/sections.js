// The sections that are lists and tables: latency by command, keys, connections, evictions,
// workers, settings and the log.

import { byId, make, makeBar, setText, showList } from "./dom.js";
import { bytes, clock, compact, micros, percent, rate, span, whole } from "./format.js";
import { percentile } from "./percentiles.js";
import { classMemory } from "./slab_memory.js";
import { numberOf } from "./stats_event.js";

/** @typedef {import("./history.js").History} History */
/** @typedef {import("./stats_event.js").Stats} Stats */
/**
 * @template Item
 * @typedef {import("./dom.js").Row<Item>} Row
 */

/** Keys that are shown. */
const HOT_MAX = 20;

/** What a connection is about, by the state that `stats conns` shows. */
const STATES = [
  ["conn_read", "wait for a command", "--free"],
  ["conn_new_cmd", "between commands", "--green"],
  ["conn_waiting", "wait", "--free"],
  ["conn_parse_cmd", "read a command", "--blue"],
  ["conn_nread", "send a value", "--orange"],
  ["conn_swallow", "send what is refused", "--red"],
  ["conn_write", "get a reply", "--violet"],
  ["conn_mwrite", "get values", "--violet"],
  ["conn_watch", "watch", "--green"],
];

/**
 * A table whose rows are made of texts.
 * @param {string} id Of its body.
 * @returns {(lines: readonly (readonly string[])[]) => void}
 */
function makeTable(id) {
  /** @typedef {readonly string[]} Line */
  const rows = /** @type {Map<string, Row<Line>>} */ (new Map());
  /** @param {Line} line */
  const makeRow = (line) => {
    const cells = line.map((_, at) =>
      make(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : {})
    );
    return {
      root: make("tr", {}, cells),
      /** @param {Line} texts */
      fill: (texts) => texts.forEach((text, at) => cells[at] && setText(cells[at], text)),
    };
  };
  return (lines) => showList(byId(id), rows, lines, ([key = ""]) => key, makeRow);
}

/**
 * Latency by command, over the last seconds.
 * @returns {(history: History) => void}
 */
export function makeLatencyTable() {
  const fill = makeTable("latency-rows");
  return (history) => {
    const bounds = history.stats?.latency?.boundsUs ?? [];
    const lines = [...history.recentLatency].filter(([, { count }]) => count > 0).map(
      ([command, { count, sumUs, buckets }]) => [
        command,
        ...[0.5, 0.99, 0.999].map((q) => micros(percentile(bounds, buckets, q))),
        micros(sumUs / count),
        whole(count),
      ],
    );
    byId("latency-table").hidden = lines.length === 0;
    fill(lines);
  };
}

/**
 * A list of names with bars, as of hot keys.
 * @param {string} id Of the list.
 * @param {string} colour
 * @returns {(hot: readonly import("./stats_event.js").Hot[]) => void}
 */
export function makeHotList(id, colour) {
  /** @typedef {import("./stats_event.js").Hot & { share: number }} Shown */
  const rows = /** @type {Map<string, Row<Shown>>} */ (new Map());
  /** @returns {Row<Shown>} */
  const makeRow = () => {
    const bar = makeBar([["", colour]]);
    const [name, count] = [make("code"), make("span", { class: "count" })];
    return {
      root: make("li", {}, [bar.root, make("div", { class: "hot-line" }, [name, count])]),
      fill: (item) => {
        setText(name, item.name);
        setText(count, `${rate(item.perSecond)}/s`);
        bar.fill([item.share]);
      },
    };
  };
  return (hot) => {
    const most = hot[0]?.perSecond ?? 1;
    const shown = hot.slice(0, HOT_MAX).map((item) => ({ ...item, share: item.perSecond / most }));
    byId(`${id}-empty`).hidden = shown.length > 0;
    showList(byId(id), rows, shown, ({ name }) => name, makeRow);
  };
}

/**
 * Connections by state.
 * @returns {(stats: Stats) => void}
 */
export function makeStates() {
  const bar = makeBar(STATES.map(([state = "", , colour = ""]) => [state, colour]));
  byId("states-bar").replaceChildren(bar.root);
  const fill = makeTable("states-rows");
  return ({ conns, general }) => {
    const counts = STATES.map(([state = ""]) => conns.states[state] ?? 0);
    const open = Math.max(1, conns.open);
    bar.fill(counts.map((count) => count / open));
    const known = new Set(STATES.map(([state]) => state));
    const lines = [
      ...STATES,
      ...Object.keys(conns.states).filter((state) => !known.has(state)).map((state) => [state, ""]),
    ];
    byId("states-table").hidden = conns.open === 0;
    fill(
      lines.filter(([state = ""]) => (conns.states[state] ?? 0) > 0).map((
        [state = "", words = ""],
      ) => [state, words, whole(conns.states[state] ?? 0)]),
    );
    setText(
      byId("states-words"),
      `${whole(conns.open)} open of at most ${whole(numberOf(general, "max_connections"))}, ` +
        `on ${whole(conns.listening)} listening ${conns.listening === 1 ? "socket" : "sockets"}; ` +
        `${whole(numberOf(general, "total_connections"))} accepted and ` +
        `${whole(numberOf(general, "rejected_connections"))} refused since start.`,
    );
  };
}

/**
 * Evictions by slab class.
 * @returns {(history: History) => void}
 */
export function makeEvictions() {
  const fill = makeTable("evictions-rows");
  return ({ stats, evictions }) => {
    const classes = stats === undefined ? [] : classMemory(stats);
    const lines = classes.filter(({ evicted }) => evicted > 0).map((one) => [
      `${one.slab} · ${bytes(one.chunkBytes)}`,
      rate(evictions.get(one.slab) ?? null),
      compact(one.evicted),
      percent(one.evictedUnfetched / one.evicted),
      span(one.evictedAge),
      span(one.oldest),
    ]);
    byId("evictions-table").hidden = lines.length === 0;
    byId("evictions-empty").hidden = lines.length > 0;
    fill(lines);
  };
}

/**
 * What each worker does.
 * @returns {(history: History) => void}
 */
export function makeWorkers() {
  /** @typedef {import("./rates.js").WorkerRates & { share: number }} Shown */
  const rows = /** @type {Map<string, Row<Shown>>} */ (new Map());
  /** @returns {Row<Shown>} */
  const makeRow = () => {
    const [commands, cpu] = [makeBar([["", "--blue"]]), makeBar([["", "--violet"]])];
    const [name, words] = [make("b"), make("span", { class: "class-words" })];
    const head = make("div", { class: "class-head" }, [name, words]);
    const [commandsText, cpuText] = [make("span"), make("span")];
    const gauges = make("div", { class: "gauges" }, [
      make("div", {}, [commandsText, commands.root]),
      make("div", {}, [cpuText, cpu.root]),
    ]);
    return {
      root: make("li", { class: "class" }, [head, gauges]),
      fill: (worker) => {
        setText(name, `Worker ${worker.thread}`);
        setText(
          words,
          `${whole(worker.connections)} ${
            worker.connections === 1 ? "connection" : "connections"
          } · ` +
            `${bytes(worker.received)}/s in · ` +
            `${bytes(worker.sent)}/s out`,
        );
        setText(commandsText, `${rate(worker.commands)} commands/s`);
        setText(cpuText, `CPU ${percent(worker.cpu)}`);
        commands.fill([worker.share]);
        cpu.fill([worker.cpu ?? 0]);
      },
    };
  };
  return ({ workers }) => {
    const most = Math.max(...workers.map(({ commands }) => commands ?? 0), 1);
    const shown = workers.map((worker) => ({ ...worker, share: (worker.commands ?? 0) / most }));
    byId("workers-empty").hidden = shown.length > 0;
    showList(byId("workers-list"), rows, shown, ({ thread }) => String(thread), makeRow);
  };
}

/**
 * Settings, those that match what is searched for.
 * @returns {(stats: Stats) => void}
 */
export function makeSettings() {
  const rows = /** @type {Map<string, Row<string[]>>} */ (new Map());
  const search = /** @type {HTMLInputElement} */ (byId("settings-search"));
  let settings = /** @type {Record<string, string>} */ ({});
  /** @returns {Row<string[]>} */
  const makeRow = () => {
    const [name, value] = [make("dt"), make("dd")];
    return {
      root: make("div", {}, [name, value]),
      fill: ([key = "", text = ""]) => {
        setText(name, key);
        setText(value, text);
      },
    };
  };
  const show = () => {
    const wanted = search.value.trim().toLowerCase();
    const found = Object.entries(settings).filter((pair) =>
      pair.some((text) => text.toLowerCase().includes(wanted))
    );
    showList(byId("settings-list"), rows, found, ([name = ""]) => name, makeRow);
    const all = Object.keys(settings).length;
    setText(byId("settings-count"), `${found.length} of ${all} settings`);
  };
  search.addEventListener("input", show);
  return (stats) => {
    settings = stats.settings;
    show();
  };
}

/** Lines of the log that are kept. */
const LOG_LINES_MAX = 200;

/**
 * The log; what is returned takes a line.
 * @returns {(line: import("./link.js").LogLine) => void}
 */
export function makeLog() {
  const list = byId("log-lines");
  return ({ level, text, at }) => {
    byId("log-empty").hidden = true;
    const time = make("time", { text: clock(at / 1000, true) });
    const mark = make("b", { class: `level-${level}`, text: level });
    list.prepend(make("li", {}, [time, mark, make("span", { text })]));
    while (list.children.length > LOG_LINES_MAX) list.lastElementChild?.remove();
  };
}
