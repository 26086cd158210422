// `deno task page`: the live page of a running memden, in headless Chromium.
//
//   --screenshots   writes docs/screenshots/*.png instead, of a server that is made up
//
// The last line is "N passed, N failed"; exit code 77 says that there is no Chromium.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { type Browser, chromium } from "playwright-core";
import { ensurePackages } from "../support/packages.ts";
import { type Check, lookAtFake, lookAtServer } from "./checks.ts";
import { takeScreenshots } from "./screenshots.ts";

const CANNOT_RUN = 77;
const CHROMIUM = "/usr/bin/chromium";

/** Runs both parts; what breaks off counts as a check that failed. */
async function check(browser: Browser): Promise<number> {
  const counts = { passed: 0, failed: 0 };
  const claim: Check = (holds, what) => {
    if (holds) counts.passed++;
    else counts.failed++;
    console.log(`${holds ? "ok" : "not ok"} - ${what}`);
  };
  for (const look of [lookAtServer, lookAtFake]) {
    const start = performance.now();
    await look(browser, claim).catch((error) => claim(false, `${look.name}: ${error.stack}`));
    console.log(`${look.name} took ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const { screenshots }: { screenshots: boolean } = parseArgs(Deno.args, {
    boolean: ["screenshots"],
  });
  if (!await ensurePackages(["chromium"])) {
    console.log("there is no Chromium, and none could be installed");
    return CANNOT_RUN;
  }
  const browser = await chromium.launch({ executablePath: CHROMIUM });
  if (screenshots) await takeScreenshots(browser);
  const code = screenshots ? 0 : await check(browser);
  await browser.close();
  return code;
}

if (import.meta.main) Deno.exit(await main());
