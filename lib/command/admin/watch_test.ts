// Goal: `watch` is answered as memcached answers it, and each event makes its line.
// Method: a watcher and another client share a store; the log is drained between them.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { drive } from "../../net/conn.ts";
import { ConnState } from "../../net/conn_state.ts";
import { converse, type Talk } from "../../net/network_fixture.ts";
import { LogDrain } from "../../log/drain.ts";
import type { Store } from "../../store/store.ts";
import { makeStore } from "../../store/store_fixture.ts";

const CUT = { recv: 1 << 20, send: 1 << 20 };

const ANSWERS: readonly (readonly [line: string, answer: string])[] = [
  ["watch", "OK\r\n"],
  ["watch mutations evictions sysevents connevents deletions rawcmds proxyreqs", "OK\r\n"],
  ["watch fetchers noreply", ""],
  ["watch all", "ERROR\r\n"],
  ["watch fetchers x", "ERROR\r\n"],
];

for (const [line, answer] of ANSWERS) {
  Deno.test(`runWatch() answers ${JSON.stringify(line)}`, () => {
    const { client, conn } = converse(ascii(`${line}\r\n`), CUT);
    assertEquals(client.text, answer);
    assertEquals(conn.state === ConnState.WATCH, !answer.startsWith("ERROR"));
  });
}

Deno.test("runWatch() refuses with -W", () => {
  const { client } = converse(ascii("watch\r\n"), CUT, makeStore(), { watchEnabled: false });
  assertEquals(client.text, "CLIENT_ERROR watch commands not allowed\r\n");
});

/** Drains the log, and returns the lines that the watcher receives. */
function take(store: Store, { client, conn, shared }: Talk): string {
  const before = client.text.length;
  const drain = new LogDrain(store.control, store.lines);
  while (drain.turn());
  for (let turn = 0; turn < 100; turn++) drive(conn, shared);
  return client.text.slice(before);
}

/** Commands, and the lines about them, each from its gid on. */
const DONE: readonly (readonly [input: string, lines: readonly string[]])[] = [
  ["get k\r\n", ["item_get key=k status=not_found clsid=0 cfd=5 size=0"]],
  ["set k 0 0 1\r\n1\r\n", [
    "item_get key=k status=not_found clsid=0 cfd=5 size=0",
    "item_store key=k status=stored cmd=set ttl=0 clsid=1 cfd=5 size=1",
  ]],
  ["set k 0 0 1\r\n1\r\nset k 0 -1 1\r\n1\r\nget k\r\n", [
    "item_get key=k status=not_found clsid=0 cfd=5 size=0",
    "item_store key=k status=stored cmd=set ttl=0 clsid=1 cfd=5 size=1",
    "item_get key=k status=found clsid=1 cfd=5 size=1",
    "item_store key=k status=stored cmd=set ttl=4294967295 clsid=1 cfd=5 size=1",
    "item_get key=k status=expired clsid=0 cfd=5 size=0",
  ]],
  ["ms k 1 T60\r\n1\r\nflush_all\r\nmg k v\r\n", [
    "item_get key=k status=not_found clsid=0 cfd=5 size=0",
    "item_store key=k status=stored cmd=set ttl=60 clsid=1 cfd=5 size=1",
    "item_get key=k status=flushed clsid=0 cfd=5 size=0",
  ]],
  ["add k 0 0 1\r\n1\r\nms k 1 C99\r\n1\r\nmd k\r\n", [
    "item_get key=k status=not_found clsid=0 cfd=5 size=0",
    "item_store key=k status=stored cmd=add ttl=0 clsid=1 cfd=5 size=1",
    "item_get key=k status=found clsid=1 cfd=5 size=1",
    "item_store key=k status=exists cmd=cas ttl=0 clsid=1 cfd=5 size=1",
    "item_get key=k status=found clsid=1 cfd=5 size=1",
    "deleted key=k cmd=md clsid=1 size=1",
  ]],
  ["set k% 0 0 2000000\r\n" + "x".repeat(2_000_000) + "\r\n", [
    "item_store key=k%25 status=too_large cmd=set ttl=0 clsid=0 cfd=0 size=0",
    "item_get key=k%25 status=not_found clsid=0 cfd=5 size=0",
  ]],
];

for (const [input, lines] of DONE) {
  Deno.test(`a watcher receives ${JSON.stringify(input.slice(0, 40))}`, () => {
    const store = makeStore();
    const watcher = converse(ascii("watch fetchers mutations deletions\r\nget x\r\n"), CUT, store);
    converse(ascii(input), CUT, store);
    const received = take(store, watcher).trimEnd().split("\n");
    assertEquals(received.map((line) => line.replace(/^ts=\d+\.\d+ gid=\d+ type=/, "")), lines);
  });
}

Deno.test("a get that waits for room is logged once", () => {
  const store = makeStore({ workerLogbufSize: 1 << 20, watcherLogbufSize: 1 << 20 });
  const watcher = converse(ascii("watch\r\n"), CUT, store);
  const keys = Array.from({ length: 30 }, () => "k").join(" ");
  converse(ascii(`set k 0 0 4000\r\n${"x".repeat(4000)}\r\nget ${keys}\r\n`), CUT, store);
  assertEquals(take(store, watcher).trimEnd().split("\n").length, 31);
});

Deno.test("evictions are logged, and the lines that a late watcher has missed are counted", () => {
  const store = makeStore({ maxbytes: 2 << 20, watcherLogbufSize: 1 });
  const watcher = converse(ascii("watch evictions\r\n"), CUT, store);
  const drain = new LogDrain(store.control, store.lines);
  for (let number = 0; number < 60; number++) {
    converse(ascii(`set key-${number} 0 100 100000\r\n${"x".repeat(100_000)}\r\n`), CUT, store);
    while (drain.turn());
  }
  const received = take(store, watcher);
  assertMatch(
    received,
    /^ts=\d+\.\d+ gid=1 type=eviction key=key-0 fetch=no ttl=100 la=0 clsid=\d+ size=100000\n/,
  );
  for (let number = 0; number < 400; number++) {
    converse(ascii(`set key-${number} 0 0 100000\r\n${"x".repeat(100_000)}\r\n`), CUT, store);
    while (drain.turn());
  }
  const late = take(store, watcher);
  const skipped = Number(/^skipped=(\d+)\n/.exec(late)?.[1]);
  assert(skipped > 0);
  const gids = [...late.matchAll(/ gid=(\d+) /g)].map(([, gid]) => Number(gid));
  assertEquals(gids.length, late.split("\n").length - 2);
  const last = Number([...received.matchAll(/ gid=(\d+) /g)].at(-1)?.[1]);
  assertEquals(gids[0], last + skipped + 1);
});
