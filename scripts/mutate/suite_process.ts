// Starts test_process.ts, asks it to run tests, and ends it when it does not answer.

import { HEAP_MB_MAX, TEST_ENV } from "./overlay.ts";
import { readLinesOf } from "./stream_lines.ts";
import { atStart, NONE } from "./switch.ts";
import { type Loaded, MARK, type Reply, type Request } from "./test_process.ts";

/** How long loading a suite may take, in milliseconds. */
const LOAD_MS_MAX = 60_000;

/** One process. */
export class SuiteProcess {
  readonly #child: Deno.ChildProcess;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;
  #loaded: Loaded = { tests: [], reached: {} };
  #isGone = false;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#stdin = child.stdin.getWriter();
    this.#lines = readLinesOf(child.stdout);
  }

  /**
   * Loads the test files `files` in `directory`.
   *
   * @param active The change that is made while they load.
   * @returns Undefined when they cannot be loaded.
   */
  static async start(
    directory: string,
    files: readonly string[],
    active = NONE,
  ): Promise<SuiteProcess | undefined> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--allow-all", "--quiet"],
        ...[`--v8-flags=--max-old-space-size=${HEAP_MB_MAX}`],
        ...["scripts/mutate/test_process.ts", ...files],
      ],
      cwd: directory,
      env: { ...TEST_ENV, ...atStart(active) },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const started = new SuiteProcess(child);
    const loaded = await started.#answer<Loaded>(LOAD_MS_MAX);
    if (loaded === undefined) return undefined;
    started.#loaded = loaded;
    return started;
  }

  /** What was loaded. */
  get loaded(): Loaded {
    return this.#loaded;
  }

  /** Whether it can run no more tests. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** @returns Undefined when there is no answer within `msMax`; the process is ended then. */
  async run(request: Request, msMax: number): Promise<Reply | undefined> {
    if (this.#isGone) return undefined;
    try {
      await this.#stdin.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
    } catch {
      await this.end(); // It died after its last answer.
      return undefined;
    }
    return await this.#answer<Reply>(msMax);
  }

  /** Ends the process. */
  async end(): Promise<void> {
    if (this.#isGone) return;
    this.#isGone = true;
    try {
      this.#child.kill("SIGKILL"); // A loop without an end does not heed any other signal.
    } catch (error) {
      // It has ended.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
    await this.#child.status;
  }

  async #answer<T>(msMax: number): Promise<T | undefined> {
    const timer = setTimeout(() => void this.end(), msMax);
    try {
      while (true) {
        const { value, done } = await this.#lines.next();
        if (done === true) break;
        if (value.startsWith(MARK)) return JSON.parse(value.slice(MARK.length));
      }
    } finally {
      clearTimeout(timer);
    }
    await this.end();
    return undefined;
  }
}
