// From a binary packet to the function that runs it, and the commands of a line: noop, version,
// quit.

import { ascii } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { MEMCACHED_VERSION } from "../../base/version.ts";
import { Action } from "../../protocol/binary/opcodes.ts";
import type { BinaryRequest } from "../../protocol/binary/binary_request.ts";
import {
  NO_CAS,
  Status,
  writeBody,
  writeDone,
  writeStatus,
} from "../../protocol/binary/response.ts";
import type { ReplyBuffer } from "../../protocol/reply.ts";
import { runStat } from "../admin/binary_stats.ts";
import { runBinaryArithmetic } from "../binary/binary_arithmetic.ts";
import { runBinaryDelete, runBinaryFlush } from "../binary/binary_removal.ts";
import { runBinaryGet } from "../binary/binary_retrieval.ts";
import { runBinaryStorage } from "../binary/binary_storage.ts";
import { runSaslAuth, runSaslList } from "../binary/sasl.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";

const VERSION = Block.of(ascii(MEMCACHED_VERSION));

/**
 * Runs `request`, whose extras and key are in `block`; the value too if it is a login.
 * @hot
 */
export function runPacket(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  session.verb = request.opcode.verb;
  executor.turn.enter(session.verb);
  switch (request.opcode.action) {
    case Action.GET:
    case Action.TOUCH:
      return runBinaryGet(executor, session, request, block, replies);
    case Action.STORE:
      return runBinaryStorage(executor, session, request, block, replies);
    case Action.DELETE:
      return runBinaryDelete(executor, request, block, replies);
    case Action.ARITHMETIC:
      return runBinaryArithmetic(executor, session, request, block, replies);
    case Action.NOOP:
      writeDone(replies, request, NO_CAS);
      return Outcome.DONE;
    case Action.VERSION:
      writeBody(replies, request, VERSION);
      return Outcome.DONE;
    case Action.QUIT:
      writeDone(replies, request, NO_CAS);
      return Outcome.QUIT;
    case Action.FLUSH:
      return runBinaryFlush(executor, request, block, replies);
    case Action.STAT:
      return runStat(executor, session, request, block, replies);
    case Action.SASL_LIST:
      return runSaslList(executor, request, replies);
    case Action.SASL_AUTH:
    case Action.SASL_STEP:
      return runSaslAuth(executor, session, request, block, replies);
  }
}

/** Answers a packet with an unknown opcode; the connection discards its body. */
export function refuseUnknownPacket(
  session: Session,
  request: BinaryRequest,
  replies: ReplyBuffer,
): Outcome {
  writeStatus(replies, request, Status.UNKNOWN_COMMAND);
  session.valueLeft = request.bodyBytes;
  return Outcome.SWALLOW;
}
