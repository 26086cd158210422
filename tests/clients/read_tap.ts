// Counts the TAP lines that a client's tests printed, and notices when they ended early.

/** What one client's tests came to. */
export interface TapResult {
  readonly passed: number;
  /** Each failed test's line with the details printed under it. */
  readonly failures: readonly string[];
  readonly text: string;
}

/**
 * Reads `text`.
 *
 * @param exitedWell Whether the process ended with exit code 0.
 * @param end How the process ended, for the failure that is added when it ended early, or badly
 * without having said why.
 */
export function readTap(text: string, exitedWell: boolean, end: string): TapResult {
  let passed = 0;
  let planned: number | undefined;
  const failures: string[] = [];
  let inFailure = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("#")) {
      if (inFailure) failures.push(`${failures.pop()}\n${line}`);
      continue;
    }
    inFailure = /^not ok\b/.test(line);
    if (inFailure) failures.push(line);
    else if (/^ok\b/.test(line)) passed++;
    else if (/^1\.\.\d+$/.test(line)) planned = Number(line.slice(3));
  }
  if (planned === undefined) {
    failures.push(`not ok - ended before its plan, ${end}`);
  } else if (planned !== passed + failures.length) {
    failures.push(`not ok - printed ${passed + failures.length} results of ${planned}`);
  } else if (planned === 0) {
    failures.push("not ok - tested nothing");
  } else if (!exitedWell && failures.length === 0) {
    failures.push(`not ok - ended badly, ${end}`);
  }
  return { passed, failures, text };
}
