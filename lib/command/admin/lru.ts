// lru and lru_crawler: commands that tune the LRU lists, and that list keys.
//
// Source: memcached proto_text.c, process_lru_command, process_lru_crawler_command.

import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import {
  addToClassSet,
  askCrawl,
  type ClassSet,
  isInClassSet,
} from "../../store/control/requests.ts";
import { startAnswer } from "../answer.ts";
import { Dump, type DumpForm, METADUMP, MGDUMP } from "./dump.ts";
import type { Executor } from "../executor.ts";
import type { Outcome, Session } from "../session.ts";
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

/** The sub-commands of lru. */
const LRU: Readonly<Record<string, SubCommandRow>> = {
  tune: [5, tuneLru],
  mode: [2, setLruMode],
  "temp_ttl": [2, setTempTtl],
};

/** Runs `lru <tune|mode|temp_ttl> …`. */
export function runLru(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  return runSubCommand(LRU, executor, session, block, replies);
}

/** `lru tune <hot %> <warm %> <hot factor> <warm factor>`: both lists may have 80 % together. */
function tuneLru({ store: { tunables } }: Executor, words: Words): Block {
  const hot = uintOf(words[1], U32_MAX);
  const warm = uintOf(words[2], U32_MAX);
  const hotFactor = decimalOf(words[3]);
  const warmFactor = decimalOf(words[4]);
  if (Number.isNaN(hot + warm + hotFactor + warmFactor)) return Reply.ERROR;
  if (hot + warm > 80) return Reply.BAD_LRU_PCTS;
  if (hotFactor <= 0 || warmFactor <= 0) return Reply.BAD_LRU_FACTORS;
  tunables.set("hotLruPct", hot);
  tunables.set("warmLruPct", warm);
  tunables.set("hotMaxFactor", hotFactor);
  tunables.set("warmMaxFactor", warmFactor);
  return Reply.OK;
}

function setLruMode({ store, settings }: Executor, [, mode]: Words): Block {
  if (mode !== "flat" && mode !== "segmented") return Reply.ERROR;
  // Only the maintainer moves items from HOT to COLD, where they can be evicted.
  if (mode === "segmented" && !settings.lruMaintainer) return Reply.ERROR;
  store.tunables.set("segmented", mode === "segmented" ? 1 : 0);
  return Reply.OK;
}

/**
 * `lru temp_ttl <seconds>`: TEMP takes items that live no longer; a negative number turns it off.
 */
function setTempTtl({ store, settings }: Executor, [, word]: Words): Block {
  const ttl = intOf(word);
  if (Number.isNaN(ttl) || (ttl >= 0 && !settings.lruMaintainer)) return Reply.ERROR;
  store.tunables.set("temporaryTtl", ttl < 0 ? -1 : Math.min(ttl, U32_MAX));
  return Reply.OK;
}

/** The sub-commands of lru_crawler. */
const CRAWLER: Readonly<Record<string, SubCommandRow>> = {
  crawl: [2, crawl],
  metadump: [
    2,
    (executor, words, session, replies) => {
      if (!executor.settings.dumpEnabled) return Reply.METADUMP_NOT_ALLOWED;
      return startDump(executor, words, session, replies, METADUMP);
    },
  ],
  mgdump: [
    2,
    (executor, words, session, replies) => {
      if (!executor.settings.dumpEnabled) return Reply.MGDUMP_NOT_ALLOWED;
      return startDump(executor, words, session, replies, MGDUMP);
    },
  ],
  tocrawl: [
    2,
    (executor, words) =>
      tune(
        executor,
        "lruCrawlerTocrawl",
        uintOf(words[1], U32_MAX),
        [0, U32_MAX],
        Reply.BAD_FORMAT,
      ),
  ],
  sleep: [2, setCrawlerSleep],
  enable: [1, ({ store }) => {
    if (store.tunables.get("lruCrawler") === 1) return Reply.CRAWLER_NOT_STARTED;
    store.tunables.set("lruCrawler", 1);
    return Reply.OK;
  }],
  disable: [1, ({ store }) => {
    store.tunables.set("lruCrawler", 0);
    return Reply.OK;
  }],
};

/** Runs `lru_crawler <crawl|metadump|mgdump|tocrawl|sleep|enable|disable> …`. */
export function runLruCrawler(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  return runSubCommand(CRAWLER, executor, session, block, replies);
}

function setCrawlerSleep(executor: Executor, [, word]: Words): Block {
  const us = uintOf(word, U32_MAX);
  if (Number.isNaN(us)) return Reply.BAD_FORMAT;
  return tune(executor, "lruCrawlerSleep", us, [0, 1_000_000], Reply.BAD_CRAWLER_SLEEP);
}

/** The classes of `all`, or of a list such as `1,2,3`; undefined when one is not a class. */
function classesOf(word: string | undefined): ClassSet | undefined {
  if (word === "all") return { low: -1, high: -1 };
  const classes: ClassSet = { low: 0, high: 0 };
  for (const part of (word ?? "").split(",")) {
    const clsid = uintOf(part, U32_MAX);
    if (!(clsid >= 1 && clsid < CLASSES_MAX)) return undefined;
    addToClassSet(classes, clsid);
  }
  return classes;
}

/** `lru_crawler crawl <classes>`: asks for a crawl of those that have items. */
function crawl({ store }: Executor, [, word]: Words): Block {
  if (store.tunables.get("lruCrawler") === 0) return Reply.CRAWLER_DISABLED;
  const asked = classesOf(word);
  if (asked === undefined) return Reply.BADCLASS;
  const classes: ClassSet = { low: 0, high: 0 };
  for (let clsid = 1; clsid <= store.classes.last; clsid++) {
    if (!store.lru.hasItems(clsid)) continue;
    if (isInClassSet(asked, clsid)) addToClassSet(classes, clsid);
  }
  if (classes.low === 0 && classes.high === 0) return Reply.NOTSTARTED;
  return askCrawl(store.control, classes) ? Reply.OK : Reply.CRAWLER_BUSY;
}

/**
 * Begins a dump of the keys of some classes, or of all: `hash` walks the table, as every dump does.
 */
function startDump(
  { store }: Executor,
  [, word]: Words,
  session: Session,
  replies: ReplyBuffer,
  form: DumpForm,
): Block | undefined {
  const classes = classesOf(word === "hash" ? "all" : word);
  if (classes === undefined) return Reply.BADCLASS;
  startAnswer(session, new Dump(store, form, classes), replies);
  return undefined;
}
