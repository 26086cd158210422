// What the workers have noted of their work, with names for what they note by numbers.

import { percentCode } from "../base/uri.ts";
import { COMMANDS } from "../protocol/text/commands.ts";
import { ThreadTotals } from "../stats/counters.ts";
import type { HotName } from "../stats/hot_names.ts";
import { ClassCounter, Counter } from "../stats/names.ts";
import { readSamples } from "../stats/samples.ts";
import type { WorkerLoad, WorkSamples } from "../stats/stats_view.ts";
import type { Store } from "../store/store.ts";

/** Most names of hot keys, and of hot prefixes. */
const HOT_NAMES_MAX = 20;

/** Counters whose sum is the commands on keys. */
// deno-fmt-ignore
const COMMAND_COUNTERS = [
  Counter.CMD_GET, Counter.CMD_TOUCH, Counter.DELETE_MISSES, Counter.INCR_MISSES,
  Counter.DECR_MISSES,
];
const COMMAND_CLASS_COUNTERS = [
  ClassCounter.CMD_SET,
  ClassCounter.DELETE_HITS,
  ClassCounter.INCR_HITS,
  ClassCounter.DECR_HITS,
];

/** Name of the command that each kind of latency is about. */
const COMMAND_NAMES: ReadonlyMap<number, string> = new Map(
  COMMANDS.map(({ verb, text }) => [verb, text]),
);

/** Reads them; undefined where nothing is noted. */
export function workSamples({ control, shape, clock }: Store): WorkSamples | undefined {
  const samples = readSamples(control, shape.threads, clock.now, HOT_NAMES_MAX);
  if (samples === undefined) return undefined;
  const { latencies, hot, loads } = samples;
  return {
    latencies: latencies.map(({ kind, ...latency }) => ({
      command: COMMAND_NAMES.get(kind) ?? "other",
      ...latency,
    })),
    hot: hot && { keys: hot.keys.map(readable), prefixes: hot.prefixes.map(readable) },
    workers: loads.map(({ cpuSeconds, connections }, index): WorkerLoad => {
      const thread = index + 1;
      const totals = new ThreadTotals(control, thread);
      return {
        thread,
        connections,
        cpuSeconds: Number.isNaN(cpuSeconds) ? null : cpuSeconds,
        commands: COMMAND_COUNTERS.reduce((sum, counter) => sum + totals.of(counter), 0) +
          COMMAND_CLASS_COUNTERS.reduce((sum, counter) => sum + totals.ofClasses(counter), 0),
        bytesRead: totals.of(Counter.BYTES_READ),
        bytesWritten: totals.of(Counter.BYTES_WRITTEN),
      };
    }),
  };
}

/** Shows a key as text where it is text; other bytes as `%XX`, and what does not print. */
function readable({ name, perSecond }: HotName): HotName {
  return { name: keyText(name), perSecond };
}

/** Control, format and unassigned characters, separators of lines, and what stands for no text. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\ufffd]/u;
/** A mark of the order of bytes is a part of the key. */
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** The key whose bytes are the characters of `key`, to be read by people: no two look the same. */
export function keyText(key: string): string {
  const bytes = Uint8Array.from(key, (char) => char.charCodeAt(0));
  const text = DECODER.decode(bytes);
  if (!UNPRINTABLE.test(text)) return text.replace(/%(?=[0-9A-F]{2})/g, "%25");
  return key.replace(/[^\x21-\x7e]|%/g, percentCode);
}
