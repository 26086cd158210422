// `deno task mutate`: changes the program one line at a time and runs the tests of that line's
// folder. A change that no test notices has survived: a test is missing, or is blind, or the line
// is not needed.
//
//   --only PATH   only files whose path begins so; may be given more than once
//   --sample N    N changes of all, drawn by --seed; default all
//   --seed N      printed, so that a sample can be drawn again
//   --jobs N      changes tried at the same time; default 1
//   --list        prints the changes and tries none
//   --slow        each change in a process of its own, in which all tests of its folder run
//   --unconfirmed survivors are not tried the slow way, too, nor are 20 of the killed
//
// Changes are made to a copy of the repository, which has all of them behind conditions: see
// mutate/quick_trial.ts. Those of mutate/equivalents.ts cannot be seen and
// are left out. The last line is "N killed, N survived"; the exit code is 1 when any survived.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { Prng } from "../lib/base/prng.ts";
import { type Change, changesOf } from "./mutate/changes.ts";
import { type Equivalent, EQUIVALENTS } from "./mutate/equivalents.ts";
import { Overlay, type Verdict } from "./mutate/overlay.ts";
import { QuickTrial } from "./mutate/quick_trial.ts";
import { type Suite, suiteOf, SUITES } from "./mutate/suites.ts";
import { isTest, readSources } from "./sources.ts";

/** How long a suite may take before anything was changed. */
const SUITE_MS_MAX = 300_000;
/** How many killed changes are tried the slow way, too, and by which seed they are drawn. */
const CHECKED_KILLED = 20;
const CHECKED_SEED = 1;
/** After how many changes it is said how many are left. */
const PROGRESS_CHANGES = 100;

/** Every change to the files under `places` that a suite is there for. */
export async function allChanges(places: readonly string[]): Promise<Change[]> {
  const sources = await readSources(places);
  return [...sources].flatMap(([path, text]) =>
    isTest(path) || suiteOf(path) === undefined ? [] : changesOf(path, text)
  );
}

function isSame(change: Change, row: Equivalent): boolean {
  return change.path === row.path && change.before === row.before && change.after === row.after;
}

/** Rows of `equivalents` that none of `changes` is. */
export function staleRows(
  changes: readonly Change[],
  equivalents: readonly Equivalent[],
): Equivalent[] {
  return equivalents.filter((row) => !changes.some((change) => isSame(change, row)));
}

/** `count` of `changes`, in their order; which ones is decided by `seed`. */
export function sample(changes: readonly Change[], count: number, seed: number): Change[] {
  const prng = new Prng(seed);
  const left = changes.map((_, index) => index);
  const drawn: number[] = [];
  while (drawn.length < count && left.length > 0) {
    drawn.push(left.splice(prng.below(left.length), 1)[0]!);
  }
  return drawn.sort((a, b) => a - b).map((index) => changes[index]!);
}

/** The tests for the file `path`: first the one beside it, then its suite's. */
export function testsFor(
  path: string,
  { tests }: Suite,
  exists: (path: string) => boolean,
): string[] {
  const own = path.replace(/\.ts$/, "_test.ts");
  const rest = tests.filter((test) => test !== own && exists(test));
  return exists(own) ? [own, ...rest] : rest;
}

function show({ path, line, before, after }: Change): string {
  return `${path}:${line}: ${before}\n    ${after === "" ? "(left out)" : after}`;
}

type Counts = Record<Verdict, number>;

function noCounts(): Counts {
  return { killed: 0, survived: 0, "not compiled": 0 };
}

/** Tries changes the slow way, `jobs` at a time, and prints those that survive. */
class SlowTrial {
  readonly #left: Change[];
  readonly #usualMs = new Map<Suite, number>();
  readonly counts = noCounts();

  constructor(changes: readonly Change[]) {
    this.#left = [...changes];
  }

