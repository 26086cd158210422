// Goal: a pause has the store to itself, and an attempt that fails leaves the locks as they were.

import { assert, assertEquals } from "@std/assert";
import { InvariantError } from "../base/assert.ts";
import { Locks } from "../memory/lock.ts";
import type { Control } from "../memory/regions.ts";
import { World } from "../memory/world_lock.ts";
import { makeStore } from "../store/store_fixture.ts";
import { NoPause, pauseWorld, type WorldReach } from "./stop_world.ts";

/** Threads that each have a turn whenever the main thread tells them something. */
function makeReach(count: number): { reach: WorldReach; control: Control; told: string[] } {
  const { control, locks } = makeStore();
  const told: string[] = [];
  const worlds = Array.from({ length: count }, () => new World(control, new Locks(control.i32)));
  const tell = (mode: string): void => {
    told.push(mode);
    for (const world of worlds) world.switchAtTurnEnd();
    // They get to their turns when the main thread waits.
    setTimeout(() => worlds.forEach((world) => (world.enter(), world.leave())), 1);
  };
  const reach = { control, locks, threads: count, tell, isEnding: () => false };
  return { reach, control, told };
}

Deno.test("pauseWorld() switches all threads, runs, and switches them back", async () => {
  const { reach, told } = makeReach(3);
  for (let round = 0; round < 3; round++) {
    const pause = await pauseWorld(reach, () => {
      assertEquals(reach.locks.idle, false, "The world is held");
      return round;
    });
    if (typeof pause === "string") throw new Error(pause);
    assertEquals(pause.result, round);
    assert(pause.reportsMs >= 0 && pause.lockMs >= 0 && pause.stillMs >= 0);
  }
  assertEquals(told, ["g", "l", "g", "l", "g", "l"]);
  assertEquals(reach.locks.idle, true);
});

Deno.test("pauseWorld() gives up when the server ends meanwhile", async () => {
  const { reach, told } = makeReach(1);
  let calls = 0;
  const ending = { ...reach, threads: 2, isEnding: () => calls++ > 0 };
  assertEquals(await pauseWorld(ending, () => assert(false, "not reached")), NoPause.ENDING);
  assertEquals(told, ["g", "l"]);
});

Deno.test("pauseWorld() does not go on after a run that throws", async () => {
  const { reach } = makeReach(1);
  let caught: unknown;
  await pauseWorld(reach, () => {
    throw new InvariantError("broken");
  }).catch((error) => caught = error);
  assert(caught instanceof InvariantError);
  assertEquals(reach.locks.idle, false, "What is broken is not served");
});
