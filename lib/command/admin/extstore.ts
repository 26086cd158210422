// extstore: the settings for values on flash. memden keeps none there, like a memcached without
// ext_path: it accepts the numbers and shows them in `stats settings`.
//
// Source: memcached proto_text.c, process_extstore_command.

import type { Block } from "../../base/block.ts";
import { Reply, type ReplyBuffer } from "../../protocol/reply.ts";
import type { Verb } from "../../protocol/text/commands.ts";
import { CLASSES_MAX } from "../../stats/names.ts";
import type { TunableName } from "../../store/control/tunables.ts";
import type { Executor } from "../executor.ts";
import type { Outcome, Session } from "../session.ts";
import {
  decimalOf,
  runSubCommand,
  type SubCommandRow,
  tune,
  U32_MAX,
  uintOf,
  type Words,
} from "./sub_command.ts";

/** A sub-command that sets a whole number. */
const setWhole = (name: TunableName): SubCommandRow => [
  2,
  (executor, [, word]) => tune(executor, name, uintOf(word, U32_MAX), [0, U32_MAX]),
];

const EXTSTORE: Readonly<Record<string, SubCommandRow>> = {
  "free_memchunks": [3, ignoreFreeMemchunks],
  "item_size": setWhole("extItemSize"),
  "item_age": setWhole("extItemAge"),
  "low_ttl": setWhole("extLowTtl"),
  "recache_rate": setWhole("extRecacheRate"),
  "compact_under": setWhole("extCompactUnder"),
  "drop_under": setWhole("extDropUnder"),
  "max_sleep": setWhole("extMaxSleep"),
  "max_frag": [
    2,
    (executor, [, word]) => tune(executor, "extMaxFrag", decimalOf(word), [-U32_MAX, U32_MAX]),
  ],
  "drop_unread": [
    2,
    (executor, [, word]) =>
      tune(executor, "extDropUnread", Math.min(uintOf(word, U32_MAX), 1), [0, 1]),
  ],
};

/** Runs `extstore <item_size|item_age|…> <value>`. */
export function runExtstore(
  executor: Executor,
  session: Session,
  _verb: Verb,
  block: Block,
  replies: ReplyBuffer,
): Outcome {
  return runSubCommand(EXTSTORE, executor, session, block, replies);
}

/** `free_memchunks <class> <chunks>` has no effect in memcached either. */
function ignoreFreeMemchunks(_executor: Executor, [, clsid, chunks]: Words): Block {
  const valid = uintOf(clsid, CLASSES_MAX - 1) + uintOf(chunks, U32_MAX);
  return Number.isNaN(valid) ? Reply.ERROR : Reply.OK;
}
