// Which tests must notice a change, for each folder that mutate.ts changes.

/** The tests for one folder of the program, besides all that are in it. */
export interface Suite {
  /** Begins the path of each file that it is for. */
  readonly folder: string;
  /** Files and folders of other tests that go through it, in this order. */
  readonly also: readonly string[];
}

/** The conversations of tests/conformance, played in one process. */
const CONVERSATIONS = "tests/conformance/in_process_test.ts";

/** The suites, by folder. */
export const SUITES: readonly Suite[] = [
  { folder: "lib/protocol", also: [CONVERSATIONS, "lib/net"] },
  { folder: "lib/command", also: [CONVERSATIONS, "lib/net"] },
  { folder: "lib/net", also: [CONVERSATIONS] },
  { folder: "lib/store", also: [CONVERSATIONS, "tests/fuzz"] },
];

/** Tests that take seconds: they come last, as the first that fails ends a run. */
const SLOW: readonly string[] = [
  "lib/net/byte_queue_test.ts",
  "lib/net/chunk_transport_test.ts",
  "lib/net/conn_login_test.ts",
  "lib/net/conn_test.ts",
  "lib/net/conn_binary_test.ts",
  "lib/net/conn_refused_test.ts",
  "lib/store/item/generation_test.ts",
  "lib/store/room/tail_test.ts",
  "lib/store/room/value_test.ts",
  "lib/store/maintenance/mover_test.ts",
  "lib/store/restart/restore_test.ts",
  "lib/store/room/room_test.ts",
  "lib/store/slab/page_limit_test.ts",
  "lib/store/maintenance/rounds_test.ts",
];

/** The suite for the file `path`; undefined when there is none. */
export function suiteOf(path: string): Suite | undefined {
  return SUITES.find(({ folder }) => path.startsWith(`${folder}/`));
}

/**
 * The files of `tests` that a change to `path` is tried with: the one beside it, then those of its
 * folder, then the others, each time the slow ones last.
 *
 * @param tests Every test file of the repository.
 */
export function testsFor(
  path: string,
  { folder, also }: Suite,
  tests: readonly string[],
): string[] {
  const own = path.replace(/\.ts$/, "_test.ts");
  const near = path.slice(0, path.lastIndexOf("/") + 1);
  const under = (place: string): string[] => tests.filter((test) => test.startsWith(place));
  const all = [
    ...new Set([...under(own), ...under(near), ...under(folder), ...also.flatMap(under)]),
  ];
  const isLast = (test: string): number => test === own ? -1 : SLOW.indexOf(test);
  return all.sort((a, b) => isLast(a) - isLast(b));
}
