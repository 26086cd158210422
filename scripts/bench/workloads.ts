// The table of workloads that `deno task bench` puts on both servers.

import type { Mode } from "./pipeline.ts";

/** Load by memcaslap: each conn sends one request at a time. */
export interface CaslapWorkload {
  readonly tool: "memcaslap";
  readonly name: string;
  readonly conns: number;
  /** Share of gets among the requests, 0..1; the rest are sets. */
  readonly getShare: number;
  readonly valueBytes: number;
  /** Keys in one get; 1 sends single gets. */
  readonly keysPerGet: number;
}

/** Load by pipeline.ts: each conn sends `depth` requests before it reads the replies. */
export interface PipelineWorkload {
  readonly tool: "pipeline";
  readonly name: string;
  readonly conns: number;
  readonly mode: Mode;
  readonly depth: number;
  readonly valueBytes: number;
}

/** One row of the benchmark. */
export type Workload = CaslapWorkload | PipelineWorkload;

/** Every workload, in the order of the report. */
export const WORKLOADS: readonly Workload[] = [
  caslap("get-100", 16, 1, 100),
  caslap("set-100", 16, 0, 100),
  caslap("mixed-100", 50, 0.9, 100),
  caslap("multiget-100", 16, 1, 100, 20),
  caslap("mixed-10k", 16, 0.9, 10 * 1024),
  // memcaslap keeps 1024 objects per conn: 4 conns fit without evictions, 16 do not.
  caslap("mixed-100k", 4, 0.9, 100 * 1024),
  // Debian's memcached 1.6.18 answers each pipelined get by a sendmsg of its own; later releases
  // and memden collect them.
  pipeline("get-lone", 16, "get", 1),
  pipeline("get-pipelined", 16, "get", 16),
  pipeline("set-pipelined", 16, "set", 16),
  pipeline("mg-lone", 16, "mg", 1),
  pipeline("mg-pipelined", 16, "mg", 16),
  pipeline("ms-pipelined", 16, "ms", 16),
  pipeline("binary-get-lone", 16, "binary-get", 1),
  pipeline("binary-get-pipelined", 16, "binary-get", 16),
  pipeline("binary-set-pipelined", 16, "binary-set", 16),
];

/** What `workload` does, in words. */
export function describe(workload: Workload): string {
  const conns = `${workload.conns} conns`;
  const value = workload.valueBytes >= 1024
    ? `${workload.valueBytes / 1024} KiB`
    : `${workload.valueBytes} B`;
  if (workload.tool === "pipeline") {
    const depth = workload.depth === 1 ? "one at a time" : `${workload.depth} pipelined`;
    return `${workload.mode} ${value}, ${conns}, ${depth}`;
  }
  const gets = Math.round(workload.getShare * 100);
  const keys = workload.keysPerGet === 1 ? "" : `, ${workload.keysPerGet} keys per get`;
  return `${gets}:${100 - gets} get:set ${value}, ${conns}${keys}`;
}

function caslap(
  name: string,
  conns: number,
  getShare: number,
  valueBytes: number,
  keysPerGet = 1,
): CaslapWorkload {
  return { tool: "memcaslap", name, conns, getShare, valueBytes, keysPerGet };
}

function pipeline(
  name: string,
  conns: number,
  mode: PipelineWorkload["mode"],
  depth: number,
): PipelineWorkload {
  return { tool: "pipeline", name, conns, mode, depth, valueBytes: 100 };
}
