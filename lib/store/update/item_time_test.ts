// Goal: an item's time, its flags and its place are those of its accesses, by memcached's rules.
// Method: tables of short stories: commands at seconds after the item was stored, and the second
// that the item shows then.

import { assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { flushAt } from "../whole_store.ts";
import {
  itemExptime,
  ItemFlag,
  itemFlags,
  itemLruId,
  itemNext,
  type ItemRef,
  itemTime,
  NO_ITEM,
} from "../item/item.ts";
import { type LruId, LruSegment } from "../lru/lists.ts";
import { LruMaintainer } from "../maintenance/lru_maintainer.ts";
import { StoreMode } from "../outcome.ts";
import { FLAT, makeStore, storeTest, testClock, withList } from "../store_fixture.ts";

/** The second in which the item is stored. */
const STORED_AT = 1000;

/** What a client does with the item "k". */
const COMMANDS = {
  get: (client: StoreClient) => client.get("k"),
  hold: (client: StoreClient) => client.letGo(client.hold("k")),
  add: (client: StoreClient) => client.put(StoreMode.ADD, "k", "9"),
  cas: (client: StoreClient) => client.put(StoreMode.CAS, "k", "9", { cas: 0n }),
  touch: (client: StoreClient) => client.touch("k", 0),
  gat: (client: StoreClient) => client.gat("k", 0),
  incr: (client: StoreClient) => client.add("k", 1n),
  longer: (client: StoreClient) => client.add("k", 1000n),
  set: (client: StoreClient) => client.set("k", "5"),
  append: (client: StoreClient) => client.put(StoreMode.APPEND, "k", "5"),
  /** A round of the LRU maintainer; it takes up what the bump buffers have. */
  maintain: (client: StoreClient) => new LruMaintainer(client.store).run(0),
} as const;

/** Commands, each with its second after the store. */
type Story = readonly (readonly [second: number, command: keyof typeof COMMANDS])[];

const { FETCHED, ACTIVE } = ItemFlag;
const BOTH = FETCHED | ACTIVE;
const NONE = 0;

/** In segmented mode an item of HOT: seconds between the store and the time of the item. */
const SEGMENTED: readonly (readonly [what: string, story: Story, time: number, flags: number])[] = [
  ["a first read leaves the time", [[5, "get"]], 0, FETCHED],
  ["a second read notes it", [[5, "get"], [7, "get"]], 7, BOTH],
  ["a third read leaves it", [[5, "get"], [7, "get"], [200, "get"]], 7, BOTH],
  ["a held value is a read", [[5, "hold"], [7, "hold"]], 7, BOTH],
  ["a refused add notes the time", [[5, "add"]], 5, NONE],
  ["a refused cas does not", [[5, "cas"]], 0, NONE],
  ["touch notes the time, and is a read", [[5, "touch"]], 5, FETCHED],
  ["touch notes the time of an active item", [[1, "get"], [2, "get"], [9, "touch"]], 9, BOTH],
  ["gat notes the time, and is a read", [[5, "gat"]], 5, FETCHED],
  ["incr in place notes the time", [[5, "incr"]], 5, NONE],
  ["incr to a longer number stores anew", [[1, "get"], [5, "longer"]], 5, NONE],
  ["set stores anew", [[1, "get"], [2, "get"], [5, "set"]], 5, NONE],
  ["append stores anew", [[1, "get"], [5, "append"]], 5, NONE],
  ["touch by a clock that is behind leaves the time", [[5, "touch"], [4, "touch"]], 5, BOTH],
  ["a read by a clock that is behind leaves it", [[5, "add"], [4, "get"], [4, "get"]], 5, BOTH],
  ["a refused add by a clock that is behind leaves it", [[5, "add"], [4, "add"]], 5, NONE],
];

/** In flat mode, where an item's time is also that of its last move to the head. */
const FLAT_MODE: typeof SEGMENTED = [
  ["a read in the first minute leaves the time", [[59, "get"]], 0, FETCHED],
  ["a read after a minute notes it", [[60, "get"]], 60, FETCHED],
  ["two reads in a minute leave it", [[30, "get"], [59, "get"]], 0, BOTH],
  ["the minute begins with the last move", [[60, "get"], [119, "get"]], 60, BOTH],
  ["the next minute notes again", [[60, "get"], [120, "get"], [180, "get"]], 180, BOTH],
  ["a refused add in the first minute leaves it", [[59, "add"]], 0, NONE],
  ["a refused add after a minute notes it", [[60, "add"]], 60, NONE],
  ["touch notes the time at once", [[5, "touch"]], 5, FETCHED],
  ["gat notes the time at once", [[5, "gat"]], 5, FETCHED],
  ["incr in place notes the time at once", [[5, "incr"]], 5, NONE],
];

/** A store with items "a", "k" and "z", stored in this order, and "k" known by its value "1". */
function storeWithItem(shape = {}): StoreClient {
  const client = new StoreClient(makeStore(shape, { ...testClock(), now: STORED_AT }));
  for (const key of ["a", "k", "z"]) client.set(key, "1");
  return client;
}

function play(client: StoreClient, story: Story): void {
  for (const [second, command] of story) {
    client.store.clock.now = STORED_AT + second;
    COMMANDS[command](client);
  }
}

for (const [mode, shape, rows] of [["", {}, SEGMENTED], ["flat: ", FLAT, FLAT_MODE]] as const) {
  for (const [what, story, time, flags] of rows) {
    storeTest(`the time of an item: ${mode}${what}`, () => {
      const client = storeWithItem(shape);
      play(client, story);
      const { items } = client.store;
      const it = client.find("k");
      assertEquals(itemTime(items, it) - STORED_AT, time);
      assertEquals(itemFlags(items, it) & BOTH, flags);
    });
  }
}

/** Keys of the list that "k" is on, from its head, and its segment. */
function placeOf(client: StoreClient): [keys: string[], segment: number] {
  const { store } = client;
  const list = itemLruId(store.items, client.find("k")) as LruId;
  const names = new Map<ItemRef, string>(["a", "k", "z"].map((key) => [client.find(key), key]));
  const keys: string[] = [];
  let it = withList(store, list, () => store.lru.headLocked(list));
  for (; it !== NO_ITEM; it = itemNext(store.items, it)) keys.push(names.get(it) ?? "?");
  return [keys, list & LruSegment.TEMP];
}

const { HOT, WARM, COLD } = LruSegment;

/** Where "k" is among "a", "k" and "z", which were stored in this order: newest first. */
const PLACES: readonly (readonly [
  what: string,
  shape: typeof FLAT,
  story: Story,
  keys: string,
  segment: number,
])[] = [
  ["stored second of three", {}, [], "zka", HOT],
  ["read in HOT, it stays in its place", {}, [[100, "get"], [200, "get"]], "zka", HOT],
  ["touched in HOT, it stays in its place", {}, [[100, "touch"]], "zka", HOT],
  ["replaced, it is the newest", {}, [[0, "set"]], "kza", HOT],
  ["appended to, it is the newest", {}, [[0, "append"]], "kza", HOT],
  ["a refused add leaves its place", {}, [[100, "add"]], "zka", HOT],
  ["flat: read in the first minute, it stays", FLAT, [[59, "get"]], "zka", COLD],
  ["flat: read after a minute, it comes to the head", FLAT, [[60, "get"]], "kza", COLD],
  ["flat: touched in the first minute, it stays", FLAT, [[59, "touch"]], "zka", COLD],
  ["flat: touched after a minute, it comes to the head", FLAT, [[60, "touch"]], "kza", COLD],
  ["flat: a refused add after a minute brings it to the head", FLAT, [[60, "add"]], "kza", COLD],
];

for (const [what, shape, story, keys, segment] of PLACES) {
  storeTest(`the place of an item: ${what}`, () => {
    const client = storeWithItem(shape);
    play(client, story);
    assertEquals(placeOf(client), [[...keys], segment]);
  });
}

/** An item of COLD that is read: its segment and time after each, until the maintainer has run. */
const IN_COLD: readonly (readonly [what: string, story: Story, segment: number, time: number])[] = [
  ["one read does nothing", [[5, "get"], [9, "maintain"]], COLD, 0],
  ["the second read notes no time", [[5, "get"], [7, "get"]], COLD, 0],
  [
    "the maintainer moves it, in its own second",
    [[5, "get"], [7, "get"], [9, "maintain"]],
    WARM,
    9,
  ],
  ["a touch and a read move it", [[5, "touch"], [7, "get"], [9, "maintain"]], WARM, 9],
  [
    "a maintainer whose clock is behind leaves the time",
    [[5, "get"], [7, "touch"], [6, "maintain"]],
    WARM,
    7,
  ],
];

for (const [what, story, segment, time] of IN_COLD) {
  storeTest(`an item of COLD: ${what}`, () => {
    const client = storeWithItem();
    const { store } = client;
    store.tunables.set("hotLruPct", 0);
    store.tunables.set("warmLruPct", 100);
    new LruMaintainer(store).run(0);
    assertEquals(placeOf(client), [["z", "k", "a"], COLD]);
    play(client, story);
    const it = client.find("k");
    assertEquals(placeOf(client)[1], segment);
    assertEquals(itemTime(store.items, it) - STORED_AT, time);
    if (segment === WARM) assertEquals(itemFlags(store.items, it) & BOTH, FETCHED);
  });
}

storeTest("touchLocked() writes the expiry that is asked for, and nothing of the list", () => {
  const client = storeWithItem();
  const { items, clock } = client.store;
  const list = itemLruId(items, client.find("k"));
  for (const [asked, seconds] of [[10, STORED_AT + 10], [-1, 1], [0, 0]] as const) {
    client.set("k", "1", { exptime: 500 });
    assertEquals(itemExptime(items, client.find("k")), clock.now + 500);
    client.touch("k", asked);
    assertEquals([itemExptime(items, client.find("k")), itemLruId(items, client.find("k"))], [
      seconds,
      list,
    ]);
  }
});

storeTest("a flush of a moment that is past spares what was touched in its second", () => {
  for (const [touchedAt, lives] of [[8, false], [9, false], [10, true]] as const) {
    const client = storeWithItem();
    play(client, [[touchedAt, "touch"]]);
    client.store.clock.now = STORED_AT + 20;
    flushAt(client.store, STORED_AT + 10);
    assertEquals(client.get("k") !== undefined, lives, `touched in second ${touchedAt}`);
  }
});
