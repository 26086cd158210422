// Results of `deno task services`: a line of TAP for each, and their counts.
// deno-lint-ignore-file no-console

/** Results so far. */
export class Report {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** Notes one result. @param why What to say when it failed. */
  check(what: string, isOk: boolean, why = ""): void {
    if (isOk) this.passed++;
    else this.failed++;
    console.log(`${isOk ? "ok" : "not ok"} - ${what}`);
    if (!isOk && why !== "") console.log(why.trimEnd().replaceAll(/^/gm, "# "));
  }

  /** Notes that two texts are the same, or what they are. */
  equal(what: string, actual: unknown, expected: unknown): void {
    const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
    this.check(what, left === right, `expected ${right}\ngot      ${left}`);
  }

  /** Notes what cannot be tried here. */
  skip(what: string, why: string): void {
    this.skipped++;
    console.log(`!!! SKIPPED: ${what}: ${why}`);
  }

  /** Takes over lines of TAP. @returns How many there were. */
  take(tap: string): number {
    console.log(tap.trimEnd());
    const passed = tap.match(/^ok /gm)?.length ?? 0;
    const failed = tap.match(/^not ok /gm)?.length ?? 0;
    this.passed += passed;
    this.failed += failed;
    return passed + failed;
  }
}

/** How a command ended, and what it wrote. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const RUN_MS_MAX = 60_000;

/** Runs a command to its end. */
export async function run(
  command: readonly string[],
  options: Pick<Deno.CommandOptions, "cwd" | "env"> = {},
): Promise<Ran> {
  const [program = "", ...args] = command;
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args,
    ...options,
    stdin: "null",
    signal: AbortSignal.timeout(RUN_MS_MAX),
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
