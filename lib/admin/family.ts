// A family of /metrics: one name of a metric, with all of its samples.
//
// Source: OpenMetrics 1.0, "MetricFamily".

/** The type of a metric, by Prometheus's names. */
export type SeriesKind = "counter" | "gauge" | "histogram";

/** One value of a series, with its labels. */
export interface Sample {
  /** What follows the family's name: of a histogram's `_bucket`, `_sum` and `_count`. */
  readonly suffix?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** All values of one name. */
export interface Family {
  readonly name: string;
  readonly kind: SeriesKind;
  readonly help: string;
  readonly samples: readonly Sample[];
}
