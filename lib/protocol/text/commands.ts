// The text commands: one row each. Parsing, dispatch and docs/protocol.md all read this table.

import { ascii, equalsWord } from "../../base/ascii.ts";

/** What a command line asks for. */
export const Verb = {
  NONE: 0,
  GET: 1,
  GETS: 2,
  GAT: 3,
  GATS: 4,
  SET: 5,
  ADD: 6,
  REPLACE: 7,
  APPEND: 8,
  PREPEND: 9,
  CAS: 10,
  INCR: 11,
  DECR: 12,
  DELETE: 13,
  TOUCH: 14,
  FLUSH_ALL: 15,
  VERSION: 16,
  VERBOSITY: 17,
  QUIT: 18,
  MN: 19,
  SHUTDOWN: 20,
  STATS: 21,
  LRU: 22,
  LRU_CRAWLER: 23,
  SLABS: 24,
  CACHE_MEMLIMIT: 25,
  REFRESH_CERTS: 26,
  MG: 27,
  MS: 28,
  MD: 29,
  MA: 30,
  ME: 31,
  WATCH: 32,
  EXTSTORE: 33,
} as const;
export type Verb = typeof Verb[keyof typeof Verb];

/** How a command's line goes on after its name. */
export const CommandShape = {
  /** Tokens, and that is all. */
  LINE: 0,
  /** Any number of keys. */
  KEYS: 1,
  /** Tokens, then a value of the length that one of them gives. */
  VALUE: 2,
} as const;
export type CommandShape = typeof CommandShape[keyof typeof CommandShape];

/** One text command. Token counts include the name and leave out `noreply`. */
export interface Command {
  readonly name: Uint8Array;
  readonly text: string;
  readonly verb: Verb;
  readonly shape: CommandShape;
  /**
   * A line with fewer is answered `CLIENT_ERROR bad command line format`. A storage command reads a
   * short line itself: it may have a length, and the value of that length follows.
   */
  readonly tokensMin: number;
  /** A line that ends in `noreply` is not answered. */
  readonly knowsNoreply: boolean;
  /** What follows the name, for docs/protocol.md. */
  readonly usage: string;
  /** The replies it can get, for docs/protocol.md. */
  readonly replies: string;
}

const { LINE, KEYS, VALUE } = CommandShape;
const KEYS_USAGE = "<key>*";
const GAT_USAGE = "<exptime> <key>*";
const STORE_USAGE = "<key> <flags> <exptime> <bytes> [noreply]";
const CAS_USAGE = "<key> <flags> <exptime> <bytes> <cas> [noreply]";
const STORED_REPLIES = "STORED, NOT_STORED";
const META_USAGE = "<key> <flag>*";
/** End of the usage of a command whose reply the client can suppress. */
const NOREPLY = "[noreply]";
const DELTA_REPLIES = "<value>, NOT_FOUND";

