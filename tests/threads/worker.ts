// Worker entry: does one part of a round, and reports. The last part is the maintenance, with what
// clients may ask of it at any moment; it goes on until the others are done.

import { Prng } from "../../lib/base/prng.ts";
import { CLOCK_START } from "../../lib/base/clock.ts";
import type { StorePlan } from "../../lib/store/plan.ts";
import { loadWord } from "../../lib/memory/atomic.ts";
import { Global } from "../../lib/memory/regions.ts";
import { World } from "../../lib/memory/world_lock.ts";
import { Maintainer } from "../../lib/store/maintenance/rounds.ts";
import { askCrawl, askMove, isMoving } from "../../lib/store/control/requests.ts";
import { SlabWord } from "../../lib/store/slab/record.ts";
import { PAGE_BYTES, type SlabClass } from "../../lib/store/slab/classes.ts";
import { setMemlimit } from "../../lib/store/whole_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { discardMemory } from "../../lib/sys/mmap.ts";
import { StoreClient } from "../support/store_client.ts";
import { openStore, type RoundMemory } from "./shared.ts";
import { type Sums, type WorkName, WORKS } from "./works.ts";

/** Pages by which the limit goes below `-m` at the most. */
const LIMIT_BELOW = 4;

/** What a worker is started with. */
export interface PartStart {
  readonly thread: number;
  readonly threads: number;
  readonly work: WorkName;
  readonly operations: number;
  readonly seed: number;
  readonly plan: StorePlan;
  readonly memory: RoundMemory;
  /** Whether this is the part of the maintenance. */
  readonly maintains: boolean;
  /** Two words: how many workers have come to the start, and how many to the end. */
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
    const own = store.assoc.lockOfShard(thread);
    store.assoc.lockOf = () => own; // One lock for each thread keeps nobody out.
  }
  const problems: string[] = [];
  const prng = new Prng(start.seed * 1000 + thread);
  const client = new StoreClient(store);
  const barrier = new Int32Array(start.barrier);
  const world = new World(store.control, store.locks);
  const nextTurn = (): void => {
    world.switchAtTurnEnd();
    world.leave();
    world.enter();
  };
  const isOver = (): boolean => Atomics.load(barrier, 1) === threads;
  awaitAll(barrier, threads + 1);
  world.enter();
  const sums = start.maintains
    ? { turns: BigInt(maintain(store, prng, memory, nextTurn, isOver)) }
    : WORKS[start.work].run({ client, prng, thread, threads, operations, problems, nextTurn });
  world.leave();
  if (!start.maintains) reportUntil(barrier, world, isOver);
  if (!store.locks.idle) problems.push("a lock is still held");
  return { sums, problems, died: false };
}

/** Counts this worker as done, and goes on reporting switches of the locks until all are. */
function reportUntil(
  barrier: Int32Array<SharedArrayBuffer>,
  world: World,
  isOver: () => boolean,
): void {
  Atomics.add(barrier, 1, 1);
  while (!isOver()) {
    world.enter();
    world.switchAtTurnEnd();
    world.leave();
    Atomics.wait(barrier, 1, Atomics.load(barrier, 1), 1);
  }
}

/** Keeps the store in order until `isOver`; returns how many turns that took. */
function maintain(
  store: Store,
  prng: Prng,
  { segments }: RoundMemory,
  nextTurn: () => void,
  isOver: () => boolean,
): number {
  const discard = (page: number): void => {
    discardMemory(segments[0]! + page * PAGE_BYTES, PAGE_BYTES);
  };
  const maintainer = new Maintainer(store, true, discard);
  const { maxbytes, maxbytesCeiling } = store.shape;
  // As few pages as one, but in a round with room for large values.
  const lowest = Math.max(1, maxbytes / PAGE_BYTES - LIMIT_BELOW);
  const limits = Math.min(6, maxbytesCeiling / PAGE_BYTES - lowest + 1);
  let turns = 0;
  for (; !isOver() || isMoving(store.control); turns++) {
    nextTurn();
    store.clock.now = loadWord(store.control.u32, Global.NOW);
    if (prng.below(50) === 0) askCrawl(store.control, { low: -1, high: -1 });
    if (prng.below(20) === 0) {
      const rich = Array.from({ length: store.classes.last }, (_, index) => index + 1)
        .filter((id) => store.slabs.word(id as SlabClass, SlabWord.PAGES) > 1);
      const from = rich.length > 0 ? prng.pick(rich) : 0;
      askMove(store.control, { from, to: prng.below(store.classes.last + 1) });
    }
    if (prng.below(500) === 0) setMemlimit(store, (lowest + prng.below(limits)) * PAGE_BYTES);
    if (prng.below(500) === 0) store.tunables.set("segmented", prng.below(2));
    maintainer.turn(turns); // Every turn is a millisecond: nothing rests.
  }
  return turns;
}

/** Starts all workers at the same moment: one that came alone would be done before the next. */
function awaitAll(barrier: Int32Array<SharedArrayBuffer>, threads: number): void {
  const come = Atomics.add(barrier, 0, 1) + 1;
  if (come === threads) Atomics.notify(barrier, 0);
  for (let now = come; now < threads; now = Atomics.load(barrier, 0)) {
    Atomics.wait(barrier, 0, now);
  }
}
