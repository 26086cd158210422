// Where memden answers otherwise than Debian's memcached 1.6.18 on purpose, each with its reason.
// A difference that no row explains is a failure.

import type { Answer } from "./player.ts";

/** Both answers to one request. */
export interface Pair {
  /** The request, with placeholders for keys; see request.ts. */
  readonly request: string;
  readonly memcached: Answer;
  readonly memden: Answer;
}

/** One intended difference. */
export interface KnownDifference {
  readonly name: string;
  readonly reason: string;
  readonly explains: (pair: Pair) => boolean;
}

const BAD_FORMAT = "CLIENT_ERROR bad command line format\r\n";
const ERROR = "ERROR\r\n";
const NON_NUMERIC = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";
/** A storage command after another one: its value has another length than it says. */
const BAD_CHUNK = /^set .*\r\na\r\n[a-z]+ \S+ 0 0 3( noreply)?\r\n/;
/** Words that a line must have at least. */
const WORDS_MIN: ReadonlyMap<string, number> = new Map([
  ...["get", "gets", "delete", "verbosity"].map((command) => [command, 2] as const),
  ...["gat", "gats", "incr", "decr", "touch"].map((command) => [command, 3] as const),
  ...["set", "add", "replace", "append", "prepend"].map((command) => [command, 5] as const),
  ["cas", 6],
]);
const STORAGE_COMMANDS = new Set(["set", "add", "replace", "append", "prepend", "cas"]);

/**
 * Whether memcached took a number of 2^63 or more for none: it looks for a minus sign then,
 * past the end of the value, too, where a longer one may have left it. What follows differs.
 *
 * Source: memcached util.c, safe_strtoull.
 */
export function looksPastNumber({ request, memcached, memden }: Pair): boolean {
  return /(^|\n)(incr|decr) /.test(request) && memcached.text.includes(NON_NUMERIC) &&
    memden.text.replace(/(?<=^|\n)\d+\r\n/g, NON_NUMERIC) ===
      memcached.text.replace(/(?<=^|\n)\d+\r\n/g, NON_NUMERIC);
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    name: "short or incomplete line",
    reason: "1.6.45 says bad command line format where 1.6.18 says ERROR",
    explains: ({ request, memcached, memden }) =>
      bothOpen(memcached, memden) &&
      (BAD_CHUNK.test(request) || endsIncomplete(request)) &&
      memden.text.replaceAll(BAD_FORMAT, ERROR) === memcached.text.replaceAll(BAD_FORMAT, ERROR),
  },
  {
    name: "gat without a key",
    reason: "1.6.45 wants a key; 1.6.18 answers as if there were none to find",
    explains: ({ request, memcached, memden }) =>
      /(^|\r\n)gats? +\S+ *\r\n$/.test(request) &&
      memcached.text.replace(/(END|CLIENT_ERROR invalid exptime argument)\r\n$/, BAD_FORMAT) ===
        memden.text,
  },
  {
    name: "value of a refused storage command",
    reason: "swallowed since 1.6.45; 1.6.18 takes it for commands",
    explains: ({ request, memcached, memden }) =>
      isStorage(request) && memden.text === (isSilent(request) ? "" : BAD_FORMAT) &&
      memden.ended === "open" &&
      /^(CLIENT_ERROR bad command line format\r\n)?ERROR\r\n$/.test(memcached.text),
  },
  {
    name: "line that lacks words, with noreply",
    reason: "not answered since 1.6.45; 1.6.18 does not see the noreply of it",
    explains: ({ request, memcached, memden }) =>
      bothOpen(memcached, memden) && isSilent(request) && memden.text === "" &&
      (memcached.text === ERROR ||
        (/^delete +noreply *\r\n$/.test(request) &&
          /^(DELETED|NOT_FOUND)\r\n$/.test(memcached.text))),
  },
  {
    name: "length that says nothing",
    reason: "memden closes, as it cannot know where the next command begins; 1.6.18 may say ERROR",
    explains: ({ request, memcached, memden }) =>
      isStorage(request) && memden.ended === "closed" && BAD_FORMAT.startsWith(memden.text) &&
      memcached.ended === "open" && /^($|ERROR\r\n|CLIENT_ERROR bad c)/.test(memcached.text),
  },
  {
    name: "flags of more than 32 bits",
    reason: "memden refuses them; memcached wraps (docs/protocol.md)",
    explains: ({ request, memcached, memden }) =>
      isStorage(request) && Math.abs(Number(tokens(request)[2])) > 0xffffffff &&
      memden.text === BAD_FORMAT && /^(STORED|NOT_STORED)?/.test(memcached.text),
  },
  {
    name: "expiry of more than 32 bits",
    reason: "memden takes 64 bits; memcached cuts it to 32 (docs/protocol.md)",
    explains: ({ request, memcached, memden }) =>
      bothOpen(memcached, memden) &&
      exptimes(request).some((exptime) => Math.abs(exptime) >= 2 ** 31),
  },
  {
    name: "negative number below -2^63",
    reason: "no unsigned number; 1.6.18's strtoull wraps it into one",
    explains: ({ request, memcached, memden }) =>
      bothOpen(memcached, memden) && / -\d{19,}\r\n/.test(request) &&
      /CLIENT_ERROR [^\r]+\r\n$/.test(memden.text),
  },
  {
    name: "further tokens",
    reason: "ignored since 1.6.45; 1.6.18 says ERROR to more than one",
    explains: ({ request, memcached, memden }) =>
      bothOpen(memcached, memden) && / j j| j noreply|^verbosity \S+ \S+ \S+/.test(request) &&
      memcached.text.includes(ERROR),
  },
  {
    name: "space before the command",
    reason: "1.6.45 says ERROR; 1.6.18 skips the space",
    explains: ({ request, memden }) => request.startsWith(" ") && memden.text === ERROR,
  },
  {
    name: "NUL",
    reason: "a byte like any other since 1.6.45; the end of the line in 1.6.18",
    explains: ({ request }) => request.includes("\0"),
  },
];

/** The difference that explains why the answers differ; undefined when none does. */
export function knownDifference(pair: Pair): KnownDifference | undefined {
  return KNOWN_DIFFERENCES.find(({ explains }) => explains(pair));
}

function bothOpen(a: Answer, b: Answer): boolean {
  return a.ended === "open" && b.ended === "open";
}

/** The words of the first line. */
function tokens(request: string): string[] {
  return request.slice(0, request.indexOf("\n")).trim().split(/ +/);
}

function isStorage(request: string): boolean {
  return STORAGE_COMMANDS.has(tokens(request)[0] ?? "");
}

/** Whether the first line ends in noreply. */
function isSilent(request: string): boolean {
  return tokens(request).length > 1 && tokens(request).at(-1) === "noreply";
}

/** The numbers in the places of expiries. */
function exptimes(request: string): number[] {
  const places =
    /(?:^|\n)(?:touch +\S+ +|gats? +|(?:set|add|replace|append|prepend|cas) +\S+ +\S+ +)(-?\d+)/g;
  return [...request.matchAll(places)].map((match) => Number(match[1]));
}

/** Whether the last line is shorter than 4 bytes or lacks words. */
function endsIncomplete(request: string): boolean {
  const line = request.split(/(?<=\n)/).at(-1) ?? "";
  const words = tokens(line);
  return line.length < 4 || words.length < (WORDS_MIN.get(words[0] ?? "") ?? 0);
}
