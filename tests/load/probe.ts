// The well-behaved client beside the others: its round trips, and that its replies are right.

import { RoundTrips } from "../../scripts/bench/round_trips.ts";
import { LoadClient } from "./client.ts";

const SHARES = [0.5, 0.99];

/** Answer of probe.py. */
interface Answer {
  readonly times: readonly number[];
  readonly wrong: number;
  readonly examples: readonly string[];
}

/** Round trips in milliseconds, and how many replies were wrong. */
export interface Probed {
  readonly p50: number;
  readonly p99: number;
  readonly sent: number;
  readonly wrong: number;
  readonly examples: readonly string[];
}

/** Sets and gets at a steady pace. */
export class Probe implements AsyncDisposable {
  readonly #client: LoadClient;

  /** @param conns One for each thread of the server, so that each of them is measured. */
  constructor(port: number, conns: number) {
    this.#client = new LoadClient("probe.py", [port, conns]);
  }

  /** Sends `count` requests, one each `intervalMs`; 0 is as fast as the replies come. */
  async run(count: number, intervalMs: number): Promise<Probed> {
    const { times, wrong, examples } = await this.#client.ask<Answer>(
      `run ${count} ${intervalMs}`,
    );
    const trips = new RoundTrips(intervalMs === 0 ? Infinity : intervalMs);
    for (const ms of times) trips.add(ms);
    const [p50 = 0, p99 = 0] = trips.percentiles(SHARES);
    return { p50, p99, sent: trips.sent, wrong, examples };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }
}

/** One line about `now`, beside `alone`. */
export function compare(alone: Probed, now: Probed): string {
  const of = (name: "p50" | "p99") =>
    `${name} ${now[name].toFixed(3)} ms, ${(now[name] / alone[name]).toFixed(2)} times`;
  return `${of("p50")}; ${of("p99")}`;
}
