// `deno task warm`: a cache that outlives its server, by -e.
//
//   --only keeps     stopped and started, everything is there
//   --only damage    metadata and memory that are not what they were: a clean start, with a reason
//   --only kills     killed while it works, saves or starts: never a wrong byte
//   --kills N        how often (default 5)
//
// The last line is "N passed, N failed".
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { Checks } from "../load/checks.ts";
import { damage } from "./damage.ts";
import { keeps } from "./keeps.ts";
import { kills } from "./kills.ts";

const KILLS = 5;

async function main(): Promise<number> {
  const options: { readonly only?: string; readonly kills?: string } = parseArgs(Deno.args, {
    string: ["only", "kills"],
  });
  const checks = new Checks();
  const parts: ReadonlyMap<string, (checks: Checks) => Promise<void>> = new Map([
    ["keeps", keeps],
    ["damage", damage],
    ["kills", (all: Checks) => kills(all, Number(options.kills ?? KILLS))],
  ]);
  for (const [name, play] of parts) {
    if (options.only !== undefined && options.only !== name) continue;
    const start = performance.now();
    await play(checks).catch((error) => checks.check(false, `${name} ended early`, String(error)));
    console.log(`${name} took ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  console.log(`${checks.passed} passed, ${checks.failed} failed`);
  return checks.failed === 0 && checks.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
