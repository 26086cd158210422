// The sub-commands of the executable: one row each, one row for each of their options.
//
// `memden NAME …` runs one where memcached would ignore the word and serve. Their help, the man
// page and the shell completions all read these rows.

/**
 * How the text of an option is read.
 *
 * - `flag`: takes no value
 * - `seconds`: a decimal number; `count`: a whole one
 * - `file`: a path; `text`: anything
 */
export type SubOptionKind = "flag" | "seconds" | "count" | "file" | "text";

type Row = readonly [
  letter: string,
  name: string,
  kind: SubOptionKind,
  fallback: string,
  allowed: readonly [] | readonly [min: number, max: number],
  value: string,
  help: string,
];

// deno-fmt-ignore
const TLS_ROWS = [
  ["", "tls", "flag", "", [], "", "speak TLS"],
  ["", "ca", "file", "", [], "file",
    "certificates of authorities to trust besides those that come with the program, PEM"],
  ["", "tls-name", "text", "", [], "name",
    "name that the server's certificate must be for, if not that of the address"],
] as const satisfies readonly Row[];

const HELP_ROW = ["h", "help", "flag", "", [], "", "print this and exit"] as const satisfies Row;

// deno-fmt-ignore
const TOP_ROWS = [
  // letter, long name, kind, default, allowed, value, help
  ["d", "delay", "seconds", "1", [0.1, 3600], "seconds", "time between two updates"],
  ["n", "count", "count", "", [1, 2 ** 31 - 1], "count", "end after so many updates"],
  ["b", "batch", "flag", "", [], "",
    "print one update after the other, as plain text; the default without a terminal"],
  ["", "auth-file", "file", "", [], "file",
    "log in with the first line of this file, user:password, as for -Y"],
  ...TLS_ROWS,
  HELP_ROW,
] as const satisfies readonly Row[];

// deno-fmt-ignore
const PING_ROWS = [
  ["", "timeout", "seconds", "2", [0.001, 3600], "seconds", "how long all of it may take"],
  ...TLS_ROWS,
  HELP_ROW,
] as const satisfies readonly Row[];

/** The long name of an option of any sub-command. */
export type SubOptionName = typeof TOP_ROWS[number][1] | typeof PING_ROWS[number][1];

/** One option of a sub-command, as its row says. */
export interface SubOption {
  /** Empty where there is only the long name. */
  readonly letter: string;
  readonly name: SubOptionName;
  readonly kind: SubOptionKind;
  /** The default, as one would type it; empty when there is none. */
  readonly fallback: string;
  /** Smallest and largest number; empty for what is no number. */
  readonly allowed: readonly [] | readonly [min: number, max: number];
  /** What the value is; empty when there is none. */
  readonly value: string;
  readonly help: string;
}

/** The name of a sub-command: the first argument of the command line. */
export type SubCommandName = "top" | "ping";

/** One sub-command. */
export interface SubCommand {
  readonly name: SubCommandName;
  /** One line for lists. */
  readonly summary: string;
  /** Sentences for its help and the man page. */
  readonly about: readonly string[];
  readonly options: readonly SubOption[];
  /** Keys that it accepts while it runs. */
  readonly keys: readonly (readonly [key: string, meaning: string])[];
}

/** What both take as their only operand, and what it is without one. */
export const OPERAND = {
  name: "address",
  help: "host, host:port, [v6]:port, unix:/path or a path with a slash (default: 127.0.0.1:11211)",
} as const;

/** Every sub-command. */
export const SUB_COMMANDS: readonly SubCommand[] = [
  {
    name: "top",
    summary: "live view of a memcached server: rates, hit ratio, memory, slab classes",
    about: [
      "Works with any memcached that speaks the text protocol: it asks for stats, stats items, " +
      "stats slabs, stats conns and once for stats settings, and shows the answers.",
      "Rates are those since the previous update. Totals and the second hit ratio count from the " +
      "start of the server, from the last reset of its counters, or from the key r.",
      "Each update tries a server that went away again. NO_COLOR turns colours off; without a " +
      "terminal, or with TERM=dumb, updates are plain text.",
    ],
    options: TOP_ROWS.map(fromRow),
    keys: [
      ["q, Ctrl-C", "quit"],
      ["p", "pause the view, and go on"],
      ["r", "count totals and hit ratio from now on"],
      ["s", "sort slab classes by the next column"],
      ["?", "show the keys"],
    ],
  },
  {
    name: "ping",
    summary: "ask a server whether it is alive, for health checks of containers",
    about: [
      "Connects, asks for the version and exits with 0 after any answer of a memcached, " +
      "including one that requires a login or has reached its connection limit. Otherwise it " +
      "exits with 1 and the reason on stderr. It tries both protocols, text first.",
    ],
    options: PING_ROWS.map(fromRow),
    keys: [],
  },
];

/** The sub-command that a command line asks for; undefined when it is one of the server. */
export function findSubCommand(argv: readonly string[]): SubCommand | undefined {
  return SUB_COMMANDS.find(({ name }) => name === argv[0]);
}

function fromRow(row: Row & { readonly 1: SubOptionName }): SubOption {
  const [letter, name, kind, fallback, allowed, value, help] = row;
  return { letter, name, kind, fallback, allowed, value, help };
}
