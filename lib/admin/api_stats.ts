// /api/stats: what `stats` and its sub-commands show, as one JSON object.

import { LATENCY_BOUNDS_US } from "../stats/latency.ts";
import type {
  CommandLatency,
  ConnSummary,
  HotNames,
  StatRow,
  StatsView,
  WorkerLoad,
  WorkSamples,
} from "../stats/stats_view.ts";
import { byClass } from "./series.ts";

type Values = Readonly<Record<string, number | string>>;

/** The object; names are those of `stats`. */
export interface ApiStats {
  readonly general: Values;
  /** As text, since a file may be called 700. */
  readonly settings: Readonly<Record<string, string>>;
  /** By slab class. */
  readonly items: Readonly<Record<string, Values>>;
  /** By slab class. */
  readonly slabs: Readonly<Record<string, Values>>;
  readonly conns: ConnSummary;
  /** How long requests take: sampled. Bounds are in microseconds. */
  readonly latency: {
    readonly boundsUs: readonly number[];
    /** By command. */
    readonly commands: Readonly<Record<string, Omit<CommandLatency, "command">>>;
  };
  /** The most requested keys: estimates over about the last ten seconds. With `--admin-keys`. */
  readonly hot?: HotNames | undefined;
  readonly workers: readonly WorkerLoad[];
}

/** Reads everything that `view` shows. */
export function apiStats(view: StatsView): ApiStats {
  const items = byClass(view.items());
  const slabs = byClass(view.slabs());
  return {
    general: valuesOf([...view.general(), ...slabs.totals]),
    settings: Object.fromEntries(view.settings()),
    items: mapValues(items.classes),
    slabs: mapValues(slabs.classes),
    conns: view.conns(),
    ...samplesOf(view.samples()),
  };
}

function samplesOf(
  samples: WorkSamples | undefined,
): Pick<ApiStats, "latency" | "hot" | "workers"> {
  const { latencies = [], hot, workers = [] } = samples ?? {};
  return {
    latency: {
      boundsUs: LATENCY_BOUNDS_US,
      commands: Object.fromEntries(latencies.map(({ command, ...rest }) => [command, rest])),
    },
    ...(hot === undefined ? {} : { hot }),
    workers,
  };
}

function mapValues(classes: ReadonlyMap<string, Iterable<StatRow>>): Record<string, Values> {
  return Object.fromEntries([...classes].map(([slab, rows]) => [slab, valuesOf(rows)]));
}

function valuesOf(rows: Iterable<StatRow>): Values {
  return Object.fromEntries([...rows].map(([name, text]) => [name, valueOf(text)]));
}

/** A number where the text is one. */
function valueOf(text: string): number | string {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}
