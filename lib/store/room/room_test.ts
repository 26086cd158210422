// Goal: a command is refused memory only when there is none to be had: whatever is active, held,
// far from the tails or in a page of another class, it finds room as long as anything may go.
// Method: full stores in which ten tries at the tails free nothing, each in a way of its own, and
// every command that takes memory in each of them.

import { assert, assertEquals } from "@std/assert";
import { chunksToBeHad, refusalProblem } from "../../../tests/support/refusals.ts";
import { type Held, StoreClient } from "../../../tests/support/store_client.ts";
import { Block } from "../../base/block.ts";
import { makeControlMemory } from "../../memory/regions.ts";
import { Snapshot } from "../../stats/counters.ts";
import type { CounterName } from "../../stats/names.ts";
import { checkStore } from "../check.ts";
import { ItemFlag, itemFlags, itemLruId, NO_ITEM, setItemFlags } from "../item/item.ts";
import { type LruId, lruIdOf, LruSegment } from "../lru/lists.ts";
import { relinkLocked } from "./tail.ts";
import { openThread, planStore, type StoreShape } from "../plan.ts";
import { SlabMover } from "../maintenance/mover.ts";
import { SlabWord } from "../slab/record.ts";
import type { SlabClass } from "../slab/classes.ts";
import { ownClassOf } from "../link.ts";
import { startStore, Store } from "../store.ts";
import { StoreMode } from "../outcome.ts";
import {
  FLAT,
  makeStore,
  SMALL_SHAPE,
  storeTest,
  testClock,
  withList,
  withShard,
} from "../store_fixture.ts";

const MIB = 2 ** 20;

interface Bed {
  readonly client: StoreClient;
  /** What the store is full of, oldest first. */
  readonly keys: readonly string[];
  readonly clsid: SlabClass;
  readonly value: string;
}

/** A store full of items of one class, with room in each for ten bytes more. */
function fullBed(shape: Partial<StoreShape> = {}, length = 19_000): Bed {
  const client = new StoreClient(makeStore({ maxbytes: 2 * MIB, ...shape }, testClock()));
  const { slabs, classes } = client.store;
  const value = "v".repeat(length);
  assertEquals(client.set("k0", value), "STORED");
  const clsid = ownClassOf(client.store, client.find("k0"));
  const count = classes.perPage[clsid]! * slabs.pages.limit;
  const keys = Array.from({ length: count }, (_, n) => `k${n}`);
  for (const key of keys) assertEquals(client.set(key, value), "STORED");
  assertEquals(slabs.freeChunks(clsid), 0);
  return { client, keys, clsid, value };
}

/** Puts every item on the list of `segment`, as one that was read again. */
function moveAll({ client, keys, clsid }: Bed, segment: LruSegment): void {
  const { store } = client;
  const { lru, items } = store;
  for (const key of keys) {
    const it = client.find(key);
    const list = itemLruId(items, it) as LruId;
    withShard(store, store.assoc.hashOf(it), () => {
      withList(store, list, () => lru.unlinkLocked(list, it));
      relinkLocked(store, lruIdOf(clsid, segment), it);
    });
    setItemFlags(items, it, itemFlags(items, it) | ItemFlag.FETCHED | ItemFlag.ACTIVE);
  }
}

function total({ client }: Bed, name: CounterName): number {
  return new Snapshot(client.store.control).of(name);
}

function check({ client }: Bed, held: readonly Held[]): void {
  for (const each of held) client.letGo(each);
  assertEquals(checkStore(client.store).problems, []);
}

function newest({ keys }: Bed): string {
  return keys[keys.length - 1]!;
}

/** Ways in which ten tries at the tails free nothing: what clients hold meanwhile. */
const WAYS: Readonly<Record<string, (bed: Bed) => Held[]>> = {
  "all in HOT are active": (bed) => (moveAll(bed, LruSegment.HOT), []),
  "all in WARM are active": (bed) => (moveAll(bed, LruSegment.WARM), []),
  "all are short-lived": (bed) => (moveAll(bed, LruSegment.TEMP), []),
  "the tail of COLD is held": (bed) => {
    moveAll(bed, LruSegment.COLD);
    return bed.keys.slice(0, 60).map((key) => bed.client.hold(key));
  },
  "all but the two newest are held": (bed) => {
    return bed.keys.slice(0, -2).map((key) => bed.client.hold(key));
  },
};

