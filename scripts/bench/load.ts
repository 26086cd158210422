// `deno task bench`: memden beside Debian's memcached, loaded in turns.
//
// For each workload both servers start afresh with the same -t and -m, each takes one unmeasured
// run whose values are verified, and then runs alternate: memcached, memden, memcached, memden …
// Each pair gives one ratio; the report shows the median. CPU is the server's own, from /proc.
//
// memcached is the one on PATH: put another release first there to compare with it.
// deno-lint-ignore-file no-console

import { parseArgs } from "node:util";
import { ensurePackages } from "../../tests/support/packages.ts";
import { startMemcached, startMemden, type TestServer } from "../../tests/support/server.ts";
import { BUNDLE, makeBundle } from "../bundle.ts";
import { ROOT } from "../sources.ts";
import { runCaslap } from "./memcaslap.ts";
import { cpuSeconds } from "./process_stat.ts";
import {
  type Pair,
  type Run,
  type Setting,
  summarize,
  type Summary,
  toMarkdown,
} from "./report.ts";
import {
  type CaslapWorkload,
  describe,
  type PipelineWorkload,
  type Workload,
  WORKLOADS,
} from "./workloads.ts";

const PIPELINE = new URL("pipeline.ts", import.meta.url).pathname;
const MEMORY_MIB = 2048;
const WARM_SECONDS = 4;

const USAGE = `usage: deno task bench [options]
  --pairs N          runs of each server per workload (5)
  --seconds N        whole seconds per run (3)
  --threads N        -t of both servers (1)
  --only NAME,…      some workloads: ${WORKLOADS.map((workload) => workload.name).join(" ")}
  --form FORM        what of memden: bundle, which is made first, or source (bundle)
  --memden="ARGS"    further flags for memden
  --json FILE        write all runs and ratios
  --markdown FILE    write the table
  --out DIR          both of these, as bench.json and bench.md`;

const FLAGS = {
  pairs: { type: "string", default: "5" },
  seconds: { type: "string", default: "3" },
  threads: { type: "string", default: "1" },
  only: { type: "string" },
  form: { type: "string", default: "bundle" },
  memden: { type: "string", default: "" },
  json: { type: "string" },
  markdown: { type: "string" },
  out: { type: "string" },
  help: { type: "boolean", default: false },
} as const;

interface Options {
  readonly pairs: number;
  readonly seconds: number;
  readonly threads: number;
  readonly workloads: readonly Workload[];
  /** The memden to start: see {@linkcode startMemden}; undefined for the source. */
  readonly program: string | undefined;
  readonly memdenArgs: readonly string[];
  readonly jsonFile: string | undefined;
  readonly markdownFile: string | undefined;
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function parseOptions(args: string[]): Options {
  const raw = parse(args);
  if (raw.help) usage();
  const count = (name: "pairs" | "seconds" | "threads"): number => {
    const value = Number(raw[name]);
    return Number.isInteger(value) && value > 0 ? value : usage(`--${name} takes a whole number`);
  };
  if (raw.form !== "bundle" && raw.form !== "source") usage(`No form ${raw.form}`);
  const names = raw.only?.split(",") ?? WORKLOADS.map((workload) => workload.name);
  return {
    pairs: count("pairs"),
    seconds: count("seconds"),
    threads: count("threads"),
    workloads: names.map((name) =>
      WORKLOADS.find((workload) => workload.name === name) ?? usage(`No workload ${name}`)
    ),
    program: raw.form === "bundle" ? `${ROOT}${BUNDLE}/main.js` : undefined,
    memdenArgs: raw.memden.split(" ").filter((arg) => arg !== ""),
    jsonFile: raw.json ?? (raw.out && `${raw.out}/bench.json`),
    markdownFile: raw.markdown ?? (raw.out && `${raw.out}/bench.md`),
  };
}

function usage(problem?: string): never {
  if (problem !== undefined) console.error(problem);
  console.error(USAGE);
  Deno.exit(2);
}

async function loadCaslap(
  workload: CaslapWorkload,
  server: TestServer,
  seconds: number,
  verify: boolean,
): Promise<Run> {
  const before = cpuSeconds(server.pid);
  const report = await runCaslap(workload, server.port, { seconds, verify });
  const cpu = cpuSeconds(server.pid) - before;
  // The sets that memcaslap makes before a run of gets cost CPU, but not time of the run.
  const timed = workload.getShare === 1 ? report.gets : report.gets + report.sets;
  return {
    opsPerSecond: timed / report.seconds,
    cpuMicrosPerOp: cpu * 1e6 / (report.gets + report.sets),
    busyCores: cpu / report.seconds,
  };
}

async function loadPipeline(
  workload: PipelineWorkload,
  server: TestServer,
  seconds: number,
): Promise<Run> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ["run", "--allow-all", PIPELINE],
      ["--port", String(server.port), "--pid", String(server.pid)],
      ["--mode", workload.mode, "--depth", String(workload.depth)],
      ["--conns", String(workload.conns), "--value", String(workload.valueBytes)],
      ["--seconds", String(seconds)],
    ].flat(),
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`pipeline.ts failed: ${decoder.decode(stderr)}`);
  const report: unknown = JSON.parse(decoder.decode(stdout));
  const { ops, seconds: elapsed, serverCpuSeconds: cpu } = report as Record<string, number>;
  if (!ops || !elapsed || cpu === undefined) {
    throw new Error(`pipeline.ts reports nothing done: ${decoder.decode(stdout)}`);
  }
  return { opsPerSecond: ops / elapsed, cpuMicrosPerOp: cpu * 1e6 / ops, busyCores: cpu / elapsed };
}

