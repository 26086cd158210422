// Goal: once all threads have reported, no thread is in a turn while the world is stopped.

import { assertEquals, assertThrows } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { loadWord } from "./atomic.ts";
import { type LockIndex, LockRank, Locks } from "./lock.ts";
import { type Control, Global } from "./regions.ts";
import { makeControl } from "./control_fixture.ts";
import { askSwitch, awaitReports, startWorld, stopWorld, World } from "./world_lock.ts";

const NOT_OVER = () => false;
const OVER = () => true;

function turn(world: World): void {
  world.enter();
  world.switchAtTurnEnd();
  world.leave();
}

function reports({ u32 }: Control): number {
  return loadWord(u32, Global.WORLD_REPORTS);
}

Deno.test("World takes no lock in granular mode", () => {
  const control = makeControl();
  const locks = new Locks(control.i32);
  const world = new World(control, locks);
  world.enter();
  assertEquals(locks.idle, true);
  turn(world);
  assertEquals(reports(control), 0, "There was nothing to report");
});

Deno.test("World switches at the end of the turn at hand, and reports that once", () => {
  const control = makeControl();
  const locks = new Locks(control.i32);
  const world = new World(control, locks);
  askSwitch(control);
  world.enter();
  world.leave();
  assertEquals([world.isGlobal, reports(control)], [false, 0], "It has not switched");
  world.enter();
  world.switchAtTurnEnd();
  assertEquals([world.isGlobal, reports(control)], [false, 0], "The turn goes on as it began");
  world.leave();
  assertEquals([world.isGlobal, reports(control)], [true, 1]);
  world.enter();
  assertEquals(locks.heldCount(LockRank.WORLD), 1);
  world.leave();
  assertEquals([locks.idle, reports(control)], [true, 1]);
});

Deno.test("World makes up for switches that it slept through", () => {
  const control = makeControl();
  const world = new World(control, new Locks(control.i32));
  for (let n = 0; n < 2; n++) askSwitch(control);
  turn(world);
  assertEquals([world.isGlobal, reports(control)], [false, 2]);
  for (let n = 0; n < 3; n++) askSwitch(control);
  turn(world);
  assertEquals([world.isGlobal, reports(control)], [true, 5]);
});

Deno.test("World does not switch with a lock held", () => {
  const control = makeControl();
  const locks = new Locks(control.i32);
  const world = new World(control, locks);
  locks.lock(100 as LockIndex, LockRank.BUCKET);
  askSwitch(control);
  world.switchAtTurnEnd();
  assertThrows(() => world.leave(), InvariantError, "Locks switched with one held");
});

Deno.test("awaitReports() waits for every thread, those late from before included", async () => {
  const control = makeControl();
  const threads = [1, 2].map(() => new World(control, new Locks(control.i32)));
  askSwitch(control);
  turn(threads[0]!);
  assertEquals(await awaitReports(control, 2, OVER), false);
  askSwitch(control);
  turn(threads[0]!);
  const waiting = awaitReports(control, 2, NOT_OVER);
  turn(threads[1]!);
  assertEquals(await waiting, true);
});

Deno.test("stopWorld() waits for a turn's end, and keeps the next from beginning", () => {
  const control = makeControl();
  const [main, worker] = [new Locks(control.i32), new Locks(control.i32)];
  const world = new World(control, worker);
  askSwitch(control);
  turn(world);
  world.enter();
  assertEquals(stopWorld(main, 5), false);
  assertEquals(main.idle, true);
  world.leave();
  assertEquals(stopWorld(main, 5), true);
  assertEquals(worker.tryLock(Global.WORLD_LOCK as LockIndex, LockRank.WORLD), false);
  startWorld(main);
  world.enter();
  world.leave();
});