/** Commands that take memory; the key is there already, and newest. */
const COMMANDS: Readonly<Record<string, (bed: Bed, key: string) => string>> = {
  set: ({ client, value }) => client.set("new", value),
  add: ({ client, value }) => client.put(StoreMode.ADD, "new", value),
  replace: ({ client, value }, key) => client.put(StoreMode.REPLACE, key, value),
  append: ({ client }, key) => client.put(StoreMode.APPEND, key, "tail"),
  prepend: ({ client }, key) => client.put(StoreMode.PREPEND, key, "head"),
  cas: ({ client, value }, key) => {
    const cas = client.peek(key)?.cas ?? 0n;
    return client.put(StoreMode.CAS, key, value, { cas });
  },
};

for (const [way, prepare] of Object.entries(WAYS)) {
  for (const [name, command] of Object.entries(COMMANDS)) {
    storeTest(`reclaimChunk() finds room for ${name} where ${way}`, () => {
      for (const shape of [{}, FLAT, { slabReassign: false }]) {
        const bed = fullBed(shape);
        const held = prepare(bed);
        assertEquals(command(bed, newest(bed)), "STORED");
        for (const each of held) assertEquals(bed.client.valueOf(each), bed.value);
        check(bed, held);
      }
    });
  }

  storeTest(`reclaimChunk() finds room for a longer number where ${way}`, () => {
    const bed = fullBed({ maxbytes: MIB }, 19);
    const held = prepare({ ...bed, keys: bed.keys.slice(0, -1) });
    const key = newest(bed);
    assertEquals(bed.client.set(key, "9"), "STORED");
    assertEquals(bed.client.add(key, 1n), 10n);
    check(bed, held);
  });
}

storeTest("reclaimChunk() leaves items that are held where they can be found", () => {
  const bed = fullBed(FLAT);
  const held = bed.keys.slice(0, -1).map((key) => bed.client.hold(key));
  for (let n = 0; n < 5; n++) assertEquals(bed.client.set(`new${n}`, bed.value), "STORED");
  const gone = bed.keys.filter((key) => bed.client.peek(key) === undefined);
  assert(gone.length <= 5 * 10 + 1, `${gone.length} gone: more than ten tries each`);
  check(bed, held);
});

storeTest("a set is refused when clients hold all that there is, and not a chunk before", () => {
  for (const shape of [{}, FLAT]) {
    const bed = fullBed(shape);
    const { client, keys, clsid, value } = bed;
    const held = keys.slice(0, -3).map((key) => client.hold(key));
    const more: Held[] = [];
    for (let n = 0; n < 3; n++) {
      assert(chunksToBeHad(client.store, clsid, NO_ITEM) > 0);
      assertEquals(client.set(`new${n}`, value), "STORED");
      more.push(client.hold(`new${n}`));
    }
    assertEquals(chunksToBeHad(client.store, clsid, NO_ITEM), 0);
    assertEquals(client.set("new", value), "NO_MEMORY");
    for (const each of more.splice(2)) client.letGo(each);
    assertEquals(client.set("new", value), "STORED");
    check(bed, [...held, ...more]);
  }
});

/** A store full of small items, and the two pages of class `clsid` all held. */
function heldClass(shape: Partial<StoreShape> = {}): { bed: Bed; held: Held[] } {
  const bed = fullBed({ maxbytes: 6 * MIB, ...shape }, 700);
  const held: Held[] = [];
  // The first page of a class comes from beyond the limit, the others from the class of the bed.
  while (held.length < 60) {
    const key = `held${held.length}`;
    assertEquals(bed.client.set(key, "h".repeat(19_000)), "STORED");
    held.push(bed.client.hold(key));
  }
  return { bed, held };
}

storeTest("a class whose items are all held takes a page of another class at once", () => {
  const { bed, held } = heldClass();
  assertEquals(total(bed, "direct_page_moves"), 1);
  assertEquals(total(bed, "slabs_moved"), 1);
  for (const each of held) assertEquals(bed.client.valueOf(each), "h".repeat(19_000));
  check(bed, held);
});

storeTest("a page is not taken with slab_automove=0, nor the last one of a class", () => {
  const bed = fullBed(
    { maxbytes: 6 * MIB, tuning: { ...SMALL_SHAPE.tuning, slabAutomove: 0 } },
    700,
  );
  const { client } = bed;
  const held: Held[] = [];
  const value = "h".repeat(19_000);
  while (client.set(`held${held.length}`, value) === "STORED") {
    held.push(client.hold(`held${held.length}`));
  }
  assertEquals(total(bed, "direct_page_moves"), 0);
  client.store.tunables.set("slabAutomove", 1);
  while (client.set(`held${held.length}`, value) === "STORED") {
    held.push(client.hold(`held${held.length}`));
  }
  assertEquals(total(bed, "direct_page_moves"), 5);
  assertEquals(client.store.slabs.word(bed.clsid, SlabWord.PAGES), 1);
  check(bed, held);
});