function load(
  workload: Workload,
  server: TestServer,
  seconds: number,
  verify = false,
): Promise<Run> {
  return workload.tool === "memcaslap"
    ? loadCaslap(workload, server, seconds, verify)
    : loadPipeline(workload, server, seconds);
}

async function compare(workload: Workload, options: Options): Promise<Summary> {
  const args = ["-t", String(options.threads), "-m", String(MEMORY_MIB)];
  await using memcached = await startMemcached(args);
  const { program, memdenArgs } = options;
  const start = program === undefined ? {} : { program };
  await using memden = await startMemden([...args, ...memdenArgs], start);
  for (const server of [memcached, memden]) await load(workload, server, WARM_SECONDS, true);
  const pairs: Pair[] = [];
  for (let count = 1; count <= options.pairs; count++) {
    const pair = {
      memcached: await load(workload, memcached, options.seconds),
      memden: await load(workload, memden, options.seconds),
    };
    pairs.push(pair);
    const ratio = pair.memden.cpuMicrosPerOp / pair.memcached.cpuMicrosPerOp;
    console.error(`${workload.name} ${count}/${options.pairs}: CPU ratio ${ratio.toFixed(2)}`);
  }
  return summarize(workload.name, describe(workload), pairs);
}

async function describeSetting(options: Options): Promise<Setting> {
  const { stdout } = await new Deno.Command("memcached", { args: ["-V"] }).output();
  const cpu = /^model name\s*: (.*)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  return {
    machine: `${cpu ?? Deno.build.arch}, ${navigator.hardwareConcurrency} cores`,
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    memcached: new TextDecoder().decode(stdout).trim(),
    "flags of both": `-t ${options.threads} -m ${MEMORY_MIB}`,
    "form of memden": options.program === undefined ? "source" : "bundle",
    "flags of memden": options.memdenArgs.join(" ") || "none",
    runs: `${options.pairs} pairs of ${options.seconds} s`,
  };
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  if (!(await ensurePackages(["memcached"]))) {
    console.error("SKIPPED: everything. memcached is not installed and cannot be");
    Deno.exit(1);
  }
  if (options.program !== undefined) await makeBundle(ROOT + BUNDLE);
  const hasCaslap = await ensurePackages(["libmemcached-tools"]);
  const summaries: Summary[] = [];
  const skipped: string[] = [];
  const failed: string[] = [];
  for (const workload of options.workloads) {
    if (workload.tool === "memcaslap" && !hasCaslap) {
      skipped.push(`${workload.name}: libmemcached-tools is not installed and cannot be`);
      console.error(`SKIPPED: ${skipped.at(-1)}`);
      continue;
    }
    try {
      summaries.push(await compare(workload, options));
    } catch (error) {
      failed.push(`${workload.name}: ${error instanceof Error ? error.message : error}`);
      console.error(`FAILED: ${failed.at(-1)}`);
    }
  }
  const setting = await describeSetting(options);
  const markdown = toMarkdown(setting, summaries, { skipped, failed });
  console.log(markdown);
  if (options.markdownFile !== undefined) await writeFile(options.markdownFile, markdown);
  if (options.jsonFile !== undefined) {
    const json = JSON.stringify({ setting, summaries, skipped, failed }, null, 2);
    await writeFile(options.jsonFile, json + "\n");
  }
  if (failed.length > 0 || summaries.length === 0) Deno.exit(1);
}

async function writeFile(path: string, text: string): Promise<void> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  if (folder !== "") await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(path, text);
}

if (import.meta.main) await main();
