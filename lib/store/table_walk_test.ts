// Goal: a walk meets each item that is there all the time exactly once, however the table grows.

import { assertEquals } from "@std/assert";
import { Prng } from "../base/prng.ts";
import { StoreClient } from "../../tests/support/store_client.ts";
import { latin1 } from "../base/ascii.ts";
import { blockOf, itemKeyAt, itemNkey, type ItemRef } from "./item/item.ts";
import type { StorePlan } from "./plan.ts";
import { makeStore, storeTest, testClock } from "./store_fixture.ts";
import { TableWalk } from "./table_walk.ts";

function tableOf(shards: number, bucketsMin: number, bucketsMax: number) {
  return (plan: StorePlan): StorePlan => ({
    ...plan,
    assoc: { shards, bucketsMin, bucketsMax },
    bucketBytes: shards * bucketsMax * 4,
  });
}

const TABLES = [[1, 1, 1], [1, 1, 1024], [4, 2, 512], [64, 1, 8], [1024, 1, 4]] as const;

for (const [shards, bucketsMin, bucketsMax] of TABLES) {
  for (const perStep of [0, 1, 5]) {
    storeTest(
      `TableWalk meets each item once: ${shards} shards, ${bucketsMin} to ${bucketsMax} buckets, ` +
        `${perStep} items added in each step`,
      () => {
        const client = new StoreClient(
          makeStore({}, testClock(), tableOf(shards, bucketsMin, bucketsMax)),
        );
        const { store } = client;
        const prng = new Prng(shards + perStep);
        const first = Array.from({ length: 150 }, (_, n) => `first${n}`);
        for (const key of first) client.set(key, "v");
        const met = new Map<string, number>();
        const visit = (it: ItemRef): void => {
          const at = itemKeyAt(store.items, it);
          const key = latin1(blockOf(store.items, it).bytes, at, at + itemNkey(store.items, it));
          met.set(key, (met.get(key) ?? 0) + 1);
        };
        const walk = new TableWalk();
        let added = 0;
        for (let more = true; more;) {
          more = walk.step(store, visit);
          for (let n = 0; n < perStep && added < 3000; n++) client.set(`later${added++}`, "v");
          if (added > 0) client.delete(`later${prng.below(added)}`);
        }
        for (const key of first) assertEquals(met.get(key), 1, key);
        assertEquals([...met.values()].filter((times) => times !== 1), []);
        assertEquals(walk.step(store, visit), false, "A walk that has ended stays so");
      },
    );
  }
}
