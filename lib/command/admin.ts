// version, verbosity, quit, mn, shutdown, stats.

import { ascii, equalsWord } from "../base/ascii.ts";
import { Block } from "../base/block.ts";
import { parseUint } from "../base/decimal.ts";
import { MEMCACHED_VERSION } from "../base/version.ts";
import { Reply, type ReplyBuffer } from "../protocol/reply.ts";
import type { Verb } from "../protocol/text/commands.ts";
import { setVerbosity } from "../stats/globals.ts";
import type { Executor } from "./executor.ts";
import { itemsStats, sizesStats, slabsStats } from "./class_stats.ts";
import { generalStats, settingsStats } from "./stats.ts";
import { Outcome, type Session } from "./session.ts";

// Nothing but the number: npm's memcached client reads whatever digits stand last in the line.
const VERSION_LINE = Block.of(ascii(`VERSION ${MEMCACHED_VERSION}\r\n`));
/** Highest level. Source: memcached proto_text.c, MAX_VERBOSITY_LEVEL. */
const VERBOSITY_MAX = 2;
const LEVEL_MAX = 0xffffffff;
const GRACEFUL = ascii("graceful");

/** Answers `version`. */
export function runVersion(
  _executor: Executor,
  _session: Session,
  _verb: Verb,
  _block: Block,
  replies: ReplyBuffer,
): Outcome {
  replies.write(VERSION_LINE);
  return Outcome.DONE;
}

/** Answers `mn`: a client that asked quietly learns that everything before is done. */
export function runMn(
  _executor: Executor,
  _session: Session,
  _verb: Verb,
  _block: Block,
  replies: ReplyBuffer,
): Outcome {
  replies.write(Reply.MN);
  return Outcome.DONE;
}

/** Runs `quit`. */
export function runQuit(): Outcome {
  return Outcome.CLOSE;
}

/** Runs `verbosity <level> [noreply]`. */
export function runVerbosity(
  executor: Executor,
  _session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store } = executor;
  const level = parseUint(block.bytes, tokens.start[1]!, tokens.end[1]!, LEVEL_MAX);
  const noreply = executor.endsInNoreply(block.bytes);
  if (Number.isNaN(level)) {
    // memccapable asks for silence after `verbosity noreply`, where the level is what is missing.
    if (!noreply || tokens.count > 2) replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  setVerbosity(store.control, Math.min(level, VERBOSITY_MAX));
  if (!noreply) replies.write(Reply.OK);
  return Outcome.DONE;
}

/** Runs `shutdown [graceful]`. Source: memcached proto_text.c, process_shutdown_command. */
export function runShutdown(
  executor: Executor,
  _session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, settings, server } = executor;
  if (!settings.shutdownCommand) {
    replies.write(Reply.SHUTDOWN_DISABLED);
    return Outcome.DONE;
  }
  const graceful = tokens.count > 1;
  if (graceful && !equalsWord(block.bytes, tokens.start[1]!, tokens.end[1]!, GRACEFUL)) {
    replies.write(Reply.BAD_SHUTDOWN);
    return Outcome.DONE;
  }
  server.shutdown(graceful);
  return Outcome.CLOSE;
}

/** Moves as much of a long answer into the replies as fits. */
export function continueAnswer(session: Session, replies: ReplyBuffer): void {
  const { answer } = session;
  if (answer === undefined) return;
  const count = Math.min(answer.length, replies.room);
  replies.writeBytes(answer, count);
  session.answer = count < answer.length ? answer.slice(count) : undefined;
}

/** What each sub-command of `stats` writes. */
const STATS: readonly (readonly [name: Uint8Array, text: (executor: Executor) => string])[] = [
  [ascii("settings"), settingsStats],
  [ascii("items"), itemsStats],
  [ascii("slabs"), slabsStats],
  [ascii("sizes"), sizesStats],
  [ascii("reset"), resetStats],
];

/** Runs `stats [sub-command]`. */
export function runStats(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens } = executor;
  const text = tokens.count === 1
    ? generalStats
    : STATS.find(([name]) => equalsWord(block.bytes, tokens.start[1]!, tokens.end[1]!, name))?.[1];
  if (text === undefined) {
    replies.write(Reply.ERROR);
    return Outcome.DONE;
  }
  session.answer = ascii(text(executor));
  continueAnswer(session, replies);
  return Outcome.DONE;
}

function resetStats({ store }: Executor): string {
  store.resetCounters();
  return "RESET\r\n";
}
