// Goal: the check notices what is wrong, and a live one lets pass what clients do between turns.

import { assertEquals, assertMatch } from "@std/assert";
import { storeWord } from "../memory/atomic.ts";
import { ClassCounter } from "../stats/names.ts";
import { checkLiveStore, checkStore } from "./check.ts";
import { blockOf, ItemFlag, itemFlags, itemKeyAt, setItemFlags, setItemNext } from "./item/item.ts";
import { classOf } from "./lru/lists.ts";
import { surplusWord } from "./slab/pages.ts";
import { pageOf, SlabWord } from "./slab/record.ts";
import { leavesBroken, makeItem, makeStore, storeTest, withShard } from "./store_fixture.ts";
import { hashKey, linkLocked, retainLocked } from "./link.ts";
import type { Store } from "./store.ts";
import type { ItemRef } from "./item/item.ts";

function link(store: Store, key: string): ItemRef {
  const it = makeItem(store, key, "value");
  const at = itemKeyAt(store.items, it);
  const hv = hashKey(store, blockOf(store.items, it), at, at + key.length);
  withShard(store, hv, () => linkLocked(store, hv, it));
  return it;
}

storeTest("checkLiveStore() lets pass what clients hold and send, checkStore() does not", () => {
  const store = makeStore();
  leavesBroken(store);
  const held = link(store, "held");
  withShard(store, store.assoc.hashOf(held), () => retainLocked(store, held));
  makeItem(store, "received", "half");
  assertEquals(checkLiveStore(store), { problems: [], items: 1 });
  const { problems } = checkStore(store);
  assertEquals(problems.length, 2);
  assertMatch(problems[0]!, /has 2 holders/);
  assertMatch(problems[1]!, /^1 chunks are neither free nor linked, 0 held/);
});

const BREAKS: readonly (readonly [
  what: string,
  change: (store: Store, it: ItemRef) => void,
  problem: RegExp,
])[] = [
  [
    "an item that is not linked",
    (store, it) => setItemFlags(store.items, it, itemFlags(store.items, it) & ~ItemFlag.LINKED),
    /in the table and not linked/,
  ],
  [
    "an item that is free",
    (store, it) => store.slabs.giveToClass(it, classOf(store.items, it)),
    /in the table and free/,
  ],
  ["a list that ends too soon", (store, it) => setItemNext(store.items, it, 0 as ItemRef), /list/],
  ["a list that goes round", (store, it) => setItemNext(store.items, it, it), /lists twice/],
  [
    "a key that is there twice",
    (store) => void link(store, "key1"),
    /the key of item \d+ is in the table twice/,
  ],
  [
    "another key in the place of one",
    (store, it) => {
      const at = itemKeyAt(store.items, it);
      const block = blockOf(store.items, it);
      const shard = () => store.assoc.shardOf(hashKey(store, block, at, at + 4));
      const before = shard();
      // One key in a thousand is of the same shard, and stands where it may.
      for (let letter = 120; shard() === before; letter++) block.bytes.fill(letter, at, at + 4);
    },
    /is in (shard \d+ by mistake|another bucket)/,
  ],
  [
    "an item too many in the count",
    (store) => store.counters.addClass(1, ClassCounter.NUMBER, 1),
    /^curr_items 4, in the table 3/,
  ],
  [
    "a page that counts other chunks than are used",
    (store, it) => {
      const { u32, regions } = store.control;
      u32[regions.pageUsedAt / 4 + pageOf(it)]! += 1;
    },
    /page 1 counts 4 used chunks of 3/,
  ],
  [
    "an empty page that is not there",
    ({ control: { u32, regions } }) => {
      u32[regions.slabsAt / 4 + 16 + SlabWord.EMPTY]! += 1;
    },
    /class 1 has 0 empty pages and counts 1/,
  ],
  [
    "a surplus page that no class has",
    ({ control: { u32, regions } }) => void (u32[surplusWord(regions)]! += 1),
    /1 surplus pages are counted of 0/,
  ],
  [
    "a class without its page",
    (store, it) => {
      const page = Math.floor(it * 8 / 2 ** 20);
      storeWord(store.control.u32, store.control.regions.pageOwnersAt / 4 + page, 0);
    },
    /in a page of another class/,
  ],
];

for (const [what, change, problem] of BREAKS) {
  storeTest(`checkLiveStore() notices ${what}`, () => {
    const store = makeStore();
    const linked = [1, 2, 3].map((n) => link(store, `key${n}`));
    assertEquals(checkLiveStore(store), { problems: [], items: 3 });
    leavesBroken(store);
    change(store, linked[1]!);
    assertMatch(checkLiveStore(store).problems.join("\n"), new RegExp(problem.source, "m"));
  });
}
