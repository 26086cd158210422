// The message of SASL PLAIN, by which a binary client logs in:
//
//   [authorization identity] NUL name NUL password
//
// Source: RFC 4616, section 2.

import { equalsWord } from "../base/ascii.ts";
import type { Logins } from "./logins.ts";

const NUL = 0;

/**
 * Whether the message `bytes[from, to)` has the name and password of one of `logins`. A client that
 * names an authorization identity must name itself: it cannot act as another user.
 *
 * Takes: settings.
 */
export function matchesPlain(logins: Logins, bytes: Uint8Array, from: number, to: number): boolean {
  const userFrom = indexAfterNul(bytes, from, to);
  const passFrom = indexAfterNul(bytes, userFrom, to);
  if (passFrom === to) return false; // No password, or an empty one.
  const userTo = passFrom - 1;
  const identityTo = userFrom - 1;
  const isAnother = identityTo > from &&
    !equalsWord(bytes, userFrom, userTo, bytes.subarray(from, identityTo));
  return logins.matches(bytes, userFrom, userTo, passFrom, to) && !isAnother;
}

/** Position behind the first NUL in `bytes[from, to)`; `to` when there is none. */
function indexAfterNul(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== NUL) at++;
  return Math.min(at + 1, to);
}