storeTest(
  "a page that the mover has begun to empty goes to the first command that needs it",
  () => {
    const bed = fullBed({ maxbytes: 6 * MIB }, 700);
    const { client, clsid } = bed;
    const mover = new SlabMover(client.store);
    assertEquals(mover.start(clsid, 1), true);
    mover.step();
    const held: Held[] = [];
    while (total(bed, "direct_page_moves") === 0) {
      assertEquals(client.set(`held${held.length}`, "h".repeat(19_000)), "STORED");
      held.push(client.hold(`held${held.length}`));
    }
    const pages = client.store.slabs.word(clsid, SlabWord.PAGES);
    while (mover.isRunning) mover.step();
    assertEquals(client.store.slabs.word(clsid, SlabWord.PAGES), pages, "One page moved, not two");
    check(bed, held);
  },
);

storeTest("a page stays with its class while something in it is held, and another one goes", () => {
  const bed = fullBed({ maxbytes: 3 * MIB }, 19_000);
  const { client, keys, clsid } = bed;
  const perPage = client.store.classes.perPage[clsid]!;
  const inThird = keys.slice(2 * perPage, 2 * perPage + 1).map((key) => client.hold(key));
  const inFirst = keys.slice(0, 1).map((key) => client.hold(key));
  const held: Held[] = [];
  while (client.set(`held${held.length}`, "h".repeat(100_000)) === "STORED") {
    held.push(client.hold(`held${held.length}`));
  }
  assertEquals(total(bed, "direct_page_moves"), 1, "The second page of three");
  check(bed, [...inThird, ...inFirst, ...held]);
});

storeTest("a large value takes as many pages as it needs, and is whole", () => {
  for (const length of [600_000, 3 * MIB, 5 * MIB]) {
    const bed = fullBed({ maxbytes: 8 * MIB, itemSizeMax: 16 * MIB }, 700);
    const value = "0123456789".repeat(length / 10);
    assertEquals(bed.client.set("large", value), "STORED");
    assertEquals(bed.client.get("large")?.value === value, true);
    check(bed, []);
  }
});

storeTest("nothing goes for a value that can never fit", () => {
  const bed = fullBed({ maxbytes: 4 * MIB, itemSizeMax: 16 * MIB }, 700);
  assertEquals(bed.client.set("large", "x".repeat(5 * MIB)), "NO_MEMORY");
  assertEquals(bed.keys.filter((key) => bed.client.peek(key) === undefined), []);
  check(bed, []);
});

storeTest("a large item grows by append although its chunks have to be taken from others", () => {
  const bed = fullBed({ maxbytes: 8 * MIB, itemSizeMax: 8 * MIB }, 700);
  const { client } = bed;
  const part = "0123456789".repeat(60_000);
  assertEquals(client.set("large", part), "STORED");
  for (const parts of [2, 3]) {
    assertEquals(client.put(StoreMode.APPEND, "large", part), "STORED");
    assertEquals(client.get("large")?.value === part.repeat(parts), true);
  }
  check(bed, []);
});

storeTest("reclaimChunk() evicts a large item for the small chunk that its header is in", () => {
  const client = new StoreClient(
    makeStore({ maxbytes: 4 * MIB, slabReassign: false }, testClock()),
  );
  const { classes, slabs } = client.store;
  const value = "x".repeat(MIB - 1000);
  for (let n = 0; n < 3; n++) assertEquals(client.set(`large${n}`, value), "STORED");
  const header = ownClassOf(client.store, client.find("large2"));
  const held: Held[] = [];
  const room = classes.perPage[header]! - 3;
  // What is left of the header's page is filled and held: then only large items can go.
  for (let n = 0; n < room; n++) {
    assertEquals(client.set(`s${n}`.padEnd(9, "-"), ""), "STORED");
    held.push(client.hold(`s${n}`.padEnd(9, "-")));
  }
  assertEquals(slabs.freeChunks(header), 0);
  assertEquals(client.set("new------", ""), "STORED");
  for (const each of held) client.letGo(each);
});

storeTest("with -M nothing goes", () => {
  const bed = fullBed({ evictions: false });
  moveAll(bed, LruSegment.COLD);
  assertEquals(bed.client.set("new", bed.value), "NO_MEMORY");
  assertEquals(bed.keys.filter((key) => bed.client.peek(key) === undefined), []);
  check(bed, []);
});

