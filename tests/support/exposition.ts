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
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge)$`);
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
 * twice, and, in OpenMetrics, a counter without `_total` or an end that is missing.
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
    } else readSample(line, family, isOpenMetrics && types.get(family) === "counter", values);
  }
  return { types, values };
}

function readSample(
  line: string,
  family: string,
  hasSuffix: boolean,
  values: Map<string, number>,
): void {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`No line of a known form: ${line}`);
  const [, name = "", labels = ""] = match;
  if (name !== (hasSuffix ? `${family}_total` : family)) {
    throw new Error(`Not of the family ${family}: ${line}`);
  }
  const pairs = [...labels.matchAll(LABEL)].map(([, label = "", value = ""]) => [label, value]);
  const series = seriesOf(name, Object.fromEntries(pairs));
  if (values.has(series)) throw new Error(`Twice: ${series}`);
  values.set(series, Number(match.at(-1)));
}
