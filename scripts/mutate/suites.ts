// Which tests must notice a change, for each folder that mutate.ts changes.

/** The tests of one folder of the program. */
export interface Suite {
  /** Begins the path of each file that it is for. */
  readonly folder: string;
  /** Files of tests, those that take long last: the first that fails ends the run. */
  readonly tests: readonly string[];
}

/** The tests of net, those first that are done soonest. */
const NET = [
  "lib/net/read_buffer_test.ts",
  "lib/net/buffer_pool_test.ts",
  "lib/net/conn_state_test.ts",
  "lib/net/conn_watch_test.ts",
  "lib/net/udp_conn_test.ts",
  "lib/net/conn_test.ts",
  "lib/net/conn_binary_test.ts",
  "lib/net/chunk_transport_test.ts",
  "lib/net/byte_queue_test.ts",
  "lib/net/conn_login_test.ts",
  "lib/net/conn_refused_test.ts",
];

/** The conversations of tests/conformance, played in one process. */
const CONVERSATIONS = "tests/conformance/in_process_test.ts";

/** The suites; the first whose folder a file is in. */
export const SUITES: readonly Suite[] = [
  { folder: "lib/protocol", tests: ["lib/protocol", CONVERSATIONS, ...NET] },
  { folder: "lib/command", tests: ["lib/command", CONVERSATIONS, ...NET] },
  { folder: "lib/net", tests: [...NET, CONVERSATIONS] },
  { folder: "lib/store", tests: ["lib/store", CONVERSATIONS, "tests/fuzz/fuzz_test.ts"] },
];

/** The suite for the file `path`; undefined when there is none. */
export function suiteOf(path: string): Suite | undefined {
  return SUITES.find(({ folder }) => path.startsWith(`${folder}/`));
}
