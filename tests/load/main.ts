// `deno task load`: the server at the limits of connections: too many of them, and bad ones.
//
//   --only storm     20,000 connections against -c 10000
//   --only company   a well-behaved client beside slow, half-closed, reset and stuck ones
//   --only company-memcached   the same beside memcached, to compare the times
//
// The last line is "N passed, N failed". Times are shown beside the same probe alone, on the same
// machine in the same run.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { startMemcached } from "../support/server.ts";
import { Checks } from "./checks.ts";
import { badCompany } from "./company.ts";
import { storm } from "./storm.ts";

type Part = (checks: Checks) => Promise<void>;

const PARTS: ReadonlyMap<string, Part> = new Map([
  ["storm", storm],
  ["company", badCompany],
]);

/** Parts that are played when asked for. */
const ON_REQUEST: ReadonlyMap<string, Part> = new Map([
  ["company-memcached", (checks) => badCompany(checks, startMemcached)],
]);

async function main(): Promise<number> {
  const options: { readonly only?: string } = parseArgs(Deno.args, { string: ["only"] });
  const checks = new Checks();
  const all = new Map([...PARTS, ...ON_REQUEST]);
  for (const [name, play] of options.only === undefined ? PARTS : all) {
    if (options.only !== undefined && options.only !== name) continue;
    const start = performance.now();
    await play(checks).catch((error) => checks.check(false, `${name} ended early`, String(error)));
    console.log(`${name} took ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  console.log(`${checks.passed} passed, ${checks.failed} failed`);
  return checks.failed === 0 && checks.passed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
