// STAT of the binary protocol: each line of `stats` is a packet, and one without a key ends them.

import { ascii, latin1, latin1Bytes } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { type BinaryRequest, HEADER_BYTES } from "../../protocol/binary/binary_request.ts";
import { NO_CAS, Status, writeHeader, writeStatus } from "../../protocol/binary/response.ts";
import { Reply, ReplyBuffer } from "../../protocol/reply.ts";
import { findStats, runDetail } from "./server_commands.ts";
import { BytesAnswer, startAnswer } from "../answer.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";

/** One line of `stats`. */
const LINE = /^STAT (\S+) (.*)$/gm;
/** The first word of the group `stats detail`. */
const DETAIL = "detail ";

type Row = readonly [name: Uint8Array, value: Uint8Array];

/** Runs STAT: the key is the group. Source: memcached proto_bin.c, process_bin_stat. */
export function runStat(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const group = latin1(block.bytes, request.keyFrom, request.keyTo);
  if (group.startsWith(DETAIL)) return runBinaryDetail(executor, session, request, group, replies);
  const text = findStats(block.bytes, request.keyFrom, request.keyTo);
  if (text === undefined) {
    writeStatus(replies, request, Status.NOT_FOUND);
    return Outcome.DONE;
  }
  startAnswer(session, new BytesAnswer(packetsOf(rowsOf(text(executor)), request)), replies);
  return Outcome.DONE;
}

/** Runs STAT for `detail on`, `off` or `dump`: a dump is one packet, with its END. */
function runBinaryDetail(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  group: string,
  replies: ReplyBuffer,
): Outcome {
  const answer = runDetail(executor, group.slice(DETAIL.length));
  if (answer === Reply.DETAIL_NOT_ALLOWED || answer === Reply.BAD_DETAIL) {
    writeStatus(replies, request, Status.NOT_FOUND);
  } else {
    const rows: Row[] = answer instanceof Block ? [] : [[ascii("detailed"), latin1Bytes(answer)]];
    startAnswer(session, new BytesAnswer(packetsOf(rows, request)), replies);
  }
  return Outcome.DONE;
}

/** The rows of `text`, an answer of `stats`. */
function rowsOf(text: string): Row[] {
  return Array.from(
    text.matchAll(LINE),
    ([, name = "", value = ""]): Row => [ascii(name), ascii(value)],
  );
}

/** The packets of `rows`. */
function packetsOf(rows: readonly Row[], request: BinaryRequest): Uint8Array {
  const bytes = rows.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  const packets = new ReplyBuffer(Block.ofLength(bytes + (rows.length + 1) * HEADER_BYTES));
  for (const [name, value] of rows) {
    writeHeader(packets, request, 0, 0, name.length, name.length + value.length, NO_CAS);
    packets.writeBytes(name, name.length);
    packets.writeBytes(value, value.length);
  }
  writeHeader(packets, request, 0, 0, 0, 0, NO_CAS);
  return packets.block.bytes;
}
