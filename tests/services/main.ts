// `deno task services`: what is in deploy/ and the Dockerfile, as far as it can be tried without
// systemd as process 1, a container engine and a cluster.
//
//   --only systemd|image|schemas|budget
//
// The last line is "N passed, N failed", with "N skipped" behind it where something that is needed
// is not there; exit code 77 says that nothing could be tried.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { ensurePackages } from "../support/packages.ts";
import { checkBudgets } from "./budget.ts";
import { checkImage } from "./image.ts";
import { installTree } from "./npm_tree.ts";
import { Report, run } from "./report.ts";
import { checkSystemd } from "./systemd.ts";

const CANNOT_RUN = 77;
const HERE = new URL(".", import.meta.url).pathname;
const ROOT = new URL("../../", import.meta.url).pathname;

type Part = (directory: string, report: Report) => Promise<void>;

const PARTS: ReadonlyMap<string, Part> = new Map([
  ["systemd", systemd],
  ["image", image],
  ["schemas", schemas],
  ["budget", checkBudgets],
]);

async function systemd(directory: string, report: Report): Promise<void> {
  if (await ensurePackages(["systemd", "strace"])) await checkSystemd(directory, report);
  else report.skip("systemd", "systemd and strace are not there");
}

async function image(directory: string, report: Report): Promise<void> {
  if (await ensurePackages(["shellcheck"])) {
    const { code, stdout } = await run(["shellcheck", `${ROOT}deploy/docker/entrypoint.sh`]);
    report.check("shellcheck entrypoint.sh", code === 0, stdout);
  } else report.skip("shellcheck", "it is not there");
  await checkImage(directory, report);
}

async function schemas(_directory: string, report: Report): Promise<void> {
  const tree = await installTree();
  if (tree === undefined) return report.skip("schemas", "npm does not give them");
  const flags = ["--allow-all", "--no-config", "--no-lock", "--node-modules-dir=manual"];
  const command = [Deno.execPath(), "run", ...flags, `${HERE}schemas.ts`, ROOT];
  const { code, stdout, stderr } = await run(command, { cwd: tree, env: { NO_COLOR: "1" } });
  report.take(stdout);
  report.check("schemas.ts came to its end", code === 0, stderr);
}

async function main(only: readonly string[]): Promise<number> {
  const report = new Report();
  for (const [name, part] of PARTS) {
    if (only.length > 0 && !only.includes(name)) continue;
    const directory = await Deno.makeTempDir({ dir: "/tmp", prefix: `memden-${name}-` });
    await part(directory, report);
    await Deno.remove(directory, { recursive: true });
  }
  const { passed, failed, skipped } = report;
  if (passed + failed === 0) return CANNOT_RUN;
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
  return failed === 0 ? 0 : 1;
}

const { only }: { only: string[] } = parseArgs(Deno.args, { string: ["only"], collect: ["only"] });
for (const name of only) {
  if (PARTS.has(name)) continue;
  console.error(`Cannot run ${name}: there are ${[...PARTS.keys()].join(", ")}`);
  Deno.exit(2);
}
Deno.exit(await main(only));
