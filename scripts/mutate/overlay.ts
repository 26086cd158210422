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
export const HEAP_MB_MAX = 1024;
/** What tests find in their environment. */
export const TEST_ENV: Record<string, string> = { NO_COLOR: "1", MEMDEN_FEW_CUTS: "1" };
/** How much longer than without a change tests may take: other programs run beside them. */
const PATIENCE = 4;
const PATIENCE_MS_MIN = 10_000;

/** One copy; it is removed when it is disposed of. */
export class Overlay {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
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
   * @param msMax How long they may take.
   * @param changed The path of the file that is changed: tests may begin with what is about it.
   * @returns Whether all passed, how long it took, and what was printed.
   */
  async test(
    tests: readonly string[],
    msMax: number,
    changed = "",
  ): Promise<{ passed: boolean; ms: number; output: string }> {
    const start = performance.now();
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--no-check", "--allow-all", "--fail-fast", "--quiet"],
        ...[`--v8-flags=--max-old-space-size=${HEAP_MB_MAX}`, ...tests],
      ],
      cwd: this.directory,
      env: { ...TEST_ENV, MEMDEN_CHANGED: changed },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // A loop without an end does not heed any other signal.
    const timer = setTimeout(() => child.kill("SIGKILL"), msMax);
    const { success, stdout } = await child.output();
    clearTimeout(timer);
    const ms = performance.now() - start;
    return { passed: success, ms, output: new TextDecoder().decode(stdout) };
  }

  /**
   * Makes `change`, runs `tests`, and takes it back.
   *
   * @param usualMs How long the tests take without a change.
   */
  async try(change: Change, tests: readonly string[], usualMs: number): Promise<Verdict> {
    const path = `${this.directory}/${change.path}`;
    const source = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, changed(source, change));
    const msMax = Math.max(usualMs * PATIENCE, PATIENCE_MS_MIN);
    const { passed } = await this.test(tests, msMax, change.path);
    const verdict = !passed ? "killed" : await this.#checks(path) ? "survived" : "not compiled";
    await Deno.writeTextFile(path, source);
    return verdict;
  }

  async #checks(path: string): Promise<boolean> {
    const args = ["check", "--quiet", path];
    return (await new Deno.Command(Deno.execPath(), { args, cwd: this.directory }).output())
      .success;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.directory, { recursive: true });
  }
}
