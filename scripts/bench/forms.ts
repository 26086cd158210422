// The source and the bundle beside each other: time from start to the first answer, CPU until then,
// memory at rest, and what requests cost. Servers are measured in turns, each started afresh.
//
//   deno task bundle
//   deno run -A scripts/bench/forms.ts [--rounds 5] [--threads 1,4] [--seconds 3]
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { startMemden, type TestServer } from "../../tests/support/server.ts";
import { BUNDLE } from "../bundle.ts";
import { ROOT } from "../sources.ts";
import { markdownTable, wholeNumber, wholeNumbers } from "./comparison.ts";
import { cpuSeconds, rssBytes } from "./process_stat.ts";
import { spread } from "./report.ts";

const PIPELINE = new URL("pipeline.ts", import.meta.url).pathname;
/** Time for the runtime to come to rest, in milliseconds. */
const SETTLE_MS = 2000;
const MIB = 2 ** 20;

const FLAGS = {
  rounds: { type: "string", default: "5" },
  threads: { type: "string", default: "1,4" },
  seconds: { type: "string", default: "3" },
} as const;

/** The memdens that are compared: what they are called, and what to start. */
const FORMS = [["source", undefined], ["bundle", `${ROOT}${BUNDLE}/main.js`]] as const;

/** One start of one form. */
interface Sample {
  readonly startMs: number;
  readonly startCpuMs: number;
  readonly restMib: number;
  /** Microseconds of server CPU for each get, 16 pipelined. */
  readonly getMicros: number;
}

async function measure(program: string | undefined, threads: number, seconds: number) {
  const start = performance.now();
  const args = ["-t", String(threads)];
  await using server = await startMemden(args, program === undefined ? {} : { program });
  const startMs = performance.now() - start;
  const startCpuMs = cpuSeconds(server.pid) * 1000;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const restMib = rssBytes(server.pid) / MIB;
  return { startMs, startCpuMs, restMib, getMicros: await load(server, seconds) };
}

/** Runs twice, and counts the second run: the first one warms the server up. */
async function load(server: TestServer, seconds: number): Promise<number> {
  let micros = 0;
  for (let run = 0; run < 2; run++) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--allow-all", PIPELINE, "--port", String(server.port)],
        ...["--pid", String(server.pid), "--mode", "get", "--depth", "16"],
        ...["--conns", "16", "--value", "100", "--seconds", String(seconds)],
      ],
    }).output();
    const report: Record<string, number> = JSON.parse(new TextDecoder().decode(stdout));
    micros = (report.serverCpuSeconds ?? NaN) * 1e6 / (report.ops ?? NaN);
  }
  return micros;
}

/** Median, lowest and highest. */
function cell(samples: readonly Sample[], of: keyof Sample, digits: number): string {
  const { min, median, max } = spread(samples.map((sample) => sample[of]));
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

const { values } = parseArgs({ options: FLAGS });
const rows: string[][] = [];
for (const threads of wholeNumbers("threads", values.threads)) {
  const samples = FORMS.map((): Sample[] => []);
  for (let round = 0; round < wholeNumber("rounds", values.rounds); round++) {
    for (const [index, [, program]] of FORMS.entries()) {
      const seconds = wholeNumber("seconds", values.seconds);
      samples[index]!.push(await measure(program, threads, seconds));
    }
  }
  for (const [index, [name]] of FORMS.entries()) {
    const taken = samples[index]!;
    rows.push([
      ...[name, String(threads), cell(taken, "startMs", 0), cell(taken, "startCpuMs", 0)],
      ...[cell(taken, "restMib", 1), cell(taken, "getMicros", 2)],
    ]);
  }
}
const head = ["form", "-t", "start ms", "CPU till then ms", "at rest MiB", "get µs, 16 pipelined"];
console.log(markdownTable(head, rows));
