// `deno task threads`: workers over one store, all at once, with a walk through everything in it
// whenever the world is made to stand still, and once more in the end.
//
//   --seed N       replays the random choices (not the moments at which threads meet)
//   --rounds N     how often each kind of round is played; default 2
//   --threads N    workers; default 4
//   --canary       plants a bug in one worker; passes when every round notices it
//
// The last line is "N passed, N failed".

import { parseArgs } from "@std/cli/parse-args";
import { CLOCK_START } from "../../lib/base/clock.ts";
import { storeWord } from "../../lib/memory/atomic.ts";
import { Global } from "../../lib/memory/regions.ts";
import { Snapshot } from "../../lib/stats/counters.ts";
import { NoPause, pauseWorld, type WorldReach } from "../../lib/server/stop_world.ts";
import { checkLiveStore, checkStore } from "../../lib/store/check.ts";
import { planStore, type StorePlan } from "../../lib/store/plan.ts";
import { SMALL_SHAPE } from "../../lib/store/store_fixture.ts";
import { startStore, type Store } from "../../lib/store/store.ts";
import { restartProblems } from "../support/restarted.ts";
import { StoreClient } from "../support/store_client.ts";
import { mapRound, openStore } from "./shared.ts";
import type { PartReport, PartStart } from "./worker.ts";
import { type Sums, type Work, type WorkName, WORKS } from "./works.ts";

const MIB = 2 ** 20;
/** Longest a round may take, in milliseconds: a lock that nobody gives back is a failure too. */
const ROUND_MS_MAX = 60_000;
const PROBLEMS_SHOWN_MAX = 8;
/** Time between two pauses in which the store is checked, in milliseconds. */
const PAUSES_MS = 100;
/** Items of 1,000 bytes that are there from the start where pages are to move. */
const FILLERS = 4000;

/** One kind of round. */
interface Round {
  readonly name: string;
  readonly work: WorkName;
  /** `-m` in MiB. */
  readonly mib: number;
  readonly operations: number;
  /** Shards and first buckets of each: few of them make threads meet. */
  readonly shards: number;
  readonly evictions: boolean;
  /** Largest chunk, in bytes. */
  readonly chunkMax: number;
  /** The round proves nothing unless items were evicted. */
  readonly mustEvict: boolean;
  /** The round proves nothing unless pages moved. */
  readonly mustMove: boolean;
}

const EASY = {
  shards: 1024,
  evictions: true,
  mustEvict: false,
  mustMove: false,
  chunkMax: 16 * 1024,
} as const;

const ROUNDS: readonly Round[] = [
  { ...EASY, name: "counters", work: "counters", mib: 1, operations: 80_000, mustEvict: true },
  { ...EASY, name: "counters, one shard", work: "counters", mib: 1, operations: 40_000, shards: 1 },
  { ...EASY, name: "cas", work: "cas", mib: 4, operations: 60_000 },
  {
    ...EASY,
    name: "own keys",
    shards: 16,
    work: "own",
    mib: 1,
    operations: 60_000,
    mustEvict: true,
  },
  {
    ...EASY,
    name: "large values",
    work: "large",
    mib: 48,
    chunkMax: 512 * 1024,
    operations: 20_000,
    mustMove: true,
  },
  { ...EASY, name: "storm", work: "storm", mib: 1, operations: 100_000, mustEvict: true },
  { ...EASY, name: "storm, room for all", work: "storm", mib: 4, operations: 80_000 },
  {
    ...EASY,
    name: "own keys, pages move",
    work: "own",
    mib: 3,
    operations: 60_000,
    mustMove: true,
  },
  { ...EASY, name: "storm, four shards", work: "storm", mib: 1, operations: 60_000, shards: 4 },
  {
    ...EASY,
    name: "storm, no evictions",
    work: "storm",
    mib: 1,
    operations: 60_000,
    evictions: false,
  },
];

/** What the options say about every round. */
interface Manner {
  readonly threads: number;
  readonly seed: number;
  readonly canary: boolean;
}

function planRound({ mib, shards, evictions, chunkMax }: Round, threads: number): StorePlan {
  // Few classes, so that each is full soon: the first page is free for every one of them.
  const factor = 4;
  const plan = planStore({
    ...SMALL_SHAPE,
    maxbytes: mib * MIB,
    maxbytesCeiling: Math.max(8, mib) * MIB,
    itemSizeMax: 4 * MIB,
    slabChunkMax: chunkMax,
    threads,
    evictions,
    factor,
    tuning: { ...SMALL_SHAPE.tuning, temporaryTtl: 2, slabAutomove: 2 },
  });
  const bucketsMax = 1024;
  return {
    ...plan,
    assoc: { shards, bucketsMin: 1, bucketsMax },
    bucketBytes: shards * bucketsMax * 4,
  };
}

