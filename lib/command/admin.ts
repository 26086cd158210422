// version, verbosity, quit, mn, shutdown, stats.

import { ascii, equalsWord } from "../base/ascii.ts";
import type { Block } from "../base/block.ts";
import { parseUint } from "../base/decimal.ts";
import { VERSION } from "../base/version.ts";
import { LINE_BYTES_MAX, Reply, type ReplyBuffer } from "../protocol/reply.ts";
import type { Verb } from "../protocol/text/commands.ts";
import { setVerbosity } from "../stats/globals.ts";
import type { Executor } from "./executor.ts";
import { generalStats, settingsStats } from "./stats.ts";
import { Outcome, type Session } from "./session.ts";

const VERSION_LINE = `VERSION ${VERSION}\r\n`;
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
  replies.writeText(VERSION_LINE);
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
  if (Number.isNaN(level)) {
    replies.write(Reply.BAD_FORMAT);
    return Outcome.DONE;
  }
  setVerbosity(store.control, Math.min(level, VERBOSITY_MAX));
  if (!executor.endsInNoreply(block.bytes)) replies.write(Reply.OK);
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

/** What each sub-command of `stats` writes. */
const STATS: readonly (readonly [name: Uint8Array, text: (executor: Executor) => string])[] = [
  [ascii("settings"), settingsStats],
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
  // All or nothing: a long answer waits until what is before it has been sent.
  const answer = text(executor);
  if (replies.room < answer.length + LINE_BYTES_MAX && !replies.isEmpty) {
    session.resumeAt = tokens.start[0]!;
    return Outcome.FLUSH;
  }
  replies.writeText(answer);
  return Outcome.DONE;
}

function resetStats({ store }: Executor): string {
  store.resetCounters();
  return "RESET\r\n";
}
