// A copy of the repository in which changes are made, one at a time, and the tests are run.

import { ROOT } from "../sources.ts";
import { type Change, changed } from "./changes.ts";

/** What became of a change. */
export type Verdict =
  /** A test failed, or did not end. */
  | "killed"
  /** All tests passed. */
  | "survived"
  /** The types do not allow it, so that the gate finds it. */
  | "not compiled";

/** What tests and program are made of. */
const COPIED = ["deno.json", "deno.lock", "main.ts", "lib", "scripts", "tests"];
/** A change may make a loop that fills memory. */
const HEAP_MB_MAX = 1024;
/** How long one test may take: the slowest takes a few seconds. */
const TEST_MS_MAX = 20_000;

/** One copy; it is removed when it is disposed of. */
export class Overlay {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Copies the repository as it is now. */
  static async make(): Promise<Overlay> {
    const directory = await Deno.makeTempDir({ prefix: "memden-mutate-" });
    const from = COPIED.map((name) => ROOT + name);
    const { success } = await new Deno.Command("cp", { args: ["-r", ...from, directory] }).output();
    if (!success) throw new Error(`Cannot copy to ${directory}`);
    return new Overlay(directory);
  }

  /**
   * Runs `tests` until the first that fails.
   *
   * @param changed The path of the file that is changed: tests may begin with what is about it.
   * @returns Whether all passed, and what was printed. A test that takes too long has failed.
   */
  async test(
    tests: readonly string[],
    changed = "",
  ): Promise<{ passed: boolean; output: string }> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--no-check", "--allow-all", "--fail-fast", "--quiet"],
        ...[`--v8-flags=--max-old-space-size=${HEAP_MB_MAX}`, ...tests],
      ],
      cwd: this.#directory,
      env: { NO_COLOR: "1", MEMDEN_FEW_CUTS: "1", MEMDEN_CHANGED: changed },
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    // A loop without an end does not heed any other signal.
    const kill = (): void => child.kill("SIGKILL");
    let timer = setTimeout(kill, TEST_MS_MAX);
    let output = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      output += text; // The next test has begun, or one has ended.
      clearTimeout(timer);
      timer = setTimeout(kill, TEST_MS_MAX);
    }
    const { success } = await child.status;
    clearTimeout(timer);
    return { passed: success, output };
  }

  /** Makes `change`, runs `tests`, and takes it back. */
  async try(change: Change, tests: readonly string[]): Promise<Verdict> {
    const path = `${this.#directory}/${change.path}`;
    const source = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, changed(source, change));
    const { passed } = await this.test(tests, change.path);
    const verdict = !passed ? "killed" : await this.#checks(path) ? "survived" : "not compiled";
    await Deno.writeTextFile(path, source);
    return verdict;
  }

  async #checks(path: string): Promise<boolean> {
    const args = ["check", "--quiet", path];
    return (await new Deno.Command(Deno.execPath(), { args, cwd: this.#directory }).output())
      .success;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}
