// Maintainer entry: the thread that keeps the store in order. It sleeps until the next turn is due,
// or until a worker wakes it.

import { assert } from "../../base/assert.ts";
import { type Clock, CLOCK_START } from "../../base/clock.ts";
import { loadWord } from "../../memory/atomic.ts";
import { Global, Stopping } from "../../memory/regions.ts";
import { World } from "../../memory/world_lock.ts";
import { SEGMENT_BYTES } from "../../memory/arena.ts";
import { Maintainer } from "../../store/maintenance/rounds.ts";
import { LogDrain } from "../../log/drain.ts";
import { sleepUntilWoken, wakeCount } from "../../store/control/requests.ts";
import { maintainerThread, openThread } from "../../store/plan.ts";
import { PAGE_BYTES } from "../../store/slab/classes.ts";
import { Store } from "../../store/store.ts";
import { discardMemory } from "../../sys/mmap.ts";
import type { MaintainerStart } from "../channel/notify.ts";
import { viewShared } from "../channel/shared_views.ts";
import { serveThread } from "../channel/thread_scope.ts";

/** Longest rest while somebody watches. */
const LINES_MS = 10;

serveThread<MaintainerStart>(({ settings, plan, memory, startUnix }, report) => {
  const clock: Clock = { startUnix, now: CLOCK_START };
  const number = maintainerThread(plan.shape);
  const thread = openThread(plan, viewShared(memory, plan), number, clock);
  const { control } = thread;
  const discard = (page: number): void => {
    if (settings.memoryFile !== null) return; // The room in a file is never given up.
    const position = page * PAGE_BYTES;
    const segment = memory.segments[Math.floor(position / SEGMENT_BYTES)]!;
    if (typeof segment !== "number") return; // Only system calls can give memory back.
    discardMemory(segment + position % SEGMENT_BYTES, PAGE_BYTES, settings.lockMemory);
  };
  const store = new Store(thread);
  const maintainer = new Maintainer(store, settings.lruMaintainer, discard);
  const drain = new LogDrain(control, store.lines);
  const world = new World(control, thread.locks);
  report({ type: "ready" });
  while (loadWord(control.u32, Global.STOPPING) === Stopping.NO) {
    const woken = wakeCount(control);
    world.enter();
    clock.now = loadWord(control.u32, Global.NOW);
    let restMs = maintainer.turn(performance.now());
    if (drain.turn()) restMs = 0;
    else if (drain.isWatched) restMs = Math.min(restMs, LINES_MS);
    world.switchAtTurnEnd();
    world.leave();
    assert(thread.locks.idle, "Turn of the maintainer ended with a lock held");
    if (restMs > 0) sleepUntilWoken(control, woken, restMs);
  }
});
