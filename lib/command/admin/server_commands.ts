// version, verbosity, quit, mn, shutdown, stats, refresh_certs.

import { ascii, equalsWord, latin1Bytes } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { parseUint } from "../../base/decimal.ts";
import { MEMCACHED_VERSION } from "../../base/version.ts";
import { LINE_BYTES_MAX, Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { setVerbosity } from "../../stats/globals.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import { addToClassSet } from "../../store/control/requests.ts";
import { BytesAnswer, startAnswer } from "../answer.ts";
import { CACHEDUMP, Dump } from "./dump.ts";
import type { Executor } from "../executor.ts";
import { itemsStats, sizesStats, slabsStats } from "./class_stats.ts";
import { connsStats, generalStats, settingsStats, statLines } from "./stats.ts";
import { Outcome, type Session } from "../session.ts";
import { U32_MAX, uintOf } from "./sub_command.ts";
import { resetCounters } from "../../store/whole_store.ts";

// The number alone: npm's memcached client takes the last digits of the line for the version.
const VERSION_LINE = Block.of(ascii(`VERSION ${MEMCACHED_VERSION}\r\n`));
/** Highest level. Source: memcached proto_text.c, MAX_VERBOSITY_LEVEL. */
const VERBOSITY_MAX = 2;
/** Highest level that a line may name. */
const LEVEL_MAX = 0xffffffff;
const GRACEFUL = ascii("graceful");
const CACHEDUMP_WORD = ascii("cachedump");
const DETAIL_WORD = ascii("detail");
/** Longest answer of `stats cachedump`. Source: memcached items.c, item_cachedump. */
const CACHEDUMP_BYTES_MAX = 2 * 1024 * 1024;

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

/** Answers `mn`: a client learns that its quiet commands before it are done. */
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
  return Outcome.QUIT;
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
  replies.write(Reply.OK);
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

/** Makes the reply to one sub-command of `stats`. */
export type StatsText = (executor: Executor) => string;

/** The sub-commands of `stats`. */
const STATS: readonly (readonly [name: Uint8Array, text: StatsText])[] = [
  [ascii("settings"), settingsStats],
  [ascii("items"), itemsStats],
  [ascii("slabs"), slabsStats],
  [ascii("sizes"), sizesStats],
  [ascii("conns"), connsStats],
  [ascii("reset"), resetStats],
  [ascii("extstore"), () => statLines([])], // A line for each page on flash: none.
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
  if (tokens.count > 1 && isWord(executor, block, CACHEDUMP_WORD)) {
    const refusal = startCachedump(executor, session, block, replies);
    if (refusal !== undefined) replies.write(refusal);
    return Outcome.DONE;
  }
  if (tokens.count > 1 && isWord(executor, block, DETAIL_WORD)) {
    const word = tokens.count > 2 ? executor.wordOf(block, 2) : "";
    const answer = runDetail(executor, word);
    if (answer instanceof Block) replies.write(answer);
    else startAnswer(session, new BytesAnswer(latin1Bytes(answer)), replies);
    return Outcome.DONE;
  }
  const text = tokens.count === 1
    ? generalStats
    : findStats(block.bytes, tokens.start[1]!, tokens.end[1]!);
  if (text === undefined) {
    replies.write(Reply.ERROR);
    return Outcome.DONE;
  }
  startAnswer(session, new BytesAnswer(ascii(text(executor))), replies);
  return Outcome.DONE;
}

/** Finds the sub-command `bytes[from, to)` of `stats`; an empty one is `stats` itself. */
export function findStats(bytes: Uint8Array, from: number, to: number): StatsText | undefined {
  if (from === to) return generalStats;
  return STATS.find(([name]) => equalsWord(bytes, from, to, name))?.[1];
}

/** Whether the second token is `word`. */
function isWord({ tokens }: Executor, { bytes }: Block, word: Uint8Array): boolean {
  return equalsWord(bytes, tokens.start[1]!, tokens.end[1]!, word);
}

/**
 * Runs `stats cachedump <class> <limit>`. memcached lists the items of COLD only, memden all of the
 * class. Source: memcached items.c, item_cachedump.
 *
 * @returns The line that refuses it; undefined when the dump has begun.
 */
function startCachedump(
  executor: Executor,
  session: Session,
  block: Block,
  replies: ReplyBuffer,
): Block | undefined {
  const { tokens, store, settings } = executor;
  if (!settings.dumpEnabled) return Reply.CACHEDUMP_NOT_ALLOWED;
  if (tokens.count < 4) return Reply.BAD_CACHEDUMP;
  const clsid = uintOf(executor.wordOf(block, 2), U32_MAX);
  const limit = uintOf(executor.wordOf(block, 3), U32_MAX);
  if (Number.isNaN(clsid + limit)) return Reply.BAD_FORMAT;
  if (clsid >= CLASSES_MAX) return Reply.BAD_SLAB_ID;
  const classes = { low: 0, high: 0 };
  addToClassSet(classes, clsid);
  const items = limit === 0 ? Infinity : limit;
  const dump = new Dump(store, CACHEDUMP, classes, { items, bytes: CACHEDUMP_BYTES_MAX });
  startAnswer(session, dump, replies);
  return undefined;
}

/**
 * Runs `stats detail <word>`. Source: memcached memcached.c, process_stats_detail.
 *
 * @returns The dump, or the reply line.
 */
export function runDetail(
  { store: { prefixes }, settings }: Executor,
  word: string,
): string | Block {
  if (!settings.dumpEnabled) return Reply.DETAIL_NOT_ALLOWED;
  if (word === "dump") return prefixes.dump();
  if (word !== "on" && word !== "off") return Reply.BAD_DETAIL;
  prefixes.turn(word === "on");
  return Reply.OK;
}

/** Runs `refresh_certs`. Source: memcached proto_text.c, process_refresh_certs_command. */
export function runRefreshCerts(
  { settings, server }: Executor,
  _session: Session,
  _verb: Verb,
  _block: Block,
  replies: ReplyBuffer,
): Outcome {
  if (!settings.tls) {
    replies.write(Reply.NO_TLS);
    return Outcome.DONE;
  }
  const reason = server.refreshCertificates();
  if (reason === undefined) replies.write(Reply.OK);
  else replies.writeText(`SERVER_ERROR ${reason}`.slice(0, LINE_BYTES_MAX - 2) + "\r\n");
  return Outcome.DONE;
}

/** Runs `stats reset`. Takes: settings, prefixes. */
function resetStats({ store }: Executor): string {
  resetCounters(store);
  return "RESET\r\n";
}
