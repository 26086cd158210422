// Series as text: the exposition formats of Prometheus, written by prom-client.
//
// A registry is made for each answer: what is gone, such as a slab class without items, leaves no
// series behind, and nothing is counted twice.

import {
  Counter,
  Gauge,
  type GaugeConfiguration,
  type MetricObjectWithValues,
  type MetricType,
  type MetricValueWithName,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from "prom-client";
import type { Family, Sample } from "./family.ts";

/** The formats: the classic one, and OpenMetrics. */
export type ExpositionFormat = "text" | "openmetrics";

/** An answer to a scrape. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Writes `families`. */
export async function writeExposition(
  families: readonly Family[],
  format: ExpositionFormat,
): Promise<Exposition> {
  const isOpen = format === "openmetrics";
  const registry = openRegistry(format);
  for (const { name, kind, help, samples } of families) {
    const labelNames = Object.keys(samples[0]?.labels ?? {});
    const shape = { name, help, labelNames, registers: [] };
    if (kind === "histogram") {
      registry.registerMetric(new Precounted(shape, samples));
      continue;
    }
    // OpenMetrics would rename a counter without _total; a name must not depend on the format.
    if (kind === "counter" && (!isOpen || name.endsWith("_total"))) {
      const counter = new Counter(shape);
      for (const { labels, value } of samples) counter.inc(labels, value);
      registry.registerMetric(counter);
    } else {
      const gauge = new Gauge(shape);
      for (const { labels, value } of samples) gauge.set(labels, value);
      registry.registerMetric(gauge);
    }
  }
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** A histogram whose buckets were counted elsewhere: prom-client's own counts for itself. */
class Precounted extends Gauge {
  readonly #values: MetricValueWithName<string>[];
  readonly #shape: { readonly name: string; readonly help: string };

  constructor(shape: GaugeConfiguration<string>, samples: readonly Sample[]) {
    super(shape);
    this.#shape = shape;
    this.#values = samples.map(({ suffix = "", labels, value }) => ({
      metricName: shape.name + suffix,
      labels,
      value,
    }));
  }

  override get(): Promise<MetricObjectWithValues<MetricValueWithName<string>>> {
    const { name, help } = this.#shape;
    return Promise.resolve({
      name,
      help,
      // As the registry writes it: the declared enumeration has no values at run time.
      type: "histogram" as unknown as MetricType,
      aggregator: "sum",
      collect: () => {},
      values: this.#values,
    });
  }
}

function openRegistry(
  format: ExpositionFormat,
): Registry<PrometheusContentType> | Registry<OpenMetricsContentType> {
  if (format === "text") return new Registry<PrometheusContentType>();
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  return registry;
}

/** One media type of an Accept header that is about us. */
const OPEN_METRICS = /^application\/openmetrics-text$/i;
const PLAIN_TEXT = /^text\/plain$/i;

/**
 * The format that a scraper's Accept header asks for: OpenMetrics only where it is named, and the
 * classic format is not liked better.
 */
export function chooseFormat(accept: string | null): ExpositionFormat {
  let open = 0;
  let plain = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => /^q=/i.test(parameter));
    const quality = weight === undefined ? 1 : Number(weight.slice(2)) || 0;
    if (OPEN_METRICS.test(type)) open = Math.max(open, quality);
    else if (PLAIN_TEXT.test(type)) plain = Math.max(plain, quality);
  }
  return open > 0 && open >= plain ? "openmetrics" : "text";
}
