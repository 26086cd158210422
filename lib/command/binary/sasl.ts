// The login of the binary protocol (`-S`): SASL, of which the mechanism PLAIN is spoken.
//
//   SASL_AUTH  key: mechanism, value: [who to act as] NUL name NUL password
//   SASL_STEP  the same value, from a client that was asked for it, having sent none
//
// Source: memcached proto_bin.c, process_bin_sasl_auth, process_bin_complete_sasl_auth; RFC 4616.

import { ascii, equalsWord } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { Action } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import { Status, writeBody, writeStatus } from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { Counter } from "../../stats/names.ts";
import type { Executor } from "../executor.ts";
import { Outcome, SaslState, type Session } from "../session.ts";

const PLAIN = Block.of(ascii("PLAIN"));
const AUTHENTICATED = Block.of(ascii("Authenticated"));
/** Longest name of a mechanism, in bytes. Source: memcached memcached.h, MAX_SASL_MECH_LEN. */
const MECHANISM_BYTES_MAX = 32;
/** Longest message that is looked at, in bytes: it waits in the read buffer until it is whole. */
const MESSAGE_BYTES_MAX = 8192;
const NUL = 0;

/** Runs SASL_LIST: the mechanisms. */
export function runSaslList(
  { settings }: Executor,
  request: BinaryRequest,
  replies: ReplyBuffer,
): Outcome {
  if (settings.sasl) writeBody(replies, request, PLAIN);
  else writeStatus(replies, request, Status.UNKNOWN_COMMAND);
  return Outcome.DONE;
}

/** Bytes of the value that {@linkcode runSaslAuth} has to have; 0 if it discards it. */
export function messageBytes({ settings }: Executor, { nkey, valueBytes }: BinaryRequest): number {
  const isRead = settings.sasl && nkey <= MECHANISM_BYTES_MAX && valueBytes <= MESSAGE_BYTES_MAX;
  return isRead ? valueBytes : 0;
}

/**
 * Runs SASL_AUTH or SASL_STEP; `session.sasl` is then whether the client has logged in. Of the
 * value, {@linkcode messageBytes} are in `block`.
 */
export function runSaslAuth(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { counters, settings } = executor;
  session.valueLeft = request.valueBytes;
  if (!settings.sasl) writeStatus(replies, request, Status.UNKNOWN_COMMAND);
  else if (request.nkey > MECHANISM_BYTES_MAX) writeStatus(replies, request, Status.INVALID);
  else if (request.valueBytes > MESSAGE_BYTES_MAX) {
    writeStatus(replies, request, Status.NO_MEMORY);
  } else {
    session.valueLeft = 0;
    session.sasl = judge(executor, session, request, block);
    if (session.sasl === SaslState.STARTED) {
      writeStatus(replies, request, Status.AUTH_CONTINUE);
      return Outcome.DONE;
    }
    counters.add(Counter.AUTH_CMDS, 1);
    if (session.sasl === SaslState.DONE) writeBody(replies, request, AUTHENTICATED);
    else {
      counters.add(Counter.AUTH_ERRORS, 1);
      writeStatus(replies, request, Status.AUTH_FAILURE);
    }
    return Outcome.DONE;
  }
  return Outcome.SWALLOW;
}

/** How far the client has come by what it says. */
function judge(
  { store }: Executor,
  session: Session,
  request: BinaryRequest,
  { bytes }: Block,
): SaslState {
  const { keyFrom, keyTo, valueBytes, opcode } = request;
  const isStep = opcode.action === Action.SASL_STEP;
  if (isStep && session.sasl !== SaslState.STARTED) return SaslState.NONE;
  if (!equalsWord(bytes, keyFrom, keyTo, PLAIN.bytes)) return SaslState.NONE;
  if (!isStep && valueBytes === 0) return SaslState.STARTED;

  const to = keyTo + valueBytes;
  const userFrom = indexAfterNul(bytes, keyTo, to);
  const passFrom = indexAfterNul(bytes, userFrom, to);
  if (passFrom === to) return SaslState.NONE;
  const userTo = passFrom - 1;
  // To act as somebody else is not possible; to name oneself twice is.
  const actsAsOther = userFrom - 1 > keyTo &&
    !equalsWord(bytes, userFrom, userTo, bytes.subarray(keyTo, userFrom - 1));
  const mayIn = store.logins.matches(bytes, userFrom, userTo, passFrom, to);
  return mayIn && !actsAsOther ? SaslState.DONE : SaslState.NONE;
}

/** Position behind the first NUL in `bytes[from, to)`; `to` when there is none. */
function indexAfterNul(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== NUL) at++;
  return Math.min(at + 1, to);
}
