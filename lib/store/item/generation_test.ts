// Goal: flush_all makes invisible what was stored before it, and nothing else, ever.
// Method: a store with a test clock; each case is a short story of sets, flushes and seconds.

import { assertEquals } from "@std/assert";
import { StoreClient } from "../../../tests/support/store_client.ts";
import { Global } from "../../memory/regions.ts";
import { checkStore } from "../check.ts";
import { makeStore, storeTest, testClock } from "../store_fixture.ts";
import { flushAt, flushNow } from "../whole_store.ts";

const SECOND = 100;

function clientAt(now: number): StoreClient {
  const clock = testClock();
  clock.now = now;
  return new StoreClient(makeStore({ maxbytes: 2 ** 20 }, clock));
}

/** Which of `keys` can be found. */
function found(client: StoreClient, ...keys: string[]): string[] {
  return keys.filter((key) => client.get(key) !== undefined);
}

storeTest("flushNow() flushes what was stored before it in the same second, and only that", () => {
  const client = clientAt(SECOND);
  client.set("before", "x");
  flushNow(client.store);
  client.set("after", "x");
  assertEquals(found(client, "before", "after"), ["after"]);
  client.store.clock.now += 1;
  assertEquals(found(client, "before", "after"), ["after"]);
  assertEquals(checkStore(client.store), { problems: [], items: 1 });
});

storeTest("flushNow() flushes again and again", () => {
  const client = clientAt(SECOND);
  for (let round = 0; round < 5; round++) {
    client.set("key", "x");
    flushNow(client.store);
    assertEquals(found(client, "key"), []);
    client.store.clock.now += round % 2;
  }
});

storeTest("flushNow() lets a value that replaces a flushed one live", () => {
  const client = clientAt(SECOND);
  client.set("key", "old");
  flushNow(client.store);
  client.set("key", "new");
  assertEquals(client.get("key")?.value, "new");
});

storeTest("flushAt() flushes nothing until its time has come", () => {
  const client = clientAt(SECOND);
  client.set("early", "x");
  flushAt(client.store, SECOND + 5);
  client.store.clock.now = SECOND + 3;
  client.set("late", "x");
  assertEquals(found(client, "late"), ["late"]); // Early is left alone: a read counts.
  client.store.clock.now = SECOND + 4;
  // memcached subtracts a second: whatever was last accessed up to second 104 is gone from then on.
  assertEquals(found(client, "early", "late"), []);
  client.store.clock.now = SECOND + 5;
  client.set("after", "x");
  client.store.clock.now = SECOND + 500;
  assertEquals(found(client, "early", "late", "after"), ["after"]);
});

storeTest("flushAt() takes the place of the moment that is pending", () => {
  const client = clientAt(SECOND);
  client.set("key", "x");
  flushAt(client.store, SECOND + 5);
  flushAt(client.store, SECOND + 50);
  client.store.clock.now = SECOND + 20;
  assertEquals(found(client, "key"), ["key"]);
  client.store.clock.now = SECOND + 50;
  assertEquals(found(client, "key"), []);
});

storeTest("flushNow() takes the place of the moment that is pending", () => {
  const client = clientAt(SECOND);
  flushAt(client.store, SECOND + 5);
  flushNow(client.store);
  client.set("key", "x");
  client.store.clock.now = SECOND + 20;
  assertEquals(found(client, "key"), ["key"]);
});

storeTest("flushAt() a moment that is past flushes what was not accessed since", () => {
  const client = clientAt(SECOND);
  client.set("old", "x");
  client.store.clock.now += 10;
  client.set("new", "x");
  flushAt(client.store, SECOND + 5);
  assertEquals(found(client, "old", "new"), ["new"]);
});

// What is flushed stays flushed: a later command must not bring back values that a client has got
// rid of, whether or not a client has looked for them in between.
const LATER: readonly (readonly [what: string, flush: (client: StoreClient) => void])[] = [
  ["another flush to come", ({ store }) => flushAt(store, store.clock.now + 100)],
  ["a flush of an earlier moment", ({ store }) => flushAt(store, SECOND - 50)],
  ["a flush at once", ({ store }) => flushNow(store)],
];

for (const [what, flush] of LATER) {
  storeTest(`flushAt() flushes for good, whatever follows: ${what}`, () => {
    const client = clientAt(SECOND);
    client.set("key", "x");
    flushAt(client.store, SECOND + 5);
    client.store.clock.now = SECOND + 20;
    flush(client);
    assertEquals(found(client, "key"), []);
  });
  storeTest(`flushNow() flushes for good, whatever follows: ${what}`, () => {
    const client = clientAt(SECOND);
    client.set("key", "x");
    flushNow(client.store);
    client.store.clock.now = SECOND + 20;
    flush(client);
    assertEquals(found(client, "key"), []);
  });
}