  /** Runs the suites as they are. @throws {Error} When one fails. */
  async measure(): Promise<void> {
    await using overlay = await Overlay.make();
    for (const suite of SUITES) {
      if (!this.#left.some(({ path }) => suiteOf(path) === suite)) continue;
      const { passed, ms, output } = await overlay.test(suite.tests, SUITE_MS_MAX);
      if (!passed) throw new Error(`The tests for ${suite.folder} fail:\n${output}`);
      console.log(`${suite.folder}: ${(ms / 1000).toFixed(1)} s for a survivor`);
      this.#usualMs.set(suite, ms);
    }
  }

  async run(jobs: number): Promise<void> {
    await Promise.all(Array.from({ length: jobs }, () => this.#work()));
  }

  async #work(): Promise<void> {
    await using overlay = await Overlay.make();
    for (let change = this.#left.shift(); change !== undefined; change = this.#left.shift()) {
      const suite = suiteOf(change.path);
      if (suite === undefined) continue;
      const tests = testsFor(change.path, suite, exists);
      const verdict = await overlay.try(change, tests, this.#usualMs.get(suite) ?? SUITE_MS_MAX);
      this.counts[verdict]++;
      if (verdict === "survived") console.log(show(change));
    }
  }
}

/** Tries `changes` of `suite` the quick way, `jobs` at a time, and prints those that survive. */
async function tryQuickly(
  suite: Suite,
  changes: readonly Change[],
  jobs: number,
  confirms: boolean,
): Promise<Counts> {
  const counts = noCounts();
  await using compiled = await Overlay.make();
  const trial = await QuickTrial.make(compiled, changes, suite.tests);
  console.log(`${suite.folder}: ${trial.describe()}`);
  const left = [...changes];
  const killed: Change[] = [];
  const work = async (): Promise<void> => {
    await using plain = await Overlay.make();
    await trial.work(left, async (change, quick) => {
      let verdict: Verdict = quick === "unknown" ? "survived" : quick;
      if (quick === "killed") killed.push(change);
      else if (quick === "unknown" || confirms) {
        const tests = trial.filesThatReach(change);
        verdict = await plain.try(change, tests.length > 0 ? tests : suite.tests, SUITE_MS_MAX);
      }
      counts[verdict]++;
      if (verdict === "survived") console.log(show(change));
      if (left.length % PROGRESS_CHANGES === 0) console.error(`${left.length} left`);
    });
  };
  await Promise.all(Array.from({ length: jobs }, work));
  if (confirms) await checkKilled(killed, suite, trial);
  return counts;
}

/** Tries some of `killed` the slow way. @throws {Error} When one survives. */
async function checkKilled(
  killed: readonly Change[],
  suite: Suite,
  trial: QuickTrial,
): Promise<void> {
  await using plain = await Overlay.make();
  for (const change of sample(killed, CHECKED_KILLED, CHECKED_SEED)) {
    const tests = testsFor(change.path, { ...suite, tests: trial.filesThatReach(change) }, exists);
    const verdict = await plain.try(change, tests, SUITE_MS_MAX);
    if (verdict === "survived") throw new Error(`Killed the quick way only: ${show(change)}`);
  }
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly only: readonly string[];
  readonly sample?: string;
  readonly seed?: string;
  readonly jobs: string;
  readonly list: boolean;
  readonly slow: boolean;
  readonly unconfirmed: boolean;
}

async function main(args: string[]): Promise<number> {
  const options: Options = parseArgs(args, {
    string: ["only", "sample", "seed", "jobs"],
    boolean: ["list", "slow", "unconfirmed"],
    collect: ["only"],
    default: { jobs: "1" },
    unknown: (name: string) => {
      throw new Error(`Unknown option ${name}`);
    },
  });
  const all = await allChanges(SUITES.map(({ folder }) => folder));
  const stale = staleRows(all, EQUIVALENTS);
  for (const { path, before } of stale) console.error(`equivalents.ts: ${path} has no ${before}`);

  const chosen = all.filter(({ path }) =>
    options.only.length === 0 || options.only.some((place) => path.startsWith(place))
  ).filter((change) => !EQUIVALENTS.some((row) => isSame(change, row)));
  const seed = Number(options.seed ?? Math.floor(Math.random() * 2 ** 31));
  const changes = options.sample === undefined
    ? chosen
    : sample(chosen, Number(options.sample), seed);
  if (options.list) {
    for (const change of changes) console.log(show(change));
    return stale.length === 0 ? 0 : 1;
  }
  console.log(`${changes.length} changes of ${chosen.length}, --seed ${seed}`);
  const start = performance.now();
  const jobs = Number(options.jobs);
  const { killed, survived, "not compiled": refused } = options.slow
    ? await trySlowly(changes, jobs)
    : await tryAllQuickly(changes, jobs, !options.unconfirmed);
  console.log(`${refused} not compiled, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  console.log(`${killed} killed, ${survived} survived`);
  return survived === 0 && stale.length === 0 ? 0 : 1;
}

async function trySlowly(changes: readonly Change[], jobs: number): Promise<Counts> {
  const trial = new SlowTrial(changes);
  await trial.measure();
  await trial.run(jobs);
  return trial.counts;
}

async function tryAllQuickly(
  changes: readonly Change[],
  jobs: number,
  confirms: boolean,
): Promise<Counts> {
  const sums = noCounts();
  for (const suite of SUITES) {
    const own = changes.filter(({ path }) => suiteOf(path) === suite);
    if (own.length === 0) continue;
    const counts = await tryQuickly(suite, own, jobs, confirms);
    for (const verdict of ["killed", "survived", "not compiled"] as const) {
      sums[verdict] += counts[verdict];
    }
  }
  return sums;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(`../${path}`, import.meta.url));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
