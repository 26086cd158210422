// Recognises lines that a server sends. The sender of a datagram can be forged: two servers that
// answer each other's replies with errors, or one that answers its own, would never stop.

import { latin1 } from "../../base/ascii.ts";
import { Reply } from "../reply.ts";

/** First words of the replies that are no fixed lines. */
const OTHER_WORDS = ["VALUE", "STAT", "VERSION", "ITEM", "PREFIX", "VA", "NS", "NF", "EX", "ME"];

const decoder = new TextDecoder();
const WORDS: ReadonlySet<string> = new Set([
  ...Object.values(Reply).map(({ bytes }) => decoder.decode(bytes).split(/[ :\r]/, 1)[0]!),
  ...OTHER_WORDS,
].filter((word) => word !== ""));
const WORD_BYTES_MAX = Math.max(...[...WORDS].map(({ length }) => length));

/** A number, as incr answers, and a line of `lru_crawler metadump`. */
const OTHER_START = /^(?:\d+$|key=)/;
const WORD_END = /[ :\r\n]/;

/** Upper case and digits end here; commands begin behind it, as one kind of reply does. */
const UPPER_Z = 0x5a;
const LOWER_K = 0x6b;

/** Whether the line `bytes[from, to)` is one that a server answers with. */
export function isReplyLine(bytes: Uint8Array, from: number, to: number): boolean {
  const first = bytes[from]!;
  if (from === to || (first > UPPER_Z && first !== LOWER_K)) return false;
  const start = latin1(bytes, from, Math.min(to, from + WORD_BYTES_MAX + 1));
  const end = start.search(WORD_END);
  const word = end < 0 ? start : start.slice(0, end);
  return WORDS.has(word) || OTHER_START.test(word);
}
