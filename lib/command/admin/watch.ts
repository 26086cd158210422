// `watch`: the connection takes no further commands, and gets a line for each event of the kinds
// that it has named.

import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { Counter } from "../../stats/names.ts";
import { Watched } from "../../log/event_log.ts";
import { LinesCursor } from "../../log/lines.ts";
import { wakeMaintainer } from "../../store/control/requests.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";

/** The kinds of events. memden logs no raw commands, and has no proxy. */
const KINDS: Readonly<Record<string, number>> = {
  fetchers: Watched.FETCHERS,
  mutations: Watched.MUTATIONS,
  evictions: Watched.EVICTIONS,
  connevents: Watched.CONNEVENTS,
  sysevents: Watched.SYSEVENTS,
  deletions: Watched.DELETIONS,
  rawcmds: Watched.NOTHING,
  proxyreqs: Watched.NOTHING,
  proxyevents: Watched.NOTHING,
  proxyuser: Watched.NOTHING,
};

/** Runs `watch <kind>*`. Source: memcached proto_text.c, process_watch_command. */
export function runWatch(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { store, settings, tokens } = executor;
  if (!settings.watchEnabled) {
    replies.write(Reply.WATCH_NOT_ALLOWED);
    return Outcome.DONE;
  }
  const count = session.noreply ? tokens.count - 1 : tokens.count;
  let kinds = count === 1 ? Watched.FETCHERS : 0;
  for (let index = 1; index < count; index++) {
    const word = executor.wordOf(block, index);
    if (!Object.hasOwn(KINDS, word)) {
      replies.write(Reply.ERROR);
      return Outcome.DONE;
    }
    kinds |= KINDS[word]!;
  }
  const cursor = new LinesCursor(kinds);
  if (session.isDatagram) replies.write(Reply.WATCHER_FAILED);
  else if (!store.lines.join(cursor)) replies.write(Reply.WATCHER_TOO_MANY);
  else {
    session.watches = cursor;
    wakeMaintainer(store.control);
    replies.write(Reply.OK);
    return Outcome.WATCH;
  }
  return Outcome.DONE;
}

/** Whether there are lines that a watcher has not received. */
export function hasLines({ store }: Executor, session: Session): boolean {
  return session.watches !== undefined && store.lines.hasNews(session.watches);
}

/**
 * Writes the lines that a watcher has not received into its replies, which are empty: as many as
 * fit. The number of lines that the watcher has missed comes first. Takes: log.
 */
export function writeLines(
  { store: { lines }, counters }: Executor,
  session: Session,
  replies: ReplyBuffer,
): void {
  const { watches } = session;
  if (watches === undefined) return;
  const { bytes } = replies.block;
  // The watcher may have missed lines since the last call; this read may find further ones missing.
  let read = watches.skipped === 0 ? lines.read(watches, bytes, 0, bytes.length) : undefined;
  if (watches.skipped > 0) {
    replies.writeText(`skipped=${watches.skipped}\n`);
    counters.add(Counter.LOG_WATCHER_SKIPPED, watches.skipped);
    watches.skipped = 0;
    read = lines.read(watches, bytes, replies.used, bytes.length);
  }
  replies.used = read?.to ?? replies.used;
  counters.add(Counter.LOG_WATCHER_SENT, read?.lines ?? 0);
}

/**
 * Notes that a watcher has closed its side. It may still read, or be gone: only a send can show.
 */
export function endWatcherInput({ store }: Executor, session: Session): void {
  if (session.watches !== undefined) store.lines.halfClose(session.watches);
}

/** Ends the watch of a connection that closes. */
export function abandonWatch({ store }: Executor, session: Session): void {
  if (session.watches !== undefined) store.lines.leave(session.watches);
  session.watches = undefined;
}
