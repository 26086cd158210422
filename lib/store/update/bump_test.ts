// Goal: what a read, a write and a touch leave of an item: its flags, its time, its place.
// Method: one item, commands at given seconds, and a look at its record after each.

import { assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Snapshot } from "../../stats/counters.ts";
import { itemExptime, ItemFlag, itemFlags, itemPrev, itemTime, NO_ITEM } from "../item/item.ts";
import { BUMPS_PER_THREAD } from "../lru/bump_buffer.ts";
import { lruIdOf, LruSegment } from "../lru/lists.ts";
import { ownClassOf } from "../link.ts";
import { FLAT, makeStore, storeTest } from "../store_fixture.ts";
import { LockRank } from "../../memory/lock.ts";
import { StoreMode } from "../outcome.ts";

const { FETCHED, ACTIVE } = ItemFlag;
const START = 1000;

/** A store with `key`, set at second {@linkcode START}. */
function clientWith(key: string, shape: Parameters<typeof makeStore>[0] = {}): StoreClient {
  const client = new StoreClient(makeStore(shape));
  client.store.clock.now = START;
  client.set(key, "1");
  return client;
}

/** How often the item was read, by its flags, and its time since {@linkcode START}. */
function stateOf(client: StoreClient, key: string): [reads: number, time: number] {
  const { items } = client.store;
  const it = client.find(key);
  const flags = itemFlags(items, it);
  const reads = ((flags & FETCHED) === 0 ? 0 : 1) + ((flags & ACTIVE) === 0 ? 0 : 1);
  return [reads, itemTime(items, it) - START];
}

/** What each command, ten seconds after the one before, leaves of an item in HOT. */
const COMMANDS: readonly (readonly [
  name: string,
  run: (client: StoreClient) => unknown,
  ...states: readonly (readonly [reads: number, time: number])[],
])[] = [
  // A hit is noted by its flag; only the second one brings a time, and no later one does.
  ["get", (client) => client.get("k"), [1, 0], [2, 20], [2, 20]],
  [
    "get after a while",
    (client) => {
      client.store.clock.now += 90;
      client.get("k");
    },
    ...[[1, 0], [2, 200], [2, 200]] as const,
  ],
  ["touch", (client) => client.touch("k", 0), [1, 10], [2, 20], [2, 30]],
  ["gat", (client) => client.gat("k", 0), [1, 10], [2, 20], [2, 30]],
  // A write is no read.
  ["incr", (client) => client.add("k", 1n), [0, 10], [0, 20]],
  ["a refused add", (client) => client.put(StoreMode.ADD, "k", "2"), [0, 10], [0, 20]],
  ["get of another key", (client) => client.get("other"), [0, 0]],
];

for (const [name, run, ...states] of COMMANDS) {
  storeTest(`${name} leaves flags and time of an item`, () => {
    const client = clientWith("k");
    for (const state of states) {
      client.store.clock.now += 10;
      run(client);
      assertEquals(stateOf(client, "k"), state);
    }
  });
}

storeTest("touchLocked() sets the expiry and no other item's", () => {
  const client = clientWith("k");
  client.set("other", "1", { exptime: 5 });
  client.touch("k", 77);
  const { items } = client.store;
  assertEquals(itemExptime(items, client.find("k")), START + 77);
  assertEquals(itemExptime(items, client.find("other")), START + 5);
});

storeTest("no time goes back where the clock of a thread is behind", () => {
  const client = clientWith("k");
  client.store.clock.now = START - 1;
  client.touch("k", 0);
  assertEquals(stateOf(client, "k"), [1, 0]);
});

/** In flat mode: seconds after the item was linked, and whether a hit brings it to the head. */
const FLAT_HITS: readonly (readonly [seconds: number, moves: boolean])[] = [
  [0, false],
  [59, false],
  [60, true],
  [61, true],
];

for (const [seconds, moves] of FLAT_HITS) {
  for (const name of ["get", "incr"]) {
    storeTest(`${name} after ${seconds} s in flat mode: ${moves ? "moves" : "stays"}`, () => {
      const client = clientWith("k", FLAT);
      client.set("newer", "1");
      const { store } = client;
      const it = client.find("k");
      assertEquals(itemPrev(store.items, it), client.find("newer"));
      store.clock.now += seconds;
      if (name === "get") client.get("k");
      else client.add("k", 1n);
      const isTimed = moves || name === "incr"; // A flush to come spares what was written.
      assertEquals(itemTime(store.items, it), START + (isTimed ? seconds : 0));
      assertEquals(itemPrev(store.items, it), moves ? NO_ITEM : client.find("newer"));
      assertEquals(stateOf(client, "k")[0], name === "get" ? 1 : 0);
    });
  }
}

/** Moves the item `key` to COLD, as the LRU maintainer does. */
function toCold({ store, find }: StoreClient, it: ReturnType<typeof find>): void {
  const { lru, locks } = store;
  const clsid = ownClassOf(store, it);
  for (
    const [act, list] of [
      ["unlinkLocked", lruIdOf(clsid, LruSegment.HOT)],
      ["linkLocked", lruIdOf(clsid, LruSegment.COLD)],
    ] as const
  ) {
    locks.lock(lru.lockOf(list), LockRank.LRU);
    lru[act](list, it);
    locks.unlock(lru.lockOf(list), LockRank.LRU);
  }
}

storeTest("a second hit in COLD is put down for a move, and the item's time stays", () => {
  const client = clientWith("k");
  const it = client.find("k");
  toCold(client, it);
  client.store.clock.now += 10;
  client.get("k");
  assertEquals(client.store.bumps.shift(), NO_ITEM);
  client.get("k");
  assertEquals(stateOf(client, "k"), [2, 0]);
  client.get("k");
  assertEquals([client.store.bumps.shift(), client.store.bumps.shift()], [it, NO_ITEM]);
  assertEquals(new Snapshot(client.store.control).of("lru_bumps_dropped"), 0);
});

storeTest("a second hit in COLD is as if it had not been, where the buffer is full", () => {
  const client = clientWith("k");
  const it = client.find("k");
  toCold(client, it);
  for (let count = 0; count < BUMPS_PER_THREAD; count++) client.store.bumps.push(it);
  client.get("k");
  client.get("k");
  assertEquals(stateOf(client, "k"), [1, 0]);
  assertEquals(new Snapshot(client.store.control).of("lru_bumps_dropped"), 1);
});
