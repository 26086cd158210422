// The gate: what must hold before a change goes in, as a list of steps with their times. The tests
// run beside the other steps, which run one after the other.
//
//   deno task ok                   every step, also after one has failed
//   deno task ok --only lint,test  these steps
//   deno task ok --skip test       all but these
//
// The exit code is 1 when any step failed. The last line counts them: `8 passed, 0 failed`.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { ROOT } from "./sources.ts";

/** One step of the gate. */
export interface Step {
  /** What `--only` and `--skip` call it. */
  readonly name: string;
  /** What the step holds, for CONTRIBUTING.md. */
  readonly holds: string;
  /** The arguments of `deno`. */
  readonly args: readonly string[];
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

const CHECKED = ["main.ts", "lib", "scripts", "tests"];

/** What runs in a browser, with a browser's types; each of the page's modules is imported there. */
const PAGE_CHECK = [
  "--config=lib/admin/page/check.json",
  "--import-map=deno.json",
  "lib/admin/page/app.js",
  "lib/admin/page/theme.js",
];

/** The steps; the tests last. */
export const STEPS: readonly Step[] = [
  { name: "fmt", holds: "`deno fmt`: no layout but the formatter's", args: ["fmt", "--check"] },
  {
    name: "lint",
    holds:
      "Deno's rules and those of `scripts/lint_plugin.ts`: `@hot` functions do not allocate, " +
      "functions have at most 60 lines",
    args: ["lint"],
  },
  {
    name: "imports",
    holds: "the table of layers; no circle of folders or files, types included",
    args: ["run", "--allow-all", "scripts/check_imports.ts"],
  },
  {
    name: "tidy",
    holds:
      "files of at most 400 lines, names, comments, nothing left behind; files that documents " +
      "name are there",
    args: ["run", "--allow-all", "scripts/tidy.ts"],
  },
  { name: "check", holds: "types, strict", args: ["check", ...CHECKED] },
  { name: "page", holds: "types of what runs in the browser", args: ["check", ...PAGE_CHECK] },
  {
    name: "docs",
    holds: "generated pages and blocks say what the tables in the code say",
    args: ["run", "--allow-all", "scripts/gen_docs.ts", "--check"],
  },
  {
    name: "compile",
    holds: "nothing is missing in the bundle, nor of the bundle in the executable",
    args: ["run", "--allow-all", "scripts/compile.ts", "--check"],
  },
  { name: "test", holds: "unit tests", args: ["task", "test"] },
];

/**
 * The steps that `only` and `skip` leave, in order.
 *
 * @param only Names; none means all.
 * @throws {RangeError} For a name that no step has.
 */
export function chooseSteps<S extends Pick<Step, "name">>(
  steps: readonly S[],
  only: readonly string[],
  skip: readonly string[],
): S[] {
  for (const name of [...only, ...skip]) {
    if (!steps.some((step) => step.name === name)) {
      const names = steps.map((step) => step.name).join(", ");
      throw new RangeError(`Cannot run step ${name}: there are ${names}`);
    }
  }
  return steps.filter(({ name }) =>
    (only.length === 0 || only.includes(name)) && !skip.includes(name)
  );
}

/** How a step went. */
interface Result {
  readonly success: boolean;
  /** What it printed. */
  readonly text: string;
}

/** Runs one step. */
async function run({ args }: Step): Promise<Result> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], cwd: ROOT });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stderr) + decoder.decode(stdout) };
}

/**
 * Runs steps in two lanes: the tests in one, all others in the other, each in order.
 *
 * @param act Runs one step.
 */
export async function inLanes<S extends Pick<Step, "name">>(
  steps: readonly S[],
  act: (step: S) => Promise<void>,
): Promise<void> {
  const lane = async (isOurs: (step: S) => boolean): Promise<void> => {
    for (const step of steps) if (isOurs(step)) await act(step);
  };
  await Promise.all([lane(({ name }) => name === "test"), lane(({ name }) => name !== "test")]);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/** Runs `steps`; shows what a step printed only if it fails. Returns the exit code. */
async function main(steps: readonly Step[]): Promise<number> {
  const begin = performance.now();
  let failed = 0;
  await inLanes(steps, async (step) => {
    const start = performance.now();
    const { success, text } = await run(step);
    if (!success) {
      failed++;
      console.log(text.trimEnd());
    }
    console.log(`${success ? "ok    " : "FAILED"}  ${step.name.padEnd(8)} ${seconds(start)}`);
  });
  console.log(`${steps.length} steps in ${seconds(begin)}`);
  console.log(`${steps.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (import.meta.main) {
  const options: Options = parseArgs(Deno.args, {
    string: ["only", "skip"],
    collect: ["only", "skip"],
  });
  const names = (values: readonly string[]) => values.flatMap((value) => value.split(","));
  try {
    Deno.exit(await main(chooseSteps(STEPS, names(options.only), names(options.skip))));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}
