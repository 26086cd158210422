// Reads an answer of /metrics, and refuses whatever a scraper would: the classic text format of
// Prometheus, or OpenMetrics.

/** What one answer says. */
export interface Exposed {
  /** Type of each family, by its name. */
  readonly types: ReadonlyMap<string, string>;
  /** Value of each series: `name{label="value",…}`, labels in order of their names. */
  readonly values: ReadonlyMap<string, number>;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) \\S.*$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"/g;
const SAMPLE = new RegExp(
  `^(${NAME})(\\{(?:${LABEL.source},?)+\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
);

/** A series by name and labels, as {@linkcode Exposed} has it. */
export function seriesOf(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => a < b ? -1 : 1);
  const inside = pairs.map(([label, value]) => `${label}="${value}"`).join(",");
  return inside === "" ? name : `${name}{${inside}}`;
}

/** The name in front of a series' labels. */
export function nameOf(series: string): string {
  return series.split("{")[0]!;
}

/**
 * Reads `text`.
 *
 * @throws {Error} For a line of no form, a sample outside its family, a family or series that comes
 * twice, a histogram whose buckets do not go up to its count, and, in OpenMetrics, a counter
 * without `_total` or an end that is missing.
 */
export function parseExposition(text: string, isOpenMetrics: boolean): Exposed {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  const lines = text.split("\n").filter((line) => line !== "");
  if (!text.endsWith("\n")) throw new Error("The last line has no end");
  if ((lines.at(-1) === "# EOF") !== isOpenMetrics) {
    throw new Error("# EOF is not where it belongs");
  }
  if (isOpenMetrics) lines.pop();
  let family = "";
  for (const line of lines) {
    const [, helped] = HELP.exec(line) ?? [];
    const [, typed, type] = TYPE.exec(line) ?? [];
    if (helped !== undefined) family = helped;
    else if (typed !== undefined && type !== undefined) {
      if (typed !== family || types.has(typed)) throw new Error(`Not the place of: ${line}`);
      types.set(typed, type);
    } else readSample(line, family, suffixesOf(types.get(family), isOpenMetrics), values);
  }
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, values);
  return { types, values };
}

function suffixesOf(type: string | undefined, isOpenMetrics: boolean): readonly string[] {
  if (type === "histogram") return ["_bucket", "_sum", "_count"];
  return isOpenMetrics && type === "counter" ? ["_total"] : [""];
}

/** Whether the buckets of each command go up to its count. */
function checkHistogram(name: string, values: ReadonlyMap<string, number>): void {
  const last = new Map<string, { le: number; value: number }>();
  for (const [series, value] of values) {
    const [, labels, bound = ""] = new RegExp(`^${name}_bucket{(.*)le="(.*)"}$`).exec(series) ?? [];
    if (labels === undefined) continue;
    const before = last.get(labels) ?? { le: -Infinity, value: 0 };
    const le = bound === "+Inf" ? Infinity : Number(bound);
    if (!(le > before.le) || value < before.value) throw new Error(`Not going up: ${series}`);
    last.set(labels, { le, value });
  }
  for (const [labels, { le, value }] of last) {
    const count = values.get(`${name}_count{${labels.replace(/,$/, "")}}`);
    if (le !== Infinity || value !== count) {
      throw new Error(`Not up to the count: ${name} ${labels}`);
    }
  }
}

function readSample(
  line: string,
  family: string,
  suffixes: readonly string[],
  values: Map<string, number>,
): void {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`No line of a known form: ${line}`);
  const [, name = "", labels = ""] = match;
  if (!suffixes.some((suffix) => name === family + suffix)) {
    throw new Error(`Not of the family ${family}: ${line}`);
  }
  const pairs = [...labels.matchAll(LABEL)].map(([, label = "", value = ""]) => [label, value]);
  const series = seriesOf(name, Object.fromEntries(pairs));
  if (values.has(series)) throw new Error(`Twice: ${series}`);
  values.set(series, Number(match.at(-1)));
}
