// Goal: one thread at a time holds a lock, and no thread takes them in an order that can deadlock.

import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { type LockIndex, LockRank, Locks } from "./lock.ts";

const { WORLD, BUCKET, LRU, SLAB } = LockRank;
const RANKS = Object.values(LockRank);

function makeWords(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(64));
}

function at(index: number): LockIndex {
  return index as LockIndex;
}

Deno.test("Locks.lock() takes locks in rank order", () => {
  const locks = new Locks(makeWords());
  for (const rank of RANKS) {
    locks.lock(at(rank), rank);
    assertEquals(locks.heldCount(rank), 1);
    assertEquals(locks.idle, false);
  }
  for (const rank of RANKS) locks.unlock(at(rank), rank);
  assertEquals(locks.idle, true);
});

for (const held of RANKS) {
  for (const wanted of RANKS) {
    const allowed = wanted > held;
    Deno.test(`Locks.lock() ${allowed ? "takes" : "refuses"} rank ${wanted} over ${held}`, () => {
      const words = makeWords();
      const locks = new Locks(words);
      locks.lock(at(0), held);
      if (allowed) locks.lock(at(1), wanted);
      else assertThrows(() => locks.lock(at(1), wanted), InvariantError, "out of order");
      assertEquals(words[1] !== 0, allowed, "A refusal leaves the lock free");
    });
  }
}

Deno.test("Locks.lock() takes up a lower rank again once the higher one is given back", () => {
  const locks = new Locks(makeWords());
  for (let round = 0; round < 3; round++) {
    locks.lock(at(0), BUCKET);
    locks.lock(at(1), SLAB);
    locks.unlock(at(1), SLAB);
    locks.lock(at(2), LRU);
    locks.unlock(at(0), BUCKET);
    locks.unlock(at(2), LRU);
  }
  assertEquals(locks.idle, true);
});

Deno.test("Locks.tryLock() goes against the order", () => {
  const locks = new Locks(makeWords());
  locks.lock(at(0), BUCKET);
  locks.lock(at(1), LRU);
  assertEquals(locks.tryLock(at(2), BUCKET), true);
  assertEquals(locks.heldCount(BUCKET), 2);
  locks.lock(at(3), SLAB);
  locks.unlock(at(3), SLAB);
  locks.unlock(at(2), BUCKET);
  assertEquals(locks.heldCount(BUCKET), 1);
});

Deno.test("Locks.tryLock() does not take a lock that any thread holds, this one included", () => {
  const words = makeWords();
  const [mine, theirs] = [new Locks(words), new Locks(words)];
  theirs.lock(at(0), BUCKET);
  assertEquals(mine.tryLock(at(0), BUCKET), false);
  assertEquals(theirs.tryLock(at(0), BUCKET), false);
  assertEquals(mine.idle, true);
  theirs.unlock(at(0), BUCKET);
  assertEquals(mine.tryLock(at(0), BUCKET), true);
});

Deno.test("Locks.lockWithin() takes a free lock, and gives up on one that is held", () => {
  const words = makeWords();
  const [mine, theirs] = [new Locks(words), new Locks(words)];
  assertEquals(mine.lockWithin(at(0), WORLD, 0), true);
  assertEquals(theirs.lockWithin(at(0), WORLD, 1), false);
  assertEquals(theirs.idle, true);
  mine.unlock(at(0), WORLD);
  assertEquals(theirs.lockWithin(at(0), WORLD, 1), true);
  theirs.lock(at(1), BUCKET);
  assertThrows(() => theirs.lockWithin(at(2), WORLD, 1), InvariantError, "out of order");
});

Deno.test("Locks.lock() of a thread with a limit gives up on one that is held", () => {
  const words = makeWords();
  const [mine, theirs] = [new Locks(words, 1), new Locks(words)];
  theirs.lock(at(0), LRU);
  assertThrows(() => mine.lock(at(0), LRU), InvariantError, "Lock 0 not had within 1 ms");
  assertEquals(mine.idle, true);
  theirs.unlock(at(0), LRU);
  mine.lock(at(0), LRU);
  assertEquals(mine.heldCount(LRU), 1);
});

Deno.test("Locks.unlock() refuses a lock that is free", () => {
  const locks = new Locks(makeWords());
  assertThrows(() => locks.unlock(at(3), BUCKET), InvariantError, "Lock 3 released but not held");
});

/** Adds one to a plain word, many times, each under the lock. The word is no atomic: it would lose
 * additions if two threads were in there at once. */
const ADDER = `
  import { Locks } from "${import.meta.resolve("./lock.ts")}";
  self.onmessage = ({ data: { words, count } }) => {
    const locks = new Locks(words);
    Atomics.add(words, 2, 1);
    Atomics.notify(words, 2);
    for (let here = 0; (here = Atomics.load(words, 2)) < 2;) Atomics.wait(words, 2, here);
    for (let n = 0; n < count; n++) {
      locks.lock(0, 0);
      const before = words[1];
      if (n % 64 === 0) for (let spin = 0; spin < 2000; spin++) words[3] = spin;
      words[1] = before + 1;
      locks.unlock(0, 0);
    }
    self.postMessage(locks.idle);
  };
`;

Deno.test("Locks.lock() lets one thread in at a time", async () => {
  const words = makeWords();
  const count = 50_000;
  const url = URL.createObjectURL(new Blob([ADDER], { type: "application/javascript" }));
  const workers = [1, 2].map(() => new Worker(url, { type: "module" }));
  const idle = await Promise.all(workers.map((worker) =>
    new Promise<boolean>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<boolean>) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ words, count });
    })
  ));
  for (const worker of workers) worker.terminate();
  URL.revokeObjectURL(url);
  assertEquals(idle, [true, true]);
  assertEquals(words[1], 2 * count);
  assertEquals(words[0], 0, "The lock is free");
});
