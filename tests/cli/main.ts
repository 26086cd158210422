// `deno task cli`: the sub-commands against memden and memcached, the man page, the completions.
//
//   --only ping|top|shells|man
//
// Programs that are not there are installed where that is possible; what cannot run is said and
// left out. The last line is "N passed, N failed"; exit code 77 says that python3 or memcached is
// missing.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { ensurePackages } from "../support/packages.ts";
import { START_ARGS } from "../support/server.ts";
import type { Counts } from "./counts.ts";
import { play } from "./counts.ts";
import { man } from "./man.ts";
import { ping } from "./ping.ts";
import { shells } from "./shells.ts";

const CANNOT_RUN = 77;

/** Packages with what reads completions and man pages. */
const READERS = ["zsh", "fish", "man-db", "groff-base", "mandoc"];
const ROOT = new URL("../../", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;

const MEMDEN = [Deno.execPath(), ...START_ARGS, `${ROOT}main.ts`];
const MEMCACHED = ["memcached", ...(Deno.uid() === 0 ? ["-u", "root"] : [])];

const PARTS: ReadonlyMap<string, (counts: Counts) => Promise<void>> = new Map([
  ["ping", (counts) => ping(MEMDEN, counts)],
  ["top", top],
  ["shells", (counts) => shells(`${ROOT}deploy/completions`, counts)],
  ["man", (counts) => man(`${ROOT}deploy/man/memden.1`, counts)],
]);

async function top(counts: Counts): Promise<void> {
  const where = ["-l", "127.0.0.1", "-p", "PORT"];
  const servers = [[...MEMCACHED, ...where], [...MEMDEN, "-t", "1", ...where]];
  // Both at once: most of the time is spent in waiting for the next update.
  await Promise.all(servers.map(async (server) => {
    const commands = [[...MEMDEN, "top"], server].map((words) => JSON.stringify(words));
    await play(`${HERE}terminal.py`, commands, counts);
  }));
}

if (import.meta.main) {
  const { only }: { only: readonly string[] } = parseArgs(Deno.args, {
    string: ["only"],
    collect: ["only"],
  });
  if (!(await ensurePackages(["memcached", "python3"]))) {
    console.error("memcached and python3 must be there");
    Deno.exit(CANNOT_RUN);
  }
  await ensurePackages(READERS); // Whoever reads without one of them says so.
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, part] of PARTS) {
    if (only.length === 0 || only.includes(name)) await part(counts);
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
  console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
  Deno.exit(counts.failed === 0 ? 0 : 1);
}
