// Turns measured runs into medians and ratios, and those into a Markdown table.

/** One run of one workload against one server. */
export interface Run {
  readonly opsPerSecond: number;
  /** CPU time, user and system, of the server process for one operation, in microseconds. */
  readonly cpuMicrosPerOp: number;
  /** Cores that the server kept busy; well below its threads, the client was the bottleneck. */
  readonly busyCores: number;
}

/** Two runs made one right after the other, so that they share the machine's mood. */
export interface Pair {
  readonly memcached: Run;
  readonly memden: Run;
}

/** Lowest, middle and highest of a measure. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What the pairs of one workload come to. */
export interface Summary {
  readonly name: string;
  readonly what: string;
  readonly memcached: Run;
  readonly memden: Run;
  /** memden / memcached, pair by pair: above 1 memden answers more. */
  readonly opsRatio: Spread;
  /** memden / memcached, pair by pair: below 1 memden needs less CPU. */
  readonly cpuRatio: Spread;
  readonly pairs: readonly Pair[];
}

/** The middle value; the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error("No values to take the median of");
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Lowest, middle and highest of `values`. */
export function spread(values: readonly number[]): Spread {
  return { min: Math.min(...values), median: median(values), max: Math.max(...values) };
}

/** Sums up `pairs`: the median of each measure, and the ratios of the pairs. */
export function summarize(name: string, what: string, pairs: readonly Pair[]): Summary {
  const middle = (runs: readonly Run[]): Run => ({
    opsPerSecond: median(runs.map((run) => run.opsPerSecond)),
    cpuMicrosPerOp: median(runs.map((run) => run.cpuMicrosPerOp)),
    busyCores: median(runs.map((run) => run.busyCores)),
  });
  const ratio = (of: (run: Run) => number): Spread =>
    spread(pairs.map((pair) => of(pair.memden) / of(pair.memcached)));
  return {
    name,
    what,
    memcached: middle(pairs.map((pair) => pair.memcached)),
    memden: middle(pairs.map((pair) => pair.memden)),
    opsRatio: ratio((run) => run.opsPerSecond),
    cpuRatio: ratio((run) => run.cpuMicrosPerOp),
    pairs,
  };
}

/** What the numbers were measured on and with; one line each in the report. */
export type Setting = Readonly<Record<string, string | number>>;

/** Workloads without numbers, and why. */
export interface LeftOut {
  readonly skipped: readonly string[];
  readonly failed: readonly string[];
}

/** The report as Markdown: settings, one row per workload, and what has no numbers. */
export function toMarkdown(
  setting: Setting,
  summaries: readonly Summary[],
  leftOut: LeftOut,
): string {
  const lines = Object.entries(setting).map(([name, value]) => `- ${name}: ${value}`);
  lines.push(
    "",
    "Medians; ratios are memden / memcached pair by pair: median (lowest–highest). Busy is the",
    "number of cores the server kept busy.",
    "",
    "| workload | memcached ops/s | memden ops/s | ratio | memcached CPU µs/op | " +
      "memden CPU µs/op | ratio | busy memcached / memden |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const { name, what, memcached, memden, opsRatio, cpuRatio } of summaries) {
    const cells = [
      `${name}: ${what}`,
      thousands(memcached.opsPerSecond),
      thousands(memden.opsPerSecond),
      showSpread(opsRatio),
      memcached.cpuMicrosPerOp.toFixed(2),
      memden.cpuMicrosPerOp.toFixed(2),
      showSpread(cpuRatio),
      `${memcached.busyCores.toFixed(2)} / ${memden.busyCores.toFixed(2)}`,
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  for (const reason of leftOut.skipped) lines.push("", `**SKIPPED** ${reason}`);
  for (const reason of leftOut.failed) lines.push("", `**FAILED** ${reason}`);
  return lines.join("\n") + "\n";
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

function showSpread({ min, median, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}
