// slabs and cache_memlimit: commands that move memory.
//
// Source: memcached proto_text.c, process_slabs_command, process_memlimit_command; slabs.c,
// do_slabs_reassign, slabs_adjust_mem_limit.

import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { Snapshot } from "../../stats/counters.ts";
import { askMove, isMoving, POOL } from "../../store/control/requests.ts";
import { classStates, sourceFor } from "../../store/room/page_source.ts";
import { SlabWord } from "../../store/slab/record.ts";
import type { SlabClass } from "../../store/slab/classes.ts";
import type { Executor } from "../executor.ts";
import { Outcome, type Session } from "../session.ts";
import {
  decimalOf,
  intOf,
  runSubCommand,
  type SubCommandRow,
  tune,
  U32_MAX,
  uintOf,
  type Words,
} from "./sub_command.ts";
import { setMemlimit } from "../../store/whole_store.ts";

const MIB = 2 ** 20;
/** Bounds of cache_memlimit, in megabytes: a larger number is meant in bytes. */
const MEMLIMIT_MIN = 8;
const MEMLIMIT_MEGABYTES_MAX = 1_000_000_000;
/** Levels of `slabs automove`. */
const AUTOMOVE_LEVELS = [0, 2] as const;
/** Seconds that `slabs automove window` takes. */
const AUTOMOVE_WINDOW = [3, 1800] as const;

/** Stands for any class that has a spare page. */
const ANY = -1;

/** The sub-commands of slabs. */
const SLABS: Readonly<Record<string, SubCommandRow>> = {
  reassign: [3, reassign],
  automove: [2, setAutomove],
};

/** Runs `slabs <reassign|automove> …`. */
export function runSlabs(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  return runSubCommand(SLABS, executor, session, block, replies);
}

/** `slabs reassign <source> <target>`: asks the maintainer to move a page. */
function reassign({ store, settings }: Executor, words: Words): Block {
  if (!settings.slabReassign) return Reply.REASSIGN_DISABLED;
  const { slabs, classes, control } = store;
  const named = intOf(words[1]);
  const to = intOf(words[2]);
  if (Number.isNaN(named + to)) return Reply.BAD_FORMAT;
  if (isMoving(control)) return Reply.REASSIGN_BUSY;
  if (named === to) return Reply.SAME_CLASS;
  const from = named === ANY ? sourceFor(classStates(store, new Snapshot(control)), to) : named;
  const isClass = (id: number | undefined): id is number =>
    id !== undefined && id >= POOL && id <= classes.last;
  if (!isClass(from) || !isClass(to)) return Reply.BAD_SLAB_CLASS;
  const hasSpare = from === POOL
    ? slabs.pages.pooled > 0
    : slabs.word(from as SlabClass, SlabWord.PAGES) > 1;
  if (!hasSpare) return Reply.NOSPARE;
  return askMove(control, { from, to }) ? Reply.OK : Reply.REASSIGN_BUSY;
}

function setAutomove(executor: Executor, [, what, value]: Words): Block {
  switch (what) {
    case "ratio":
      return tune(executor, "slabAutomoveRatio", decimalOf(value), [0, 1]);
    case "freeratio":
      return tune(executor, "slabAutomoveFreeratio", decimalOf(value), [0, 1]);
    case "window": {
      const seconds = uintOf(value, U32_MAX);
      if (Number.isNaN(seconds)) return Reply.ERROR;
      return tune(executor, "slabAutomoveWindow", seconds, AUTOMOVE_WINDOW, Reply.BAD_WINDOW);
    }
    default: {
      const level = uintOf(what, U32_MAX);
      if (Number.isNaN(level)) return Reply.BAD_FORMAT;
      return tune(executor, "slabAutomove", level, AUTOMOVE_LEVELS);
    }
  }
}

/** Runs `cache_memlimit <megabytes> [noreply]`. */
export function runCacheMemlimit(
  executor: Executor,
  _session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  const { tokens, store } = executor;
  const line = tokens.count < 2
    ? Reply.ERROR
    : setLimit(store, uintOf(executor.wordOf(block, 1), U32_MAX));
  replies.write(line);
  return Outcome.DONE;
}

/** Sets the memory limit; returns the reply line. Takes: page. */
function setLimit(store: Executor["store"], megabytes: number): Block {
  if (Number.isNaN(megabytes)) return Reply.ERROR;
  if (megabytes < MEMLIMIT_MIN) return Reply.MEMLIMIT_TOO_SMALL;
  if (megabytes > MEMLIMIT_MEGABYTES_MAX) return Reply.MEMLIMIT_NOT_MEGABYTES;
  return setMemlimit(store, megabytes * MIB) ? Reply.OK : Reply.MEMLIMIT_OUT_OF_BOUNDS;
}
