// How many items are held until the first eviction: memden beside memcached, by value size and -m.
//
// Distinct keys of one length are stored in batches until `evictions` moves. From then on each new
// item takes the place of an old one, so `curr_items` after that batch is the number held, whatever
// the length of the batch. Sets want no reply; `total_items` tells whether all were stored, and a
// server that refused some is marked. Both servers fill at the same time: nothing here is a matter
// of time.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import type { TestServer } from "../../tests/support/server.ts";
import {
  markdownTable,
  requireMemcached,
  STARTS,
  thousands,
  wholeNumber,
  wholeNumbers,
} from "./comparison.ts";
import { rssBytes } from "./process_stat.ts";
import { statNumber, TextClient } from "./text_client.ts";
import { type KeyForm, keyForm, SetBatch } from "./text_requests.ts";

const BATCH_BYTES = 512 * 1024;
const BATCH_SETS_MAX = 4000;

const FLAGS = {
  memory: { type: "string", default: "64,1024" },
  sizes: { type: "string", default: "10,50,100,500,5000,50000" },
  "key-bytes": { type: "string", default: "16" },
} as const;

/** Measured on one server. */
interface Held {
  readonly items: number;
  /** Values that were not stored. */
  readonly refused: number;
  readonly rssBytes: number;
  readonly seconds: number;
}

async function fill(server: TestServer, form: KeyForm, valueBytes: number): Promise<Held> {
  const startMs = performance.now();
  using client = await TextClient.connect(server.port);
  const fitting = Math.floor(BATCH_BYTES / (valueBytes + form.bytes));
  const count = Math.max(1, Math.min(BATCH_SETS_MAX, fitting));
  const batch = new SetBatch(form, valueBytes, count, true);
  for (let sent = 0;; sent += count) {
    await client.store(batch.from(sent));
    const stats = await client.stats();
    const refused = sent + count - statNumber(stats, "total_items");
    if (statNumber(stats, "evictions") === 0 && refused === 0) continue;
    return {
      items: statNumber(stats, "curr_items"),
      refused,
      rssBytes: rssBytes(server.pid),
      seconds: (performance.now() - startMs) / 1000,
    };
  }
}

async function measure(
  start: typeof STARTS[number],
  form: KeyForm,
  memoryMib: number,
  valueBytes: number,
): Promise<Held> {
  await using server = await start(["-t", "1", "-m", String(memoryMib)]);
  const held = await fill(server, form, valueBytes);
  const items = thousands(held.items);
  const mib = Math.round(held.rssBytes / 2 ** 20);
  console.error(
    `${server.name}, ${valueBytes} bytes, -m ${memoryMib}: ${items} items after ` +
      `${held.seconds.toFixed(1)} s, ${mib} MiB resident`,
  );
  return held;
}

function show({ items, refused }: Held): string {
  return thousands(items) + (refused === 0 ? "" : ` (**${thousands(refused)} refused**)`);
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({ args: Deno.args, options: FLAGS });
  const memories = wholeNumbers("memory", options.memory);
  const sizes = wholeNumbers("sizes", options.sizes);
  const form = keyForm("key-", wholeNumber("key-bytes", options["key-bytes"]));
  await requireMemcached();
  const rows: string[][] = [];
  for (const memory of memories) {
    for (const size of sizes) {
      const both = STARTS.map((start) => measure(start, form, memory, size));
      const [memcached, memden] = await Promise.all(both) as [Held, Held];
      const ratio = (memden.items / memcached.items).toFixed(3);
      rows.push([thousands(size), String(memory), show(memcached), show(memden), ratio]);
    }
  }
  console.log(`Items held until the first eviction, keys of ${form.bytes} bytes, -t 1:\n`);
  console.log(markdownTable(["value bytes", "-m", "memcached", "memden", "ratio"], rows));
}

if (import.meta.main) await main();
