// Load generator that stores small items with new keys at a limited rate, as a separate process.
//
// Sets go out in small steps, so that the rate holds within every few milliseconds too, and want no
// reply: whether all were stored is for `stats` to tell. Prints one line of JSON.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { Pace, sleep, wholeNumber } from "./comparison.ts";
import { TextClient } from "./text_client.ts";
import { KEY_FORM, SetBatch } from "./text_requests.ts";

const STEP_SETS = 200;

const FLAGS = {
  port: { type: "string", default: "11211" },
  items: { type: "string", default: "1000000" },
  rate: { type: "string", default: "100000" },
  value: { type: "string", default: "8" },
} as const;

/** What a fill has done. */
export interface Filled {
  /** Items sent. */
  readonly items: number;
  readonly seconds: number;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const items = wholeNumber("items", options.items);
  const batch = new SetBatch(KEY_FORM, wholeNumber("value", options.value), STEP_SETS, true);
  using client = await TextClient.connect(wholeNumber("port", options.port));
  const startMs = performance.now();
  const pace = new Pace(wholeNumber("rate", options.rate, 0), startMs);
  let sent = 0;
  for (; sent < items; sent += STEP_SETS) {
    await sleep(pace.take(STEP_SETS, performance.now()));
    await client.store(batch.from(sent));
  }
  const filled: Filled = {
    items: sent,
    seconds: (performance.now() - startMs) / 1000,
  };
  console.log(JSON.stringify(filled));
}

if (import.meta.main) await main();
