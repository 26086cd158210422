// Which tests must notice a change, for each folder that mutate.ts changes.

/** The tests of one folder of the program. */
export interface Suite {
  /** Begins the path of each file that it is for. */
  readonly folder: string;
  /** Files of tests, or folders of them. */
  readonly tests: readonly string[];
}

/** The conversations of tests/conformance, played in one process. */
const CONVERSATIONS = "tests/conformance/in_process_test.ts";

/** The suites; the first whose folder a file is in. */
export const SUITES: readonly Suite[] = [
  { folder: "lib/protocol", tests: ["lib/protocol", "lib/net", CONVERSATIONS] },
  { folder: "lib/command", tests: ["lib/command", "lib/net", CONVERSATIONS] },
  { folder: "lib/net", tests: ["lib/net", CONVERSATIONS] },
  { folder: "lib/store", tests: ["lib/store", CONVERSATIONS, "tests/fuzz/fuzz_test.ts"] },
];

/** The suite for the file `path`; undefined when there is none. */
export function suiteOf(path: string): Suite | undefined {
  return SUITES.find(({ folder }) => path.startsWith(`${folder}/`));
}