storeTest("a page that is taken costs its class the items that were read longest ago", () => {
  const client = new StoreClient(makeStore({ maxbytes: 16 * MIB, itemSizeMax: 8 * MIB }));
  const value = "v".repeat(10_000);
  const keys = Array.from({ length: 1400 }, (_, n) => `k${n}`);
  for (const key of keys) client.set(key, value);
  // One of ten is stored again: the newest items are in chunks of all pages.
  const newest = keys.filter((_, n) => n % 10 === 0);
  for (const key of newest) client.delete(key);
  for (const key of newest) client.set(key, value);
  for (let n = 0; client.peek(keys[1]!) !== undefined; n++) client.set(`more${n}`, value);
  assertEquals(client.set("large", "x".repeat(5 * MIB)), "STORED");
  assert(new Snapshot(client.store.control).of("direct_page_moves") > 0);
  assertEquals(newest.filter((key) => client.peek(key) === undefined), []);
});

storeTest("refusalProblem() notices a store that looks at the tails alone", () => {
  const bed = fullBed();
  moveAll(bed, LruSegment.HOT);
  bed.client.store.assoc.hasLocked = () => false;
  assertEquals(bed.client.set("new", bed.value), "NO_MEMORY");
  const refused = { bytes: 32 + 8 + 3 + bed.value.length + 2, kept: NO_ITEM, others: 0 };
  assert(refusalProblem(bed.client.store, refused) !== undefined);
});

/** Fills a class with `filler`, and another one with `own`, which clients hold. */
function twoClasses(filler: string, own: string): { client: StoreClient; held: Held[] } {
  const client = new StoreClient(makeStore({ maxbytes: 8 * MIB }));
  const { slabs } = client.store;
  const isFull = (key: string) =>
    slabs.freeChunks(ownClassOf(client.store, client.find(key))) === 0;
  for (let n = 0;; n++) {
    client.set(`k${n}`, filler);
    if (slabs.pages.inUse >= slabs.pages.limit && isFull("k0")) break;
  }
  const held: Held[] = [];
  for (let n = 0;; n++) {
    client.set(`own${n}`, own);
    held.push(client.hold(`own${n}`));
    if (isFull(`own${n}`)) return { client, held };
  }
}

storeTest("an append costs other items than its own, however long ago that was read", () => {
  const { client, held } = twoClasses("v".repeat(10_000), "w".repeat(11_900));
  assertEquals(client.put(StoreMode.APPEND, "k0", "x".repeat(1900)), "STORED");
  assertEquals(client.peek("k0")?.value.length, 11_900);
  assert(new Snapshot(client.store.control).of("direct_page_moves") > 0);
  for (const one of held) client.letGo(one);
});

storeTest("an append that cannot fit costs no item", () => {
  const shape = { maxbytes: 32 * MIB, itemSizeMax: 32 * MIB };
  const client = new StoreClient(makeStore(shape));
  client.set("large", "x".repeat(15 * MIB));
  for (let n = 0; n < 10_000; n++) client.set(`k${n}`, "v".repeat(1000));
  const keys = Array.from({ length: 10_000 }, (_, n) => `k${n}`);
  const there = () => keys.filter((key) => client.peek(key) !== undefined).length;
  const before = there();
  assertEquals(client.put(StoreMode.APPEND, "large", "x".repeat(MIB - 100)), "NOT_STORED");
  assertEquals([there(), client.peek("large")?.value.length], [before, 15 * MIB]);
  assertEquals(new Snapshot(client.store.control).of("direct_page_moves"), 0);
});

storeTest("a chunk that another thread keeps is as good as any", () => {
  const shape = { ...SMALL_SHAPE, threads: 2, maxbytesCeiling: SMALL_SHAPE.maxbytes };
  const plan = planStore(shape);
  const memory = {
    control: makeControlMemory(plan.regions),
    segments: plan.segmentBytes.map(Block.ofLength),
    buckets: new ArrayBuffer(plan.bucketBytes),
  };
  const clientOf = (thread: number) =>
    new StoreClient(new Store(openThread(plan, memory, thread, testClock())));
  const [one, other] = [clientOf(1), clientOf(2)];
  startStore(one.store, plan);
  const { slabs } = one.store;
  const value = "v".repeat(12_000);
  const held: Held[] = [];
  const isFull = () => slabs.freeChunks(ownClassOf(one.store, one.find("k0"))) === 0;
  for (let n = 0; n === 0 || slabs.pages.inUse < slabs.pages.limit || !isFull(); n++) {
    one.set(`k${n}`, value);
    if (n > 0) held.push(one.hold(`k${n}`));
  }
  one.delete("k0"); // It keeps the chunk for itself.
  assertEquals(other.set("new", value), "STORED");
  for (const item of held) one.letGo(item);
});
