// `watch`: from then on the connection takes no commands, and is sent a line for whatever happens
// of the kinds that it named.

import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { Counter } from "../../stats/names.ts";
import { Watched } from "../../log/event_log.ts";
import { LinesCursor } from "../../log/lines.ts";
import { wakeMaintainer } from "../../store/control/requests.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";

/** What can be named. Nothing is logged about raw commands, and there is no proxy. */
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

/** Whether there are lines that a watcher has not been sent. */
export function hasLines({ store }: Executor, session: Session): boolean {
  return session.watches !== undefined && store.lines.hasNews(session.watches);
}

/**
 * Moves lines that a watcher has not been sent into its replies, which are empty: as many as fit.
 * In front of them it says how many were gone before.
 */
export function writeLines(
  { store: { lines }, counters }: Executor,
  session: Session,
  replies: ReplyBuffer,
): void {
  const { watches } = session;
  if (watches === undefined) return;
  const { bytes } = replies.block;
  // Lines may be gone since the last time, or go just now.
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

/** The client sends no more. It may still read, or be gone: only sending would tell. */
export function endWatcherInput({ store }: Executor, session: Session): void {
  if (session.watches !== undefined) store.lines.halfClose(session.watches);
}

/** Ends the watching of a connection that is being closed. */
export function abandonWatch({ store }: Executor, session: Session): void {
  if (session.watches !== undefined) store.lines.leave(session.watches);
  session.watches = undefined;
}
