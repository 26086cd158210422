// Worker entry: does one part of a round, gives its spare chunks back, and reports.

import { Prng } from "../../lib/base/prng.ts";
import { CLOCK_START } from "../../lib/base/clock.ts";
import type { StorePlan } from "../../lib/store/memory.ts";
import { StoreClient } from "../support/store_client.ts";
import { openStore, type RoundMemory } from "./shared.ts";
import { type Sums, type WorkName, WORKS } from "./works.ts";

/** What a worker is started with. */
export interface PartStart {
  readonly thread: number;
  readonly threads: number;
  readonly work: WorkName;
  readonly operations: number;
  readonly seed: number;
  readonly plan: StorePlan;
  readonly memory: RoundMemory;
  /** One word: how many workers have come to the start. */
  readonly barrier: SharedArrayBuffer;
  /** Plants a bug: this worker takes no bucket locks. */
  readonly lockless: boolean;
}

/** What a worker reports in the end. */
export interface PartReport {
  readonly sums: Sums;
  readonly problems: readonly string[];
  /** The worker did not come to the end of its part, and may have left a lock behind. */
  readonly died: boolean;
}

/** What a worker's global scope has. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<PartStart>) => void) | null;
  postMessage(report: PartReport): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data }) => {
  scope.onmessage = null;
  scope.postMessage(reportOf(data));
  scope.close();
};

function reportOf(start: PartStart): PartReport {
  try {
    return runPart(start);
  } catch (error) {
    return { sums: {}, problems: [`worker ${start.thread}: ${error}`], died: true };
  }
}

function runPart(start: PartStart): PartReport {
  const { thread, threads, operations, plan, memory } = start;
  const clock = { startUnix: 1_700_000_000, now: CLOCK_START };
  const store = openStore(plan, memory, thread, clock);
  if (start.lockless) {
    store.lock = () => {};
    store.unlock = () => {};
  }
  const problems: string[] = [];
  const prng = new Prng(start.seed * 1000 + thread);
  const client = new StoreClient(store);
  awaitAll(new Int32Array(start.barrier), threads);
  const sums = WORKS[start.work].run({ client, prng, thread, threads, operations, problems });
  if (!store.locks.idle) problems.push("a lock is still held");
  return { sums, problems, died: false };
}

/** Starts all workers at the same moment: one that came alone would be done before the next. */
function awaitAll(barrier: Int32Array<SharedArrayBuffer>, threads: number): void {
  const come = Atomics.add(barrier, 0, 1) + 1;
  if (come === threads) Atomics.notify(barrier, 0);
  for (let now = come; now < threads; now = Atomics.load(barrier, 0)) {
    Atomics.wait(barrier, 0, now);
  }
}
