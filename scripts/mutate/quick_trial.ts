// Tries changes quickly: a copy of the repository has all of them compiled in, a process loads it
// once, and each change is made by a number. Only the tests that reach it are run: those first that
// have killed a change of the same file, then those of the test file beside it, then the quickest.
//
// A broken test leaves broken state behind, which must not count as a failure of the next change.
// So a change is killed when a test fails with it, passes without, and fails with it again. When
// it does not go so, a fresh process decides.

import { isTest, readSources, ROOT } from "../sources.ts";
import type { Change } from "./changes.ts";
import type { Overlay } from "./overlay.ts";
import { type Numbered, withAll } from "./schemata.ts";
import { SuiteProcess } from "./suite_process.ts";
import { NONE } from "./switch.ts";
import type { Reply } from "./test_process.ts";

/** What the quick way says of a change. */
export type QuickVerdict =
  | "killed"
  | "survived"
  /** It cannot be put behind a condition. */
  | "unknown";

/** A test, and what it does without a change. */
interface Surveyed {
  readonly test: number;
  readonly file: string;
  readonly ms: number;
  readonly steps: number;
  readonly reached: ReadonlySet<number>;
  /** It stands last in its file, and may look at what the others have left. */
  readonly isLast: boolean;
}

/** How much longer than without a change a test may take, in time and in steps. */
const PATIENCE = 20;
const PATIENCE_MS_MIN = 5000;
const PATIENCE_STEPS_MIN = 100_000;
/** A process that has grown so large is ended. */
const RSS_MAX = 3 * 2 ** 30;
const SURVEY_MS_MAX = 300_000;

/** The changes of one suite. */
export class QuickTrial {
  readonly #directory: string;
  readonly #files: readonly string[];
  readonly #unplaced: ReadonlySet<Change>;
  readonly #ids: ReadonlyMap<Change, number>;
  #tests: readonly Surveyed[] = [];
  /** For each change that is reached while files load, those files. */
  readonly #atStart = new Map<number, string[]>();
  /** For each file that is changed, the tests that have killed a change, the last one first. */
  readonly #killers = new Map<string, readonly Surveyed[]>();

  private constructor(
    directory: string,
    files: readonly string[],
    ids: ReadonlyMap<Change, number>,
    unplaced: ReadonlySet<Change>,
  ) {
    this.#directory = directory;
    this.#files = files;
    this.#ids = ids;
    this.#unplaced = unplaced;
  }

  /**
   * Compiles `changes` into the copy `overlay`, which stays so, and runs all tests.
   *
   * @param places Files and folders of the tests.
   * @throws {Error} When a test fails without a change.
   */
  static async make(
    overlay: Overlay,
    changes: readonly Change[],
    places: readonly string[],
  ): Promise<QuickTrial> {
    const ids = new Map(changes.map((change, index) => [change, index + 1]));
    const unplaced = new Set<Change>();
    const byPath = Map.groupBy(changes, ({ path }) => path);
    const switchUrl = `file://${overlay.directory}/scripts/mutate/switch.ts`;
    for (const [path, own] of byPath) {
      const numbered: Numbered[] = own.map((change) => ({ id: idOf(ids, change), change }));
      const source = await Deno.readTextFile(ROOT + path);
      const { text, left } = withAll(path, source, numbered, switchUrl);
      for (const { change } of left) unplaced.add(change);
      await Deno.writeTextFile(`${overlay.directory}/${path}`, text);
    }
    const files = [...(await readSources(places)).keys()].filter((path) =>
      isTest(path) && path.endsWith("_test.ts")
    );
    const trial = new QuickTrial(overlay.directory, files, ids, unplaced);
    await trial.#survey();
    return trial;
  }

