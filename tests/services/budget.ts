// The memory limits in deploy/ are enough for the options beside them, by memden's own arithmetic.

import { parseFile } from "../../lib/config/option_sources.ts";
import { parseCommandLine, type RawValues } from "../../lib/config/parse.ts";
import { settingsFrom } from "../../lib/config/settings.ts";
import { budgetWarning, memoryParts } from "../../lib/server/memory_budget.ts";
import { shapeOf } from "../../lib/server/server_memory.ts";
import { planStore } from "../../lib/store/plan.ts";
import type { Report } from "./report.ts";

const DEPLOY = new URL("../../deploy/", import.meta.url).pathname;
const MIB = 2 ** 20;

/** Megabytes that the runtime's own file takes in memory: docs/deploying.md. */
const EXECUTABLE_MIB = 60;

/** Checks the limits. */
export async function checkBudgets(_directory: string, report: Report): Promise<void> {
  const compose = await Deno.readTextFile(`${DEPLOY}compose.yaml`);
  const words: string[] = JSON.parse(/^ {4}command: (\[.*-m.*\])$/m.exec(compose)?.[1] ?? "[]");
  const line = parseCommandLine(words);
  const raw = line.action === "serve" ? line.raw : { flags: new Map(), suboptions: [] };
  const composeLimit = /^ {4}mem_limit: (\d+)m$/m.exec(compose)?.[1];
  check("compose.yaml", raw, Number(composeLimit), report);

  const map = await Deno.readTextFile(`${DEPLOY}kubernetes/configmap.yaml`);
  const conf = map.slice(map.indexOf("|\n") + 2).replaceAll(/^ {4}/gm, "");
  const set = await Deno.readTextFile(`${DEPLOY}kubernetes/statefulset.yaml`);
  const setLimit = /limits:\n +memory: (\d+)Mi\n/.exec(set)?.[1];
  check("statefulset.yaml", parseFile(conf, "memden.conf"), Number(setLimit), report);
}

function check(what: string, raw: RawValues, limitMib: number, report: Report): void {
  const settings = settingsFrom(raw, {});
  const plan = planStore(shapeOf(settings, settings.maxconns));
  const parts = memoryParts(settings, plan);
  const warning = budgetWarning(parts, (limitMib - EXECUTABLE_MIB) * MIB);
  const isMeant = raw.flags.has("memory-limit") && limitMib > 0;
  report.check(`${what}: ${limitMib} MiB are enough`, isMeant && warning === undefined, warning);
}
