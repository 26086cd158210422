// The login of the text protocol (`-Y`), which comes before all commands.
//
//   set <any key> <any flags> <any exptime> <bytes> CR LF
//   <user> <password> CR LF
//
// It has the form of a set, so that every client can send it; nothing is stored.
// Source: memcached proto_text.c, try_read_command_asciiauth.

import { ascii, CR, CRLF_BYTES, equalsWord, LF, SPACE } from "../../base/ascii.ts";
import type { Block } from "../../base/block.ts";
import { parseUint } from "../../base/decimal.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { skipSpaces } from "../../protocol/text/tokens.ts";
import { Counter } from "../../stats/names.ts";
import type { Executor } from "../executor.ts";

const SET = ascii("set");
/** Places of the tokens in the line. */
const Token = { NAME: 0, BYTES: 4 } as const;
const TOKENS_MIN = 5;
const BYTES_MAX = 2 ** 32 - 1;

/** {@linkcode readLoginLine} returns it for a line that no token follows. */
export const NO_TOKEN = 0;

/**
 * Reads the line `block[from, to)`, without its end, of a client that has not logged in. A login's
 * first line gets no reply, any other an error. Tokens behind the length, such as noreply, have no
 * effect.
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
 * Answers the token `block[from, to)`, with its CRLF: a name, spaces, and a password, which may
 * contain further spaces. Takes: settings.
 *
 * @returns Whether the client has logged in.
 */
export function checkToken(
  { counters, logins }: Executor,
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
  const isValid = logins.matches(bytes, userFrom, userTo, passFrom, end);
  if (!isValid) counters.add(Counter.AUTH_ERRORS, 1);
  replies.write(isValid ? Reply.STORED : Reply.AUTHENTICATION_FAILURE);
  return isValid;
}
