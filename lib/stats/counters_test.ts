// Goal: what threads add up apart is one total, and a reset makes counters start again, not gauges.

import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { type LockIndex, LockRank, Locks } from "../memory/lock.ts";
import { type Control, Global } from "../memory/regions.ts";
import { makeControl } from "../memory/control_fixture.ts";
import { Counters, resetCountersLocked, Snapshot } from "./counters.ts";
import {
  CLASS_ROWS,
  ClassCounter,
  CLASSES_MAX,
  Counter,
  COUNTERS_PER_THREAD,
  THREAD_ROWS,
} from "./names.ts";

const SETTINGS_LOCK = Global.SETTINGS_LOCK as LockIndex;
const THREADS = 3;
const SIZES = { counterThreads: THREADS, countersPerThread: COUNTERS_PER_THREAD };

function threadsOf(control: Control): Counters[] {
  return Array.from({ length: THREADS }, (_, thread) => new Counters(control, thread));
}

Deno.test("Snapshot is the sum over all threads", () => {
  const control = makeControl(SIZES);
  threadsOf(control).forEach((counters, thread) => {
    counters.add(Counter.CMD_GET, 10 ** thread);
    counters.addClass(5, ClassCounter.CMD_SET, 2 * 10 ** thread);
    counters.addClass(63, ClassCounter.CMD_SET, 1);
  });
  const totals = new Snapshot(control);
  assertEquals(totals.of("cmd_get"), 111);
  assertEquals(totals.ofClass(5, "cmd_set"), 222);
  assertEquals(totals.ofClass(6, "cmd_set"), 0);
  assertEquals(totals.ofClasses("cmd_set"), 225);
});

Deno.test("Counters gives every counter a slot of its own", () => {
  const control = makeControl(SIZES);
  const [, counters] = threadsOf(control) as [Counters, Counters, Counters];
  let next = 1;
  for (const name of Object.keys(Counter) as (keyof typeof Counter)[]) {
    counters.add(Counter[name], next++);
  }
  for (let clsid = 0; clsid < CLASSES_MAX; clsid++) {
    for (const name of Object.keys(ClassCounter) as (keyof typeof ClassCounter)[]) {
      counters.addClass(clsid, ClassCounter[name], next++);
    }
  }
  assertEquals(next - 1, COUNTERS_PER_THREAD);
  const totals = new Snapshot(control);
  let expected = 1;
  for (const [name] of THREAD_ROWS) assertEquals(totals.of(name), expected++, name);
  for (let clsid = 0; clsid < CLASSES_MAX; clsid++) {
    for (const [name] of CLASS_ROWS) assertEquals(totals.ofClass(clsid, name), expected++, name);
  }
});

Deno.test("Snapshot does not change when threads go on", () => {
  const control = makeControl(SIZES);
  const [counters] = threadsOf(control) as [Counters, Counters, Counters];
  counters.add(Counter.CMD_GET, 1);
  const before = new Snapshot(control);
  counters.add(Counter.CMD_GET, 1);
  assertEquals(before.of("cmd_get"), 1);
  assertEquals(new Snapshot(control).of("cmd_get"), 2);
});

Deno.test("Counters count beyond 2^32", () => {
  const control = makeControl(SIZES);
  for (const counters of threadsOf(control)) counters.add(Counter.BYTES_READ, 2 ** 40);
  assertEquals(new Snapshot(control).of("bytes_read"), THREADS * 2 ** 40);
});

Deno.test("resetCountersLocked() zeroes every counter and keeps every gauge", () => {
  const control = makeControl(SIZES);
  const locks = new Locks(control.i32);
  for (let round = 0; round < 2; round++) {
    for (const counters of threadsOf(control)) {
      for (let slot = 0; slot < THREAD_ROWS.length; slot++) counters.add(slot, 5);
      for (let slot = 0; slot < CLASS_ROWS.length; slot++) counters.addClass(7, slot, 5);
    }
    assertThrows(() => resetCountersLocked(control, locks), InvariantError);
    locks.lock(SETTINGS_LOCK, LockRank.SETTINGS);
    resetCountersLocked(control, locks);
    locks.unlock(SETTINGS_LOCK, LockRank.SETTINGS);
    const totals = new Snapshot(control);
    const left = (round + 1) * THREADS * 5;
    for (const [name, kind] of THREAD_ROWS) {
      assertEquals(totals.of(name), kind === "gauge" ? left : 0, name);
    }
    for (const [name, kind] of CLASS_ROWS) {
      assertEquals(totals.ofClass(7, name), kind === "gauge" ? left : 0, name);
    }
  }
  const [counters] = threadsOf(control) as [Counters, Counters, Counters];
  counters.add(Counter.CMD_GET, 3);
  counters.addClass(7, ClassCounter.NUMBER, -1);
  assertEquals(new Snapshot(control).of("cmd_get"), 3);
  assertEquals(new Snapshot(control).ofClass(7, "number"), 2 * THREADS * 5 - 1);
});
