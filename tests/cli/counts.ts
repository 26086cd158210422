// Counting results of the parts of `deno task cli`.
// deno-lint-ignore-file no-console

const SCRIPT_MS_MAX = 120_000;

/** Counts of one run. */
export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** Records `claim`; `detail` is printed when it does not hold. */
export function check(counts: Counts, claim: boolean, what: string, detail = ""): void {
  if (claim) counts.passed++;
  else counts.failed++;
  console.log(`${claim ? "ok" : "not ok"} - ${what}`);
  if (!claim && detail !== "") console.log(detail.replace(/^/gm, "#   "));
}

/** Records that something could not be tried. */
export function skip(counts: Counts, what: string): void {
  counts.skipped++;
  console.log(`skipped: ${what}`);
}

/** Plays a script in Python and counts its lines of TAP. */
export async function play(
  script: string,
  args: readonly string[],
  counts: Counts,
): Promise<void> {
  const { stdout, stderr, success } = await new Deno.Command("python3", {
    args: [script, ...args],
    stdin: "null",
    signal: AbortSignal.timeout(SCRIPT_MS_MAX),
  }).output();
  const text = new TextDecoder().decode(stdout);
  console.log(text.trimEnd());
  const bad = text.match(/^not ok /gm)?.length ?? 0;
  counts.passed += text.match(/^ok /gm)?.length ?? 0;
  counts.failed += bad;
  if (!success && bad === 0) {
    check(counts, false, `${script} ended early`, new TextDecoder().decode(stderr));
  }
}