// The most frequent commands first: the table is searched from the top.
// deno-fmt-ignore
const ROWS = [
  // name        verb            shape min usage                        replies
  ["get",       Verb.GET,       KEYS,  2, KEYS_USAGE,                  "VALUE…, END"],
  ["set",       Verb.SET,       VALUE, 1, STORE_USAGE,                 "STORED"],
  ["mg",        Verb.MG,        LINE,  2, META_USAGE,                  "HD, VA …, EN"],
  ["ms",        Verb.MS,        VALUE, 1, "<key> <bytes> <flag>*",     "HD, NS, EX, NF"],
  ["md",        Verb.MD,        LINE,  2, META_USAGE,                  "HD, NF, EX, NS"],
  ["ma",        Verb.MA,        LINE,  2, META_USAGE,                  "HD, VA …, NF, NS, EX"],
  ["me",        Verb.ME,        LINE,  2, "<key> [b]",                 "ME …, EN"],
  ["gets",      Verb.GETS,      KEYS,  2, KEYS_USAGE,                  "VALUE… <cas>, END"],
  ["gat",       Verb.GAT,       KEYS,  3, GAT_USAGE,                   "VALUE…, END"],
  ["gats",      Verb.GATS,      KEYS,  3, GAT_USAGE,                   "VALUE… <cas>, END"],
  ["add",       Verb.ADD,       VALUE, 1, STORE_USAGE,                 STORED_REPLIES],
  ["replace",   Verb.REPLACE,   VALUE, 1, STORE_USAGE,                 STORED_REPLIES],
  ["append",    Verb.APPEND,    VALUE, 1, STORE_USAGE,                 STORED_REPLIES],
  ["prepend",   Verb.PREPEND,   VALUE, 1, STORE_USAGE,                 STORED_REPLIES],
  ["cas",       Verb.CAS,       VALUE, 1, CAS_USAGE,                   "STORED, EXISTS, NOT_FOUND"],
  ["incr",      Verb.INCR,      LINE,  3, "<key> <delta> [noreply]",   DELTA_REPLIES],
  ["decr",      Verb.DECR,      LINE,  3, "<key> <delta> [noreply]",   DELTA_REPLIES],
  ["delete",    Verb.DELETE,    LINE,  2, "<key> [0] [noreply]",       "DELETED, NOT_FOUND"],
  ["touch",     Verb.TOUCH,     LINE,  3, "<key> <exptime> [noreply]", "TOUCHED, NOT_FOUND"],
  ["mn",        Verb.MN,        LINE,  1, "",                          "MN"],
  ["version",   Verb.VERSION,   LINE,  1, "",                          "VERSION <version>"],
  ["stats",     Verb.STATS,     LINE,  1, "[items, slabs, …]",         "STAT <name> <value>…, END"],
  ["flush_all", Verb.FLUSH_ALL, LINE,  1, "[delay] [noreply]",         "OK"],
  ["verbosity", Verb.VERBOSITY, LINE,  2, "<level> [noreply]",         "OK"],
  ["quit",      Verb.QUIT,      LINE,  1, "",                          "(closes)"],
  ["lru_crawler", Verb.LRU_CRAWLER, LINE, 1, "<crawl, …> … [noreply]", "OK, BUSY …, BADCLASS …"],
  ["lru",       Verb.LRU,       LINE,  1, "<tune, mode, temp_ttl> … [noreply]", "OK, ERROR …"],
  ["slabs",     Verb.SLABS,     LINE,  1, "<reassign, automove> … [noreply]", "OK, BUSY …, …"],
  ["cache_memlimit", Verb.CACHE_MEMLIMIT, LINE, 1, "<MB> [noreply]",   "OK, MEMLIMIT_…"],
  ["refresh_certs", Verb.REFRESH_CERTS, LINE, 1, "",                   "Error TLS not enabled"],
  ["extstore",  Verb.EXTSTORE,  LINE,  1, "<item_size, …> … [noreply]", "OK, ERROR"],
  ["watch",     Verb.WATCH,     LINE,  1, "[fetchers, …] [noreply]",  "OK, then lines"],
  ["shutdown",  Verb.SHUTDOWN,  LINE,  1, "[graceful]",                "(closes)"],
] as const;

/** Every text command, in the order in which the table is searched. */
export const COMMANDS: readonly Command[] = ROWS.map(
  ([text, verb, shape, tokensMin, usage, replies]) => ({
    name: ascii(text),
    text,
    verb,
    shape,
    tokensMin,
    knowsNoreply: usage.endsWith(NOREPLY),
    usage,
    replies,
  }),
);

/**
 * Finds the command named by `bytes[from, to)`; undefined when there is none.
 * @hot
 */
export function findCommand(bytes: Uint8Array, from: number, to: number): Command | undefined {
  for (let row = 0; row < COMMANDS.length; row++) {
    const command = COMMANDS[row]!;
    if (equalsWord(bytes, from, to, command.name)) return command;
  }
  return undefined;
}
