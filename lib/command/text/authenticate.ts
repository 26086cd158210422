// The login of the text protocol (`-Y`): what a client says before it may give commands.
//
//   set <any key> <any flags> <any exptime> <bytes> CR LF
//   <user> <password> CR LF
//
// It looks like a set, so that every client can say it; nothing is stored.
// Source: memcached proto_text.c, try_read_command_asciiauth.

import { ascii, CR, CRLF_BYTES, equalsWord, LF, SPACE } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { parseUint } from "../../base/decimal.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { Counter } from "../../stats/names.ts";
import type { Executor } from "../executor.ts";

const SET = ascii("set");
/** Places of the tokens in the line. */
const Token = { NAME: 0, BYTES: 4 } as const;
const TOKENS_MIN = 5;
const BYTES_MAX = 2 ** 32 - 1;

/** What {@linkcode readLoginLine} returns for a line after which no token comes. */
export const NO_TOKEN = 0;

/**
 * Reads the line `block[from, to)`, its end left out, of a client that has not logged in; answers
 * it unless it is the first one of a login. What stands behind the length, such as noreply, is
 * ignored.
 *
 * @returns Bytes of the token that follows, its CRLF included, or {@linkcode NO_TOKEN}.
 */
export function readLoginLine(
  { tokens }: Executor,
  { bytes }: Block,
  from: number,
  to: number,
  replies: ReplyBuffer,
): number {
  tokens.scan(bytes, from, to);
  if (
    tokens.count >= TOKENS_MIN &&
    equalsWord(bytes, tokens.start[Token.NAME]!, tokens.end[Token.NAME]!, SET)
  ) {
    const [start, end] = [tokens.start[Token.BYTES]!, tokens.end[Token.BYTES]!];
    const nbytes = parseUint(bytes, start, end, BYTES_MAX);
    if (!Number.isNaN(nbytes)) return nbytes + CRLF_BYTES;
  }
  replies.write(Reply.UNAUTHENTICATED);
  return NO_TOKEN;
}

/**
 * Answers the token `block[from, to)`, its CRLF included: a name, spaces, and a password, which may
 * hold further spaces.
 *
 * @returns Whether the client has logged in.
 */
export function checkToken(
  { counters, store }: Executor,
  { bytes }: Block,
  from: number,
  to: number,
  replies: ReplyBuffer,
): boolean {
  const end = to - CRLF_BYTES;
  if (bytes[end] !== CR || bytes[end + 1] !== LF) {
    replies.write(Reply.BAD_TOKEN_TERMINATION);
    return false;
  }
  const userFrom = skipSpaces(bytes, from, end);
  let userTo = userFrom;
  while (userTo < end && bytes[userTo] !== SPACE) userTo++;
  const passFrom = skipSpaces(bytes, userTo, end);
  if (passFrom === end) {
    replies.write(Reply.BAD_TOKEN_FORMAT);
    return false;
  }
  counters.add(Counter.AUTH_CMDS, 1);
  const mayIn = store.logins.matches(bytes, userFrom, userTo, passFrom, end);
  if (!mayIn) counters.add(Counter.AUTH_ERRORS, 1);
  replies.write(mayIn ? Reply.STORED : Reply.AUTHENTICATION_FAILURE);
  return mayIn;
}

/** Position of the first byte in `bytes[from, to)` that is no space; `to` when all are. */
function skipSpaces(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] === SPACE) at++;
  return at;
}