/** Plays one round and returns what is wrong. */
async function play(round: Round, { threads, seed, canary }: Manner): Promise<string[]> {
  const plan = planRound(round, threads);
  const memory = mapRound(plan);
  const work: Work = WORKS[round.work];
  const clock = { startUnix: 1_700_000_000, now: CLOCK_START };
  const client = new StoreClient(openStore(plan, memory, 0, clock));
  const { store } = client;
  startStore(store, plan);
  storeWord(store.control.u32, Global.NOW, CLOCK_START);
  work.prepare?.(client);
  if (round.mustMove) {
    for (let n = 0; n < FILLERS; n++) client.set(`filler${n}`, "f".repeat(1000)); // Some pages.
  }

  const barrier = new SharedArrayBuffer(8);
  const { work: name, operations } = round;
  const parts = Array.from({ length: threads + 1 }, (_, index) => ({
    thread: index + 1,
    maintains: index === threads,
    threads,
    work: name,
    operations,
    seed,
    plan,
    memory,
    barrier,
    lockless: canary && index === 0,
  }));
  let isOver = false;
  const [reports, inPauses] = await Promise.all([
    runParts(parts).finally(() => isOver = true),
    // A worker that gives no lock back cannot switch them: that would hide what the canary is for.
    canary ? [] : checkInPauses(store, threads + 1, () => isOver),
  ]);
  const problems = reports.flatMap((report) => [...report.problems]);
  problems.push(...inPauses);
  if (reports.some((report) => report.died)) return problems; // What it left is not worth a walk.

  clock.now = store.control.u32[Global.NOW]!;
  problems.push(...checkStore(store).problems.map((problem) => `in the store: ${problem}`));
  if (reports.every(({ sums }) => sums["turns"] === undefined)) problems.push("no maintenance");
  work.verify?.(client, total(reports), problems);
  const evictions = new Snapshot(store.control).ofClasses("evictions");
  const moved = new Snapshot(store.control).of("slabs_moved");
  if (round.mustMove && moved === 0) problems.push("no page moved");
  if (round.mustEvict && evictions === 0) problems.push("nothing was evicted");
  return [...problems, ...restartProblems(store)];
}

/** Stops the world now and then until `isOver`, and returns what is wrong with the store then. */
async function checkInPauses(
  store: Store,
  threads: number,
  isOver: () => boolean,
): Promise<string[]> {
  const { control, locks, clock } = store;
  const reach: WorldReach = {
    control,
    locks,
    threads,
    notifyWorkers: () => {},
    isEnding: isOver,
  };
  const found: string[] = [];
  let checked = 0;
  while (!isOver()) {
    await new Promise((resolve) => setTimeout(resolve, PAUSES_MS));
    const pause = await pauseWorld(reach, () => {
      clock.now = store.control.u32[Global.NOW]!;
      return checkLiveStore(store).problems;
    });
    if (pause === NoPause.ENDING) break;
    if (typeof pause === "string") return [...found, pause];
    checked++;
    found.push(...pause.result.map((problem) => `in a pause: ${problem}`));
  }
  if (checked === 0) found.push("the world never stood still");
  return found;
}

/** Runs one worker for each part, until all have reported or one has died. */
async function runParts(parts: readonly PartStart[]): Promise<PartReport[]> {
  const reports: PartReport[] = [];
  const ended = Promise.withResolvers<void>();
  const report = (part: PartReport): void => {
    reports.push(part);
    // What waits for a lock that a dead worker holds, waits in vain.
    if (part.died || reports.length === parts.length) ended.resolve();
  };
  const die = (problem: string) => report({ sums: {}, problems: [problem], died: true });
  const workers = parts.map((part) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), MODULE);
    worker.onmessage = ({ data }: MessageEvent<PartReport>) => report(data);
    worker.onerror = (event) => {
      event.preventDefault();
      die(`worker ${part.thread}: ${event.message}`);
    };
    worker.postMessage(part);
    return worker;
  });
  const timer = setTimeout(() => die(`not done after ${ROUND_MS_MAX} ms`), ROUND_MS_MAX);
  await ended.promise;
  clearTimeout(timer);
  for (const worker of workers) worker.terminate();
  return reports;
}

const MODULE = { type: "module" } as const;

function total(reports: readonly PartReport[]): Sums {
  const sums: Record<string, bigint> = {};
  for (const report of reports) {
    for (const [name, sum] of Object.entries(report.sums)) sums[name] = (sums[name] ?? 0n) + sum;
  }
  return sums;
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** Plays every kind of round once; returns how many went as they should. */
async function playAll(manner: Manner): Promise<number> {
  let passed = 0;
  for (const round of ROUNDS) {
    const begin = performance.now();
    const problems = await play(round, manner);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    const ok = manner.canary === problems.length > 0;
    if (ok) passed++;
    const result = manner.canary
      ? (ok ? "noticed" : "NOT NOTICED")
      : (ok ? "ok" : `FAILED, --seed ${manner.seed}`);
    print(`${round.name.padEnd(20)} ${seconds.padStart(5)} s  ${result}`);
    for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) print(`  ${problem}`);
  }
  return passed;
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly seed?: string;
  readonly rounds?: string;
  readonly threads: string;
  readonly canary: boolean;
}

async function main(args: string[]): Promise<number> {
  const options: Options = parseArgs(args, {
    string: ["seed", "rounds", "threads"],
    boolean: ["canary"],
    default: { threads: "4" },
    unknown: (name: string) => {
      throw new Error(`Unknown option ${name}`);
    },
  });
  const first = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));
  const rounds = Number(options.rounds ?? (options.canary ? 1 : 2));
  const threads = Number(options.threads);
  print(`${threads} threads, --seed ${first}`);
  let passed = 0;
  for (let round = 0; round < rounds; round++) {
    passed += await playAll({ threads, seed: first + round, canary: options.canary });
  }
  const failed = rounds * ROUNDS.length - passed;
  print(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
