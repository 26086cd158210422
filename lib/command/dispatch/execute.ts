// From a command line to the function that runs it: one table.

import { ascii, SPACE } from "../../base/ascii.ts";
import { assert } from "../../base/assert.ts";
import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import { type Command, CommandShape, findCommand, Verb } from "../../protocol/text/commands.ts";
import { isReplyLine } from "../../protocol/text/reply_line.ts";
import { endsInNoreply } from "../../protocol/text/tokens.ts";
import {
  runMn,
  runQuit,
  runRefreshCerts,
  runShutdown,
  runStats,
  runVerbosity,
  runVersion,
} from "../admin/server_commands.ts";
import { runArithmetic } from "../text/arithmetic.ts";
import type { Executor } from "../executor.ts";
import { runExtstore } from "../admin/extstore.ts";
import { runLru, runLruCrawler } from "../admin/lru.ts";
import { runMetaArithmetic } from "../meta/meta_arithmetic.ts";
import { runMetaDebug } from "../meta/meta_debug.ts";
import { runMetaDelete } from "../meta/meta_delete.ts";
import { runMetaGet } from "../meta/meta_get.ts";
import { runMetaSet } from "../meta/meta_set.ts";
import { runDelete, runFlushAll, runTouch } from "../text/removal.ts";
import { runRetrieval } from "../text/retrieval.ts";
import { Outcome, type Session } from "../session.ts";
import { runCacheMemlimit, runSlabs } from "../admin/slabs.ts";
import { runStorage } from "../text/storage.ts";
import { runWatch } from "../admin/watch.ts";

/** Runs a command from the executor's tokens. */
type Run = (
  executor: Executor,
  session: Session,
  verb: Verb,
  block: Block,
  replies: ReplyBuffer,
) => Outcome;

/** Verbs whose arguments are tokens; those of the others are keys alone. */
type TokenVerb = Exclude<
  Verb,
  typeof Verb.NONE | typeof Verb.GET | typeof Verb.GETS | typeof Verb.GAT | typeof Verb.GATS
>;

/** The function that runs each verb. Adding a verb without a row here does not compile. */
const RUN: Readonly<Record<TokenVerb, Run>> = {
  [Verb.SET]: runStorage,
  [Verb.ADD]: runStorage,
  [Verb.REPLACE]: runStorage,
  [Verb.APPEND]: runStorage,
  [Verb.PREPEND]: runStorage,
  [Verb.CAS]: runStorage,
  [Verb.INCR]: runArithmetic,
  [Verb.DECR]: runArithmetic,
  [Verb.DELETE]: runDelete,
  [Verb.TOUCH]: runTouch,
  [Verb.FLUSH_ALL]: runFlushAll,
  [Verb.VERSION]: runVersion,
  [Verb.VERBOSITY]: runVerbosity,
  [Verb.QUIT]: runQuit,
  [Verb.MN]: runMn,
  [Verb.SHUTDOWN]: runShutdown,
  [Verb.STATS]: runStats,
  [Verb.LRU]: runLru,
  [Verb.LRU_CRAWLER]: runLruCrawler,
  [Verb.SLABS]: runSlabs,
  [Verb.CACHE_MEMLIMIT]: runCacheMemlimit,
  [Verb.REFRESH_CERTS]: runRefreshCerts,
  [Verb.MG]: runMetaGet,
  [Verb.MS]: runMetaSet,
  [Verb.MD]: runMetaDelete,
  [Verb.MA]: runMetaArithmetic,
  [Verb.ME]: runMetaDebug,
  [Verb.WATCH]: runWatch,
  [Verb.EXTSTORE]: runExtstore,
};

/** A line with fewer bytes, its end included, is malformed rather than unknown. */
const LINE_BYTES_MIN = 4;
const HTTP = ascii("HTTP/");

/**
 * Runs the command line `block[from, to)`, without its CRLF. A line that ends in `noreply` gets no
 * reply, unless the connection closes.
 *
 * @param lineBytes Length of the line with its end, in bytes.
 * @hot
 */
export function execute(
  executor: Executor,
  session: Session,
  block: Block,
  from: number,
  to: number,
  lineBytes: number,
  replies: ReplyBuffer,
): Outcome {
  const { bytes } = block;
  const nameTo = nameEnd(bytes, from, to);
  const command = findCommand(bytes, from, nameTo);
  if (command === undefined) {
    if (session.isDatagram && isReplyLine(bytes, from, to)) return Outcome.DONE;
    return refuseUnknown(executor, block, from, to, lineBytes, replies);
  }
  session.verb = command.verb;
  executor.turn.enter(command.verb);
  if (command.shape === CommandShape.KEYS) {
    return runRetrieval(executor, session, command, block, nameTo, to, true, replies);
  }
  const { tokens } = executor;
  tokens.scan(bytes, from, to);
  session.noreply = command.knowsNoreply && endsInNoreply(bytes, nameTo, to);
  const before = replies.used;
  let outcome: Outcome = Outcome.DONE;
  if (tokens.count < command.tokensMin) replies.write(Reply.BAD_FORMAT);
  else outcome = RUN[command.verb as TokenVerb](executor, session, command.verb, block, replies);
  assert(replies.used >= before, "Command removed an earlier reply");
  assert((outcome === Outcome.VALUE) === session.isReceiving, "Command and session disagree");
  // Errors too: the client would take the line for the reply to its next command.
  const isLast = outcome === Outcome.CLOSE || outcome === Outcome.QUIT;
  if (session.noreply && !isLast) replies.used = before;
  return outcome;
}

/**
 * The retrieval command that `block[from, to)` starts with, if any: no other line may be longer
 * than a buffer.
 */
export function longCommand(block: Block, from: number, to: number): Command | undefined {
  const command = findCommand(block.bytes, from, nameEnd(block.bytes, from, to));
  return command?.shape === CommandShape.KEYS ? command : undefined;
}

/** Position behind the command's name, which starts at `from`: a leading space makes it empty. */
function nameEnd(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] !== SPACE) at++;
  return at;
}

/**
 * Answers a line that is no command. The first line of an HTTP request closes the connection: a
 * page has made a browser send it. Source: memcached proto_text.c, process_command_ascii.
 */
function refuseUnknown(
  executor: Executor,
  block: Block,
  from: number,
  to: number,
  lineBytes: number,
  replies: ReplyBuffer,
): Outcome {
  const { tokens } = executor;
  tokens.scan(block.bytes, from, to);
  if (tokens.count > 1 && startsWith(block.bytes, tokens.start[tokens.count - 1]!, HTTP)) {
    return Outcome.CLOSE;
  }
  replies.write(lineBytes < LINE_BYTES_MIN ? Reply.BAD_FORMAT : Reply.ERROR);
  return Outcome.DONE;
}

function startsWith(bytes: Uint8Array, from: number, prefix: Uint8Array): boolean {
  return prefix.every((byte, index) => bytes[from + index] === byte);
}
