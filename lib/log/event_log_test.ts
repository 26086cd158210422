// Goal: what is logged comes out as lines, in the order of time and numbered; what has no room is
// counted; and a watcher that reads late learns how much is gone.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ascii, latin1 } from "../base/ascii.ts";
import { Prng } from "../base/prng.ts";
import { Snapshot } from "../stats/counters.ts";
import { EventLog, LogType, ringBytes, Watched } from "./event_log.ts";
import { LogDrain } from "./drain.ts";
import { linesBytes, LinesCursor, WATCHERS_MAX } from "./lines.ts";
import type { Store } from "../store/store.ts";
import { makeStore, storeTest } from "../store/store_fixture.ts";

function smallStore(): Store {
  return makeStore({ workerLogbufSize: 1, watcherLogbufSize: 1 });
}

function watcherOf(store: Store, kinds: number = Watched.SYSEVENTS): LinesCursor {
  const cursor = new LinesCursor(kinds);
  assert(store.lines.join(cursor));
  return cursor;
}

/** Reads all that there is, a buffer at a time. */
function readAll(store: Store, cursor: LinesCursor): string {
  const buffer = new Uint8Array(2000);
  let text = "";
  while (store.lines.hasNews(cursor)) {
    text += latin1(buffer, 0, store.lines.read(cursor, buffer, 0, buffer.length).to);
  }
  return text;
}

function drainAll(store: Store): void {
  const drain = new LogDrain(store.control, store.lines);
  while (drain.turn());
}

Deno.test("ringBytes() and linesBytes() keep within bounds", () => {
  assertEquals([1, 4096, 65536, 65537, 2 ** 30].map(ringBytes), [
    4096,
    4096,
    65536,
    131072,
    4 * 2 ** 20,
  ]);
  assertEquals([1, 262144, 2 ** 30].map(linesBytes), [8192, 262144, 64 * 2 ** 20]);
});

storeTest("records of several threads become lines in the order of time", () => {
  const store = smallStore();
  const other = new EventLog(store.control, 0, store.counters);
  const cursor = watcherOf(store, Watched.SYSEVENTS | Watched.CONNEVENTS);
  const logs = [store.log, other];
  for (let index = 0; index < 20; index++) {
    logs[index % 2]!.text(index % 3 === 0 ? LogType.CONNEVENT : LogType.SYSEVENT, `n=${index}`);
  }
  drainAll(store);
  const lines = readAll(store, cursor).trimEnd().split("\n");
  assertEquals(lines.map((line) => line.split(" ").slice(1).join(" ")), [
    ...Array.from({ length: 20 }, (_, index) => `gid=${index + 1} n=${index}`),
  ]);
  assertMatch(lines[0]!, /^ts=\d{10}\.\d{1,6} /);
});

storeTest("a ring that is full drops, and takes records again once it was read", () => {
  const store = smallStore();
  const cursor = watcherOf(store);
  const prng = new Prng(7);
  let written = 0;
  let seen = 0;
  for (let round = 0; round < 200; round++) {
    for (let count = prng.below(30); count > 0; count--) {
      store.log.text(LogType.SYSEVENT, `n=${written++} ${"x".repeat(prng.below(300))}`);
    }
    drainAll(store);
    const text = readAll(store, cursor);
    for (const [, number] of text.matchAll(/ n=(\d+) x*\n/g)) {
      assert(Number(number) >= seen);
      seen++;
    }
  }
  const totals = new Snapshot(store.control);
  assertEquals(totals.of("log_worker_written") + totals.of("log_worker_dropped"), written);
  assert(totals.of("log_worker_dropped") > 0);
  assertEquals(seen + cursor.skipped, totals.of("log_worker_written"));
});

storeTest("a watcher that reads late learns how many lines of its kinds are gone", () => {
  const store = smallStore();
  const late = watcherOf(store);
  const all = watcherOf(store, Watched.SYSEVENTS | Watched.EVICTIONS);
  for (let round = 0; round < 100; round++) {
    store.lines.append(2, () => ascii("x".repeat(90) + "\n"));
    store.lines.append(4, () => ascii("y".repeat(90) + "\n"));
  }
  const lateLines = readAll(store, late).length / 91;
  const allLines = readAll(store, all).length / 91;
  assertEquals(lateLines + late.skipped, 100);
  assertEquals(allLines + all.skipped, 200);
  assert(late.skipped > 0 && lateLines > 30);
});

storeTest("nothing is logged that no client watches for, nor from before the first watcher", () => {
  const store = smallStore();
  assertEquals(store.log.wants(Watched.SYSEVENTS), false);
  store.log.text(LogType.SYSEVENT, "early");
  const cursor = watcherOf(store);
  assertEquals([Watched.SYSEVENTS, Watched.FETCHERS].map((kind) => store.log.wants(kind)), [
    true,
    false,
  ]);
  drainAll(store);
  assertEquals(readAll(store, cursor), "");
  store.lines.leave(cursor);
  assertEquals(store.log.wants(Watched.SYSEVENTS), false);
});

storeTest("join() refuses the watcher after the last; half-closed ones do not count", () => {
  const store = smallStore();
  const cursors = Array.from({ length: WATCHERS_MAX }, () => watcherOf(store));
  const next = new LinesCursor(Watched.FETCHERS);
  assertEquals(store.lines.join(next), false);
  store.lines.halfClose(cursors[3]!);
  store.lines.halfClose(cursors[3]!);
  assertEquals(store.lines.watchers, WATCHERS_MAX - 1);
  assertEquals(store.lines.join(next), true);
  for (const cursor of [...cursors, next]) store.lines.leave(cursor);
  assertEquals([store.lines.watchers, store.lines.isWatched], [0, false]);
});
