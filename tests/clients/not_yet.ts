// Tests of real clients that ask for what memden does not have yet. They fail against memden, are
// counted as skipped and said aloud; a row goes when the feature comes.

/** One row: the client, which of its failed tests (none named: all, and it is not run), and why. */
export type NotYet = readonly [client: string, tests: RegExp | undefined, needs: string];

/** What fails for want of a feature. */
export const NOT_YET: readonly NotYet[] = [];

/** What the client as a whole has to wait for; undefined when it can run. */
export function clientNeeds(client: string): string | undefined {
  return NOT_YET.find(([name, tests]) => name === client && tests === undefined)?.[2];
}

/** What a failed test, by its first line `not ok N - name`, has to wait for. */
export function testNeeds(client: string, failure: string): string | undefined {
  const line = failure.split("\n")[0] ?? "";
  return NOT_YET.find(([name, tests]) => name === client && tests?.test(line) === true)?.[2];
}
