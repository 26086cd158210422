// Warm restarts: how long a server takes to stop and to serve again with all that it had, beside a
// start without anything; memden on memory and on disk, and memcached.
//
//   --items 1000000   how many
//   --bytes 100       length of each value
//   --rounds 3        of each server
//   --memory 512      -m
//
// Each item is read and compared after the restart. Times are from the call of the program to the
// first reply, and from the signal to the end of the process.
// deno-lint-ignore-file no-console

import { parseArgs } from "@std/cli/parse-args";
import { startMemcached, startMemden, type TestServer } from "../../tests/support/server.ts";
import { Wire } from "../../tests/warm/wire.ts";
import { markdownTable, thousands, wholeNumber } from "./comparison.ts";
import { rssBytes } from "./process_stat.ts";

/** Bytes of values in one write, and items at the most. */
const BATCH_BYTES = 4e6;
const BATCH_MAX = 2000;
const MIB = 2 ** 20;
/** memcached takes no cache over within a second. */
const REST_MS = 1500;

/** What is stored. */
interface Load {
  readonly items: number;
  readonly bytes: number;
  readonly args: readonly string[];
}

/** A kind of server. */
interface Kind {
  readonly name: string;
  readonly start: (args: readonly string[]) => Promise<TestServer>;
  readonly folder: string;
}

const KINDS: readonly Kind[] = [
  { name: "memden, file in /dev/shm", start: startMemden, folder: "/dev/shm" },
  { name: "memden, file on disk", start: startMemden, folder: "/tmp" },
  { name: "memcached, file in /dev/shm", start: startMemcached, folder: "/dev/shm" },
];

/** One run. Times in milliseconds, memory in MiB. */
interface Run {
  readonly emptyMs: number;
  readonly newFileMs: number;
  readonly stopMs: number;
  readonly warmMs: number;
  readonly rssBefore: number;
  readonly rssAfter: number;
  readonly found: number;
  readonly said: string;
}

function batchOf(bytes: number): number {
  return Math.max(1, Math.min(BATCH_MAX, Math.floor(BATCH_BYTES / bytes)));
}

function keyOf(number: number): string {
  return `key:${number}`;
}

function valueOf(number: number, bytes: number): string {
  return `${number}.`.padEnd(bytes, keyOf(number));
}

/** Starts a server; returns it with the time to its first reply. */
async function startTimed(kind: Kind, args: readonly string[]): Promise<[TestServer, number]> {
  const startMs = performance.now();
  const server = await kind.start(args);
  using wire = await Wire.open(server.port);
  await wire.send("mn\r\n");
  await wire.line();
  return [server, performance.now() - startMs];
}

async function fill(port: number, { items, bytes }: Load): Promise<void> {
  using wire = await Wire.open(port);
  const batch = batchOf(bytes);
  for (let from = 0; from < items; from += batch) {
    const lines: string[] = [];
    for (let number = from; number < Math.min(from + batch, items); number++) {
      lines.push(`ms ${keyOf(number)} ${bytes} q\r\n${valueOf(number, bytes)}\r\n`);
    }
    await wire.send(`${lines.join("")}mn\r\n`);
    await wire.line();
  }
}

/** Reads every item; returns how many are as they were stored. */
async function verify(port: number, { items, bytes }: Load): Promise<number> {
  using wire = await Wire.open(port);
  const decoder = new TextDecoder();
  const batch = batchOf(bytes);
  let right = 0;
  for (let from = 0; from < items; from += batch) {
    const to = Math.min(from + batch, items);
    const lines: string[] = [];
    for (let number = from; number < to; number++) lines.push(`mg ${keyOf(number)} v\r\n`);
    const sending = wire.send(lines.join(""));
    for (let number = from; number < to; number++) {
      const line = await wire.line();
      if (line === "EN") continue;
      if (decoder.decode(await wire.value(bytes)) === valueOf(number, bytes)) right++;
      else throw new Error(`Wrong value: ${keyOf(number)}`);
    }
    await sending;
  }
  return right;
}

async function measure(kind: Kind, load: Load): Promise<Run> {
  const folder = await Deno.makeTempDir({ dir: kind.folder, prefix: "memden-bench-" });
  const args = ["-v", ...load.args, "-e", `${folder}/items`];
  try {
    const [empty, emptyMs] = await startTimed(kind, load.args);
    await empty.stop();
    const [first, newFileMs] = await startTimed(kind, args);
    await fill(first.port, load);
    const rssBefore = rssBytes(first.pid) / MIB;
    const signalMs = performance.now();
    Deno.kill(first.pid, "SIGUSR1");
    await first.exited;
    const stopMs = performance.now() - signalMs;
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    const [second, warmMs] = await startTimed(kind, args);
    const rssAfter = rssBytes(second.pid) / MIB;
    const found = await verify(second.port, load);
    await second.stop();
    const said = [first, second].flatMap((it) => it.stderr().match(/^\[restart\].*$/gm) ?? []);
    return {
      emptyMs,
      newFileMs,
      stopMs,
      warmMs,
      rssBefore,
      rssAfter,
      found,
      said: said.join("\n"),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, {
    string: ["items", "bytes", "rounds", "memory"],
    default: { items: "1000000", bytes: "100", rounds: "3", memory: "512" },
  });
  const load: Load = {
    items: wholeNumber("items", flags.items),
    bytes: wholeNumber("bytes", flags.bytes),
    args: ["-m", String(wholeNumber("memory", flags.memory)), "-t", "2"],
  };
  const rounds = wholeNumber("rounds", flags.rounds);
  const runs = new Map<Kind, Run[]>(KINDS.map((kind) => [kind, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [kind, list] of runs) {
      const run = await measure(kind, load);
      list.push(run);
      console.error(`${kind.name}: ${JSON.stringify(run)}`);
    }
  }
  const columns = ["emptyMs", "newFileMs", "stopMs", "warmMs", "rssBefore", "rssAfter", "found"];
  const rows = [...runs].map(([{ name }, list]) => [
    name,
    ...columns.map((column) => {
      const values = list.map((run) => Number(run[column as keyof Run])).sort((a, b) => a - b);
      return thousands(values[Math.floor(values.length / 2)] ?? 0);
    }),
  ]);
  const head = [
    `${thousands(load.items)} items of ${load.bytes} bytes`,
    "start without -e, ms",
    "start with a new file, ms",
    "stop, ms",
    "start with the cache, ms",
    "MiB before",
    "MiB after",
    "items right",
  ];
  console.log(markdownTable(head, rows));
}
