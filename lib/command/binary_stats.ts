// STAT of the binary protocol: the lines of `stats`, each as a packet; one without a key ends them.

import { ascii } from "../base/ascii.ts";
import { Block } from "../base/block.ts";
import { type BinaryRequest, HEADER_BYTES } from "../protocol/binary/request.ts";
import { NO_CAS, Status, writeHeader, writeStatus } from "../protocol/binary/response.ts";
import { ReplyBuffer } from "../protocol/reply.ts";
import { findStats } from "./admin.ts";
import { BytesAnswer, startAnswer } from "./answer.ts";
import type { Executor } from "./executor.ts";
import { Outcome, type Session } from "./session.ts";

/** One line of `stats`. */
const LINE = /^STAT (\S+) (.*)$/gm;

/** Runs STAT: the key names the group. Source: memcached proto_bin.c, process_bin_stat. */
export function runStat(
  executor: Executor,
  session: Session,
  request: BinaryRequest,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const text = findStats(block.bytes, request.keyFrom, request.keyTo);
  if (text === undefined) {
    writeStatus(replies, request, Status.NOT_FOUND);
    return Outcome.DONE;
  }
  startAnswer(session, new BytesAnswer(packetsOf(text(executor), request)), replies);
  return Outcome.DONE;
}

/** The packets that say what `text`, an answer of `stats`, says. */
function packetsOf(text: string, request: BinaryRequest): Uint8Array {
  const rows = Array.from(
    text.matchAll(LINE),
    ([, name = "", value = ""]) => [ascii(name), ascii(value)] as const,
  );
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
