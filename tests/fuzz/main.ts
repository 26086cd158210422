// `deno run -A tests/fuzz/main.ts`: random commands against models, for as long as you like.
//
//   run      (default) --rounds rounds of each fuzzer
//   smoke    a few short rounds
//   canary   plants bugs; passes when every one is noticed
//
//   --seed N        of the first round; the next one has the next seed. Printed with each failure
//   --rounds N      default 500
//   --operations N  commands in a round; default 2000
//
// The last line is "N passed, N failed".

import { parseArgs } from "@std/cli/parse-args";
import { fuzzBinary } from "./binary_fuzz.ts";
import { fuzzMeta } from "./meta_fuzz.ts";
import { PLANTS } from "./plants.ts";
import { fuzzStore, type Plant } from "./store_fuzz.ts";

/** How many rounds, from which seed, how long. */
export interface Extent {
  readonly seed: number;
  readonly rounds: number;
  readonly operations: number;
}

/** Every fuzzer: plays one round, returns what is wrong. */
const FUZZERS = { store: fuzzStore, meta: fuzzMeta, binary: fuzzBinary } as const;

/** What `smoke` plays. */
export const SMOKE: Omit<Extent, "seed"> = { rounds: 16, operations: 600 };
/** What `canary` plays for each bug, at most. */
export const CANARY: Omit<Extent, "seed"> = { rounds: 160, operations: 600 };

/** One line of the result. */
export interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly problems: readonly string[];
}

/** Plays every fuzzer; the first round that fails is the last. */
export function runAll({ seed, rounds, operations }: Extent): Outcome[] {
  return Object.entries(FUZZERS).map(([name, fuzz]) => {
    let problems: string[] = [];
    for (let round = 0; round < rounds && problems.length === 0; round++) {
      problems = fuzz({ seed: seed + round, operations });
    }
    return { name, ok: problems.length === 0, problems };
  });
}

/** Plants every bug; each must be noticed in one of the rounds. */
export function runCanary({ seed, rounds, operations }: Extent): Outcome[] {
  return Object.entries(PLANTS).map(([name, newPlant]) => {
    let problems: string[] = [];
    for (let round = 0; round < rounds && problems.length === 0; round++) {
      const plant: Plant = newPlant();
      problems = fuzzStore({ seed: seed + round, operations, plant });
    }
    return { name: `store: ${name}`, ok: problems.length > 0, problems };
  });
}

/** A seed that nobody has chosen. */
export function drawSeed(): number {
  return Math.floor(Math.random() * 2 ** 31);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** The options above, as given; the parser has no types. */
interface Options {
  readonly _: readonly (string | number)[];
  readonly seed?: string;
  readonly rounds?: string;
  readonly operations?: string;
}

function main(args: string[]): number {
  const options: Options = parseArgs(args, {
    string: ["seed", "rounds", "operations"],
    unknown: (name: string) => {
      if (name.startsWith("-")) throw new Error(`Unknown option ${name}`);
    },
  });
  const [what = "run"] = options._;
  const usual = what === "smoke" ? SMOKE : what === "canary" ? CANARY : undefined;
  const extent: Extent = {
    seed: Number(options.seed ?? drawSeed()),
    rounds: Number(options.rounds ?? usual?.rounds ?? 500),
    operations: Number(options.operations ?? usual?.operations ?? 2000),
  };
  print(`${what}: --seed ${extent.seed} --rounds ${extent.rounds}`);
  const outcomes = what === "canary" ? runCanary(extent) : runAll(extent);
  for (const { name, ok, problems } of outcomes) {
    print(`${ok ? "ok    " : "FAILED"} ${name}`);
    for (const problem of problems.slice(0, 5)) print(`       ${problem}`);
  }
  const passed = outcomes.filter(({ ok }) => ok).length;
  print(`${passed} passed, ${outcomes.length - passed} failed`);
  return passed === outcomes.length ? 0 : 1;
}

if (import.meta.main) Deno.exit(main(Deno.args));
