// Series of the workers' samples. memcached_exporter has none of them, so the names are memden's.

import { LATENCY_BOUNDS_US } from "../stats/latency.ts";
import type { CommandLatency, HotNames, WorkerLoad, WorkSamples } from "../stats/stats_view.ts";
import type { Family, Sample, SeriesKind } from "./family.ts";

const US_PER_SECOND = 1_000_000;
/** Bounds of the histograms in `/metrics`: each twice the one before. */
const SHOWN_BOUNDS: readonly (readonly [index: number, us: number])[] = [
  ...LATENCY_BOUNDS_US.entries(),
].filter(([, us]) => Number.isInteger(Math.log2(us)));

type WorkerRow = readonly [
  name: string,
  kind: SeriesKind,
  help: string,
  read: (load: WorkerLoad) => number | null,
];

// deno-fmt-ignore
const WORKER_ROWS: readonly WorkerRow[] = [
  ["memden_worker_connections", "gauge", "Connections of the worker", (it) => it.connections],
  ["memden_worker_cpu_seconds_total", "counter", "CPU time of the worker", (it) => it.cpuSeconds],
  ["memden_worker_commands_total", "counter", "Commands on keys", (it) => it.commands],
  ["memden_worker_read_bytes_total", "counter", "Bytes received", (it) => it.bytesRead],
  ["memden_worker_written_bytes_total", "counter", "Bytes sent", (it) => it.bytesWritten],
];

/** All of them; none where nothing is noted. */
export function workFamilies(samples: WorkSamples | undefined): Family[] {
  if (samples === undefined) return [];
  const { latencies, hot, workers } = samples;
  return [
    {
      name: "memden_command_duration_seconds",
      kind: "histogram",
      help: "From the wake-up of the worker to the last reply, estimated from samples",
      samples: latencies.flatMap(histogramSamples),
    },
    ...(hot === undefined ? [] : hotFamilies(hot)),
    ...WORKER_ROWS.map(([name, kind, help, read]): Family => ({
      name,
      kind,
      help,
      samples: workers.flatMap((load) => {
        const value = read(load);
        return value === null ? [] : [{ labels: { worker: String(load.thread) }, value }];
      }),
    })),
  ];
}

/** Series whose labels are keys, and parts of keys. */
function hotFamilies({ keys, prefixes }: HotNames): Family[] {
  return [
    {
      name: "memden_hot_key_rate",
      kind: "gauge",
      help: "Requests a second for the keys asked for most, estimated from samples",
      samples: keys.map(({ name, perSecond }) => ({ labels: { key: name }, value: perSecond })),
    },
    {
      name: "memden_hot_prefix_rate",
      kind: "gauge",
      help: "The same for what comes before the first delimiter (-D) of a key",
      samples: prefixes.map(({ name, perSecond }) => ({
        labels: { prefix: name },
        value: perSecond,
      })),
    },
  ];
}

/** Buckets, sum and count of one command. */
function histogramSamples({ command, count, sumUs, buckets }: CommandLatency): Sample[] {
  const samples: Sample[] = [];
  let below = 0;
  let next = 0;
  for (const [index, us] of SHOWN_BOUNDS) {
    for (; next <= index; next++) below += buckets[next] ?? 0;
    const le = String(us / US_PER_SECOND);
    samples.push({ suffix: "_bucket", labels: { command, le }, value: below });
  }
  return [
    ...samples,
    { suffix: "_bucket", labels: { command, le: "+Inf" }, value: count },
    { suffix: "_sum", labels: { command }, value: sumUs / US_PER_SECOND },
    { suffix: "_count", labels: { command }, value: count },
  ];
}
