// Round trip times of a probe that ought to go out at a steady interval.
//
// A slow probe holds up those behind it: each of them would have waited too, a little less than the
// one before. They are counted as if they had been sent, or else a pause of a second would weigh as
// much as a pause of a millisecond. Source: HdrHistogram, recordValueWithExpectedInterval.

/** All times of one run. */
export class RoundTrips {
  readonly #intervalMs: number;
  readonly #times: number[] = [];
  #sent = 0;

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Counts a probe, and those that it held up. */
  add(ms: number): void {
    this.#sent++;
    this.#times.push(ms);
    for (let rest = ms - this.#intervalMs; rest >= this.#intervalMs; rest -= this.#intervalMs) {
      this.#times.push(rest);
    }
  }

  /** Probes that were really sent. */
  get sent(): number {
    return this.#sent;
  }

  /** The times below which the `shares` (0..1) of all lie, in milliseconds; 1 is the longest. */
  percentiles(shares: readonly number[]): number[] {
    const sorted = Float64Array.from(this.#times).sort();
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
  }
}