  async #survey(): Promise<void> {
    const process = await SuiteProcess.start(this.#directory, this.#files);
    if (process === undefined) throw new Error("The tests cannot be loaded");
    const { tests, reached } = process.loaded;
    for (const [file, ids] of Object.entries(reached)) {
      for (const id of ids) this.#atStart.set(id, [...this.#atStart.get(id) ?? [], file]);
    }
    const surveyed: Surveyed[] = [];
    for (const [test, { file, name }] of tests.entries()) {
      const reply = await process.run({ active: NONE, test, stepsMax: null }, SURVEY_MS_MAX);
      if (reply?.ok !== true) throw new Error(`${file}: ${name}: ${reply?.message}`);
      const isLast = tests[test + 1]?.file !== file;
      surveyed.push({ ...reply, test, file, isLast, reached: new Set(reply.reached) });
    }
    await process.end();
    this.#tests = surveyed.sort((a, b) =>
      Number(a.isLast && a.ms > 100) - Number(b.isLast && b.ms > 100) || a.ms - b.ms
    );
  }

  /** How long all tests take, how many there are, and how many changes loading reaches. */
  describe(): string {
    const ms = this.#tests.reduce((sum, test) => sum + test.ms, 0);
    return `${this.#tests.length} tests, ${(ms / 1000).toFixed(1)} s; ` +
      `${this.#atStart.size} changes at start, ${this.#unplaced.size} the slow way`;
  }

  /** The test files that reach `change`; all of them when it is reached while they load. */
  filesThatReach(change: Change): string[] {
    const id = idOf(this.#ids, change);
    if (this.#unplaced.has(change) || this.#atStart.has(id)) return [...this.#files];
    return [...new Set(this.#reaching(id).map(({ file }) => file))];
  }

  async #isKilled(bench: Bench, { path }: Change, id: number): Promise<boolean> {
    const killers = this.#killers.get(path) ?? [];
    const own = path.replace(/\.ts$/, "_test.ts");
    const tests = new Set([
      ...killers.filter(({ reached }) => reached.has(id)),
      ...this.#reaching(id).filter(({ file }) => file === own),
      ...this.#reaching(id),
    ]);
    const killer = await bench.killer([...tests], id);
    if (killer === undefined) return false;
    this.#killers.set(path, [killer, ...killers.filter((test) => test !== killer)]);
    return true;
  }

  /** Whether a file that reaches the change `id` while it loads, and loads with it, fails. */
  async #isKilledAtStart(id: number): Promise<boolean> {
    const files = this.#atStart.get(id);
    if (files === undefined) return false;
    const process = await SuiteProcess.start(this.#directory, this.#files, id);
    if (process === undefined) return true;
    for (const test of this.#tests.filter(({ file }) => files.includes(file))) {
      if ((await runTest(process, test, id))?.ok === true) continue;
      await process.end();
      return true;
    }
    await process.end();
    return false;
  }

  #reaching(id: number): readonly Surveyed[] {
    return this.#tests.filter(({ reached }) => reached.has(id));
  }

  /** Takes changes from `left` until there are none. One of several that do so at a time. */
  async work(
    left: Change[],
    told: (change: Change, verdict: QuickVerdict) => Promise<void>,
  ): Promise<void> {
    const bench = new Bench(this.#directory, this.#files);
    for (let change = left.shift(); change !== undefined; change = left.shift()) {
      const id = idOf(this.#ids, change);
      if (this.#unplaced.has(change)) await told(change, "unknown");
      else {
        const isKilled = await this.#isKilled(bench, change, id) ||
          await this.#isKilledAtStart(id);
        await told(change, isKilled ? "killed" : "survived");
      }
    }
    await bench.end();
  }
}

function idOf(ids: ReadonlyMap<Change, number>, change: Change): number {
  const id = ids.get(change);
  if (id === undefined) throw new Error(`${change.path}:${change.line} is not of this trial`);
  return id;
}

/** Asks `process` to run `test` with the change `id`. */
async function runTest(
  process: SuiteProcess,
  { test, ms, steps }: Surveyed,
  id: number,
): Promise<Reply | undefined> {
  const stepsMax = Math.max(steps * PATIENCE, PATIENCE_STEPS_MIN);
  return await process.run(
    { active: id, test, stepsMax },
    Math.max(ms * PATIENCE, PATIENCE_MS_MIN),
  );
}

/** One process after the other, each for as long as it is in order. */
class Bench {
  readonly #directory: string;
  readonly #files: readonly string[];
  #process: SuiteProcess | undefined;

  constructor(directory: string, files: readonly string[]) {
    this.#directory = directory;
    this.#files = files;
  }

  async end(): Promise<void> {
    await this.#process?.end();
    this.#process = undefined;
  }

  /** The first of `tests` that fails with the change `id`. */
  async killer(tests: readonly Surveyed[], id: number): Promise<Surveyed | undefined> {
    for (const test of tests) {
      if ((await this.#run(test, id))?.ok === true) continue;
      const without = await this.#run(test, NONE);
      if (without?.ok === true && (await this.#run(test, id))?.ok !== true) return test;
      await this.end();
      const fresh = await this.#run(test, id);
      if (fresh?.ok !== true) {
        await this.end();
        return test;
      }
    }
    return undefined;
  }

  async #run(test: Surveyed, id: number): Promise<Reply | undefined> {
    if (this.#process?.isGone !== false) {
      this.#process = await SuiteProcess.start(this.#directory, this.#files);
      if (this.#process === undefined) throw new Error("The tests cannot be loaded");
    }
    const reply = await runTest(this.#process, test, id);
    if (reply === undefined || reply.rss > RSS_MAX) await this.end();
    return reply;
  }
}
