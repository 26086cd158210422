// The login of the binary protocol (`-S`): SASL, with the mechanism PLAIN.
//
//   SASL_AUTH  key: mechanism, value: the message (auth/plain_message.ts) or nothing
//   SASL_STEP  the message, from a client whose SASL_AUTH had none
//
// Source: memcached proto_bin.c, process_bin_sasl_auth, process_bin_complete_sasl_auth.

import { matchesPlain } from "../../auth/plain_message.ts";
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
/** Longest message, in bytes: it waits in the read buffer until it is complete. */
const MESSAGE_BYTES_MAX = 8192;

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

/** Bytes of the value that {@linkcode runSaslAuth} needs; 0 when it discards the value. */
export function messageBytes({ settings }: Executor, { nkey, valueBytes }: BinaryRequest): number {
  const isRead = settings.sasl && nkey <= MECHANISM_BYTES_MAX && valueBytes <= MESSAGE_BYTES_MAX;
  return isRead ? valueBytes : 0;
}

/**
 * Runs SASL_AUTH or SASL_STEP, and sets `session.sasl`. The first {@linkcode messageBytes} of the
 * value are in `block`. Takes: settings.
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
    session.sasl = nextSaslState(executor, session, request, block);
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

/** The state of the login after `request`. */
function nextSaslState(
  { logins }: Executor,
  session: Session,
  request: BinaryRequest,
  { bytes }: Block,
): SaslState {
  const { keyFrom, keyTo, valueBytes, opcode } = request;
  const isStep = opcode.action === Action.SASL_STEP;
  if (isStep && session.sasl !== SaslState.STARTED) return SaslState.NONE;
  if (!equalsWord(bytes, keyFrom, keyTo, PLAIN.bytes)) return SaslState.NONE;
  if (!isStep && valueBytes === 0) return SaslState.STARTED;

  const matches = matchesPlain(logins, bytes, keyTo, keyTo + valueBytes);
  return matches ? SaslState.DONE : SaslState.NONE;
}
