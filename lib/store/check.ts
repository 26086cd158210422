// Walks everything in the store and checks every global rule. No other thread may be at work: for
// tests when all have ended, for a running server while the world stands still. Table and items are
// in check_table.ts, pages and chunks in check_slabs.ts.
//
// Each rule is stated once, as the text of the problem it reports. The texts are made only where a
// rule is broken, and what has been seen is marked in bits: a large store is walked while its
// clients wait.

import { itemLruId, itemNext, itemPrev, type ItemRef, NO_ITEM } from "./item/item.ts";
import { itemUnits, type LruId, LRUS_MAX } from "./lru/lists.ts";
import { RefSet } from "./item/ref_set.ts";
import type { SlabClass } from "./slab/classes.ts";
import type { Store } from "./store.ts";
import { Snapshot } from "../stats/counters.ts";
import { ANY, CheckFindings } from "./check_findings.ts";
import { SlabCheck } from "./check_slabs.ts";
import { checkTable } from "./check_table.ts";

/** What a walk found. */
export interface CheckResult {
  /** One line for each broken rule; empty when all hold. */
  readonly problems: readonly string[];
  /** Items in the table. */
  readonly items: number;
}

/**
 * Checks the whole store. No other thread may be at work, and no client may hold an item.
 *
 * @param held Chunks that are taken but not part of a linked item, such as a value being received.
 */
export function checkStore(store: Store, held = 0): CheckResult {
  return check(store, held);
}

/**
 * Checks the whole store of a running server, between turns of its threads: clients may hold items
 * and receive values, and a page may be on its way to another class.
 */
export function checkLiveStore(store: Store): CheckResult {
  return check(store, ANY);
}

function check(store: Store, held: number): CheckResult {
  for (let id = 1; id <= store.classes.last; id++) store.slabs.takeBackSpares(id as SlabClass);
  const found = new CheckFindings(store, held);
  store.locks.exclusively(() => {
    checkTable(found);
    checkLists(found);
    new SlabCheck(found).check();
    checkGauges(found);
  });
  return { problems: found.problems, items: found.linked.size };
}

/** The LRU lists hold exactly the items of the table, and read the same from both ends. */
function checkLists(found: CheckFindings): void {
  const { lru, items } = found.store;
  const seen = new RefSet();
  for (let id = 0; id < LRUS_MAX; id++) {
    const list = id as LruId;
    let count = 0;
    let units = 0;
    let before: ItemRef = NO_ITEM;
    for (let it = lru.headLocked(list); it !== NO_ITEM; it = itemNext(items, it)) {
      if (!seen.add(it)) return found.broken(`item ${it} is on LRU lists twice`);
      count++;
      if (itemPrev(items, it) !== before) found.broken(`item ${it} has another LRU neighbour`);
      if (!found.linked.has(it)) found.broken(`item ${it} is on an LRU list and not in the table`);
      units += itemUnits(items, it);
      if (itemLruId(items, it) !== id) {
        found.broken(`item ${it} is on another list than it names`);
      }
      before = it;
    }
    if (lru.tailLocked(list) !== before) found.broken(`LRU list ${id} ends elsewhere`);
    if (lru.count(list) !== count) found.broken(`LRU list ${id} counts other items than it has`);
    if (lru.units(list) !== units) found.broken(`LRU list ${id} counts other sizes than it has`);
  }
  const missing = found.linked.size - seen.size;
  if (missing !== 0) found.broken(`${missing} items on no list`);
}

/** `curr_items` and `bytes` are those of the items in the table. */
function checkGauges(found: CheckFindings): void {
  const totals = new Snapshot(found.store.control);
  const items = totals.ofClasses("number");
  const bytes = totals.ofClasses("mem_requested");
  const { size } = found.linked;
  if (items !== size) found.broken(`curr_items ${items}, in the table ${size}`);
  if (bytes !== found.bytes) found.broken(`bytes ${bytes}, in the table ${found.bytes}`);
  if (!found.store.sizes.areTracked) return;
  const counted = JSON.stringify([...found.store.sizes.entries()]);
  const seen = JSON.stringify([...found.sizes].sort((a, b) => a[0] - b[0]));
  if (counted !== seen) found.broken(`sizes ${counted}, in the table ${seen}`);
}