// A flush in one second takes the present second with it: it comes at once, and flushes what is
// stored later in that second too. Once another command has taken its place, it must not any more.
const INSTEAD: readonly (readonly [what: string, flush: (client: StoreClient) => void])[] = [
  ["a flush at once", ({ store }) => flushNow(store)],
  ["a flush to come", ({ store }) => flushAt(store, SECOND + 100)],
  ["a flush of an earlier moment", ({ store }) => flushAt(store, SECOND - 50)],
];

for (const [what, flush] of INSTEAD) {
  storeTest(`flushAt() of this second ends with ${what}`, () => {
    const client = clientAt(SECOND);
    client.set("before", "x");
    flushAt(client.store, SECOND + 1);
    client.set("during", "x");
    flush(client);
    client.set("after", "x");
    assertEquals(found(client, "before", "during", "after"), ["after"]);
    client.store.clock.now += 1;
    assertEquals(found(client, "before", "during", "after"), ["after"]);
  });
}

storeTest("flushNow() starts no generation where nothing was stored in the last one", () => {
  const client = clientAt(SECOND);
  client.set("key", "x");
  for (let count = 0; count < 0x10000; count++) flushNow(client.store);
  assertEquals(client.store.control.u32[Global.FLUSH_GENERATION], 1);
  client.set("later", "x");
  assertEquals(found(client, "key", "later"), ["later"]);
});

/** So many flushes, each of an item that was just stored; `pause` may let time pass. */
function flushStores(client: StoreClient, count: number, pause = (_: number) => {}): void {
  for (let n = 0; n < count; n++) {
    pause(n);
    client.set("other", "x");
    flushNow(client.store);
  }
}

storeTest("flushNow() outlives the turn of its generation within one second", () => {
  const client = clientAt(SECOND);
  client.set("key", "x");
  flushStores(client, 0x10000);
  // The generation is again the one that the item was stored in.
  assertEquals(client.store.control.u32[Global.FLUSH_GENERATION], 0);
  assertEquals(found(client, "key"), []);
  // The price: what is stored later in that second may not be found either. It is over soon.
  client.store.clock.now += 2;
  client.set("later", "x");
  assertEquals(found(client, "key", "later"), ["later"]);
  flushNow(client.store);
  client.set("later", "y");
  assertEquals(client.get("later")?.value, "y");
});

storeTest("flushNow() outlives the turn of its generation, and spares what is stored then", () => {
  const client = clientAt(SECOND);
  client.set("key0", "x");
  const pause = (n: number) => {
    if (n % 10_000 === 9_999) client.store.clock.now += 1;
  };
  for (let turn = 0; turn < 3; turn++) {
    // Of each quarter one item that no client looks for until its generation comes again.
    for (let quarter = 0; quarter < 4; quarter++) {
      client.set(`key${quarter}`, "x");
      flushStores(client, 0x4000, pause);
      const next = `key${(quarter + 1) % 4}`;
      assertEquals(found(client, next), [], `turn ${turn}, quarter ${quarter}`);
      client.set("now", "x");
      assertEquals(found(client, "now"), ["now"], `turn ${turn}, quarter ${quarter}`);
    }
    assertEquals(client.store.control.u32[Global.FLUSH_GENERATION], 0);
  }
});

storeTest("flushNow() is not misled by a thread that is late with its mark", () => {
  const client = clientAt(SECOND);
  const { control } = client.store;
  for (let late = 0; late < 4; late++) {
    client.set("key", "x");
    flushNow(client.store);
    // What a store does that has read the number some generations ago.
    const generation = control.u32[Global.FLUSH_GENERATION]!;
    client.set("key", "x");
    control.u32[Global.STORED_IN + ((generation - late) & 1)] = 1;
    flushNow(client.store);
    assertEquals(found(client, "key"), []);
  }
});

storeTest("flushNow() is not undone by a thread whose clock is a second behind", () => {
  // Each thread reads the clock once per turn of its loop, so that two may differ by a second.
  const client = clientAt(SECOND + 1);
  flushNow(client.store);
  client.store.clock.now = SECOND;
  client.set("stored after the flush", "x");
  client.store.clock.now = SECOND + 1;
  assertEquals(found(client, "stored after the flush"), ["stored after the flush"]);
});
