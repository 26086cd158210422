// Runs memcaslap (Debian's libmemcached-tools) against one server and reads its report.
//
// memcaslap ends about a second after its time is up; that second is idle on the server's side.
// For a workload of gets only it stores its objects first and counts those sets as operations.

import type { CaslapWorkload } from "./workloads.ts";

const KEY_BYTES = 32;
/** How much longer than asked for a run may take, in milliseconds. */
const GRACE_MS = 30_000;

/** What memcaslap counted in one run. */
export interface CaslapReport {
  readonly gets: number;
  readonly sets: number;
  readonly misses: number;
  /** Values that were not what had been stored; 0 also when the run did not verify. */
  readonly wrong: number;
  readonly seconds: number;
}

/** The configuration file that makes memcaslap send `workload`. */
export function caslapConfig(workload: CaslapWorkload): string {
  const { valueBytes, getShare } = workload;
  return [
    "key",
    `${KEY_BYTES} ${KEY_BYTES} 1`,
    "value",
    `${valueBytes} ${valueBytes} 1`,
    "cmd",
    `0 ${(1 - getShare).toFixed(3)}`,
    `1 ${getShare.toFixed(3)}`,
    "",
  ].join("\n");
}

/**
 * Reads the counts at the end of memcaslap's output.
 *
 * @throws {Error} When a count is missing: the run did not come to its end.
 */
export function parseCaslapReport(output: string): CaslapReport {
  const count = (name: string): number | undefined => {
    const digits = new RegExp(`^${name}: (\\d+)$`, "m").exec(output)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const gets = count("cmd_get");
  const sets = count("cmd_set");
  const misses = count("get_misses");
  const seconds = /^Run time: ([\d.]+)s /m.exec(output)?.[1];
  if (gets === undefined || sets === undefined || misses === undefined || seconds === undefined) {
    throw new Error(`memcaslap gave no report: ${output.trim()}`);
  }
  const wrong = (count("verify_failed") ?? 0) + (count("verify_misses") ?? 0);
  return { gets, sets, misses, wrong, seconds: Number(seconds) };
}

/**
 * Puts `workload` on the server at `port` of 127.0.0.1.
 *
 * @param options.seconds Whole seconds.
 * @param options.verify Compare every value with what was stored; costs the client CPU.
 * @param options.signal Ends the run, which fails then.
 * @throws {Error} When the run fails, misses an object or reads a wrong value.
 */
export async function runCaslap(
  workload: CaslapWorkload,
  port: number,
  options: { seconds: number; verify: boolean; signal?: AbortSignal },
): Promise<CaslapReport> {
  const late = AbortSignal.timeout(options.seconds * 1000 + GRACE_MS);
  const config = await Deno.makeTempFile({ prefix: "memcaslap" });
  try {
    await Deno.writeTextFile(config, caslapConfig(workload));
    const { stdout, stderr } = await new Deno.Command("memcaslap", {
      args: [
        ["-s", `127.0.0.1:${port}`],
        ["-T", "1"],
        ["-c", String(workload.conns)],
        ["-t", `${options.seconds}s`],
        ["-w", "1k"],
        ["-d", String(workload.keysPerGet)],
        ["-F", config],
        options.verify ? ["-v", "1"] : [],
      ].flat(),
      signal: options.signal === undefined ? late : AbortSignal.any([late, options.signal]),
    }).output();
    const decoder = new TextDecoder();
    const report = parseCaslapReport(decoder.decode(stdout) + decoder.decode(stderr));
    if (report.misses > 0 || report.wrong > 0 || report.gets + report.sets === 0) {
      throw new Error(`memcaslap found the server wrong: ${JSON.stringify(report)}`);
    }
    return report;
  } finally {
    await Deno.remove(config);
  }
}
