// A store that has been used in some way is saved and restored: nothing of it may be refused, and
// its clients may not see a difference. Its own Store is good for nothing afterwards.

import { latin1 } from "../../lib/base/ascii.ts";
import { U64 } from "../../lib/base/u64.ts";
import { checkStore } from "../../lib/store/check.ts";
import { isFlushed } from "../../lib/store/flush.ts";
import {
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
} from "../../lib/store/item.ts";
import { type LruId, LRUS_MAX } from "../../lib/store/lru.ts";
import { restoreStore } from "../../lib/store/restore.ts";
import { checkSaved } from "../../lib/store/saved_check.ts";
import { saveStore } from "../../lib/store/saved_store.ts";
import type { Store } from "../../lib/store/store.ts";
import { makeStore, segmentsOf } from "../../lib/store/testing.ts";
import { ValueCursor } from "../../lib/store/value.ts";

/** Restarts `store`, and returns what is wrong then. */
export function restartProblems(store: Store): string[] {
  const saved = saveStore(store, store.clock.now);
  const refused = checkSaved(store.items, store.classes, saved);
  if (refused !== undefined) return [`saved: ${refused}`];
  const before = describe(store);
  const { threads, ...shape } = store.shape;
  const clock = { ...store.clock };
  const next = makeStore(
    { ...shape, threads: threads + 1 },
    clock,
    undefined,
    segmentsOf(store),
  );
  restoreStore(next, saved);
  const problems = checkStore(next).problems.map((problem) => `restored: ${problem}`);
  const after = describe(next);
  before.forEach((item, at) => {
    if (item !== after[at]) problems.push(`restored: ${item} is ${after[at]}`);
  });
  if (after.length !== before.length) problems.push(`${before.length} items, ${after.length} left`);
  return problems.slice(0, 5);
}

/** Every living item as a line, list by list, newest first. */
function describe(store: Store): string[] {
  const { items, lru, control, clock: { now } } = store;
  const lines: string[] = [];
  for (let id = 0; id < LRUS_MAX; id++) {
    let it = lru.headLocked(id as LruId);
    for (; it !== NO_ITEM; it = itemNext(items, it)) {
      if (isExpired(items, it, now) || isFlushed(control, items, it, now)) continue;
      lines.push(`${id} ${it} ${describeItem(store, it)}`);
    }
  }
  return lines;
}

const cas = new U64();
const pieces = new ValueCursor();

function describeItem(store: Store, it: ItemRef): string {
  const { items } = store;
  const at = itemKeyAt(items, it);
  const key = latin1(store.blockOf(it).bytes, at, at + itemNkey(items, it));
  readItemCas(items, it, cas);
  let value = "";
  pieces.open(items, it);
  do {
    value += latin1(items.blocks[pieces.segment]!.bytes, pieces.at, pieces.to);
  } while (pieces.openNext(items));
  const numbers = [itemClientFlags, itemExptime, itemTime, itemFlags].map((of) => of(items, it));
  return `${key} ${cas.hi} ${cas.lo} ${numbers.join(" ")} ${value}`;
}
