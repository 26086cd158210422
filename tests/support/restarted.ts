// A store that has been used in some way is saved and restored: nothing of it may be refused, and
// its clients may not see a difference. Its own Store is good for nothing afterwards.

import { latin1 } from "../../lib/base/ascii.ts";
import { U64 } from "../../lib/base/u64.ts";
import { checkStore } from "../../lib/store/check.ts";
import { isFlushed } from "../../lib/store/item/generation.ts";
import {
  blockOf,
  isExpired,
  itemClientFlags,
  itemExptime,
  itemFlags,
  itemKeyAt,
  itemNext,
  itemNkey,
  type ItemRef,
  itemTime,
  NO_ITEM,
  readItemCas,
} from "../../lib/store/item/item.ts";
import { lruIdOf, LruSegment } from "../../lib/store/lru/lists.ts";
import { restoreStore } from "../../lib/store/restart/restore.ts";
import { checkSaved } from "../../lib/store/restart/saved_check.ts";
import { saveStore } from "../../lib/store/restart/saved_store.ts";
import type { SlabClass } from "../../lib/store/slab/classes.ts";
import type { Store } from "../../lib/store/store.ts";
import { makeStore, segmentsOf } from "../../lib/store/store_fixture.ts";
import { ValueCursor } from "../../lib/store/item/value_cursor.ts";

/** Restarts `store`, and returns what is wrong then. */
export function restartProblems(store: Store): string[] {
  const saved = saveStore(store, store.clock.now);
  const refused = checkSaved(store.items, store.classes, saved);
  if (refused !== undefined) return [`saved: ${refused}`];
  const { threads, ...shape } = store.shape;
  const clock = { ...store.clock };
  const next = makeStore(
    { ...shape, threads: threads + 1 },
    clock,
    undefined,
    segmentsOf(store),
  );
  const before = describe(store, next.tunables);
  restoreStore(next, saved);
  const problems = checkStore(next).problems.map((problem) => `restored: ${problem}`);
  const after = describe(next, next.tunables);
  before.forEach((item, at) => {
    if (item !== after[at]) problems.push(`restored: ${item} is ${after[at]}`);
  });
  if (after.length !== before.length) problems.push(`${before.length} items, ${after.length} left`);
  return problems.slice(0, 5);
}

/** Segments, with the newest items first: in this order they are found when they become one. */
const NEWEST_FIRST = [LruSegment.TEMP, LruSegment.HOT, LruSegment.WARM, LruSegment.COLD];

/**
 * Every living item as a line, list by list, newest first, on the list where a store with
 * `tunables` keeps it: the mode and TEMP may have been changed while the store was in use, and a
 * restart goes back to what the options say.
 */
function describe(store: Store, { isSegmented, temporaryTtl }: Store["tunables"]): string[] {
  const { items, lru, control, clock: { now } } = store;
  const lines: { list: number; text: string }[] = [];
  for (let clsid = 0; clsid <= store.classes.last; clsid++) {
    for (const segment of NEWEST_FIRST) {
      const stays = isSegmented && (segment !== LruSegment.TEMP || temporaryTtl >= 0);
      const list = lruIdOf(clsid as SlabClass, stays ? segment : LruSegment.COLD);
      const from = lruIdOf(clsid as SlabClass, segment);
      let it = store.locks.exclusively(() => lru.headLocked(from));
      for (; it !== NO_ITEM; it = itemNext(items, it)) {
        if (isExpired(items, it, now) || isFlushed(control, items, it, now)) continue;
        lines.push({ list, text: `${list} ${it} ${describeItem(store, it)}` });
      }
    }
  }
  // Sorting is stable: what has become one list keeps its order.
  return lines.sort((a, b) => a.list - b.list).map(({ text }) => text);
}

const cas = new U64();
const pieces = new ValueCursor();

function describeItem(store: Store, it: ItemRef): string {
  const { items } = store;
  const at = itemKeyAt(items, it);
  const key = latin1(blockOf(store.items, it).bytes, at, at + itemNkey(items, it));
  readItemCas(items, it, cas);
  let value = "";
  pieces.open(items, it);
  do {
    value += latin1(items.blocks[pieces.segment]!.bytes, pieces.at, pieces.to);
  } while (pieces.openNext(items));
  const numbers = [itemClientFlags, itemExptime, itemTime, itemFlags].map((of) => of(items, it));
  return `${key} ${cas.hi} ${cas.lo} ${numbers.join(" ")} ${value}`;
}
