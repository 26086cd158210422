// `deno task mutate`: changes the program one line at a time and runs the tests of that line's
// folder. A change that no test notices has survived: a test is missing, or is blind, or the line
// is not needed.
//
//   --only PATH   only files whose path begins so; may be given more than once
//   --sample N    N changes of all, drawn by --seed; default all
//   --seed N      printed, so that a sample can be drawn again
//   --jobs N      changes tried at the same time; default 1
//   --list        prints the changes and tries none
//
// Changes are made to a copy of the repository. Those of mutate/equivalents.ts cannot be seen and
// are left out. The last line is "N killed, N survived"; the exit code is 1 when any survived.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { Prng } from "../lib/base/prng.ts";
import { type Change, changesOf } from "./mutate/changes.ts";
import { type Equivalent, EQUIVALENTS } from "./mutate/equivalents.ts";
import { Overlay, type Verdict } from "./mutate/overlay.ts";
import { suiteOf, SUITES, testsFor } from "./mutate/suites.ts";
import { isTest, readSources } from "./sources.ts";

/** How often the trial says how far it is, in changes. */
const PROGRESS_STEP = 50;

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

/** Every test file of the repository. */
export async function testFiles(): Promise<string[]> {
  return [...(await readSources(["lib", "tests"])).keys()].filter((path) =>
    /_test\.ts$/.test(path)
  );
}

function show({ path, line, before, after }: Change): string {
  return `${path}:${line}: ${before}\n    ${after === "" ? "(left out)" : after}`;
}

/** Tries `changes`, `jobs` at a time, and prints those that survive. */
class Trial {
  readonly #left: Change[];
  readonly #tests: readonly string[];
  readonly counts: Record<Verdict, number> = { killed: 0, survived: 0, "not compiled": 0 };

  constructor(changes: readonly Change[], tests: readonly string[]) {
    this.#left = [...changes];
    this.#tests = tests;
  }

  /** Runs the suites as they are. @throws {Error} When one fails. */
  async measure(): Promise<void> {
    await using overlay = await Overlay.make();
    for (const suite of SUITES) {
      if (!this.#left.some(({ path }) => suiteOf(path) === suite)) continue;
      const tests = testsFor(`${suite.folder}/`, suite, this.#tests);
      const start = performance.now();
      const { passed, output } = await overlay.test(tests);
      if (!passed) throw new Error(`The tests for ${suite.folder} fail:\n${output}`);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${suite.folder}: ${seconds} s for a survivor`);
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
      const tests = testsFor(change.path, suite, this.#tests);
      const verdict = await overlay.try(change, tests);
      this.counts[verdict]++;
      if (verdict === "survived") console.log(show(change));
      if (this.#left.length % PROGRESS_STEP === 0) console.error(`${this.#left.length} left`);
    }
  }
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly only: readonly string[];
  readonly sample?: string;
  readonly seed?: string;
  readonly jobs: string;
  readonly list: boolean;
}

async function main(args: string[]): Promise<number> {
  const options: Options = parseArgs(args, {
    string: ["only", "sample", "seed", "jobs"],
    boolean: ["list"],
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
  const trial = new Trial(changes, await testFiles());
  await trial.measure();
  await trial.run(Number(options.jobs));
  const { killed, survived, "not compiled": refused } = trial.counts;
  console.log(`${refused} not compiled, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  console.log(`${killed} killed, ${survived} survived`);
  return survived === 0 && stale.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
