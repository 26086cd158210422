// Goal: every line of `stats` is well formed, each name is there once, and the values are true.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { defaultSettings } from "../../config/settings.ts";
import { converse, TEST_SERVER } from "../../net/network_fixture.ts";
import { Counter } from "../../stats/names.ts";
import { makeStore } from "../../store/store_fixture.ts";
import { Executor } from "../executor.ts";
import { GENERAL_ROWS, generalRows } from "./stats.ts";

const CUT = { recv: 1 << 20, send: 1 << 20 };

/** The values of `stats` or a sub-command after `input`, by name. */
function statsAfter(input: string, sub = ""): Map<string, string> {
  const { client } = converse(ascii(`${input}stats${sub}\r\n`), CUT, makeStore());
  const lines = client.text.split("\r\n").filter((line) => line.startsWith("STAT "));
  assert(lines.every((line) => /^STAT \S+ \S+$/.test(line)));
  const rows = lines.map((line) => line.split(" ").slice(1) as [string, string]);
  assertEquals(new Set(rows.map(([name]) => name)).size, rows.length, "each name once");
  assert(client.text.endsWith("END\r\n"));
  return new Map(rows);
}

Deno.test("generalStats() shows every row, in order", () => {
  // Only with idle_timeout, with TLS, and with UDP.
  const isAbsent = (name: string) => /^(?:idle_kicks|ssl_.*|.*_cert_refresh|udp_.*)$/.test(name);
  const names = GENERAL_ROWS.map(([name]) => name).filter((name) => !isAbsent(name));
  assertEquals([...statsAfter("").keys()], names);
});

Deno.test("generalRows() leaves out the lines of maintenance that is off", () => {
  // memcached has 84 names with `-o no_lru_maintainer,no_lru_crawler`, and not these two.
  const own = ["direct_evictions", "direct_page_moves"];
  const settings = { ...defaultSettings(), lruMaintainer: false };
  const store = makeStore();
  store.tunables.set("lruCrawler", 0);
  const executor = new Executor(store, settings, TEST_SERVER);
  const names = generalRows(executor).map(([name]) => name);
  assertEquals(names.filter((name) => !own.includes(name)).length, 84);
  store.tunables.set("lruCrawler", 1);
  const crawler = generalRows(executor).map(([name]) => name).filter((it) => !names.includes(it));
  assertEquals(crawler, ["lru_crawler_running", "lru_crawler_starts"]);
});

Deno.test("generalStats() counts commands and their results", () => {
  const stats = statsAfter(
    "set a 0 0 1\r\n1\r\nget a b\r\ngat 0 a c\r\ntouch a 5\r\nincr a 1\r\nincr b 1\r\n" +
      "delete b\r\ncas a 0 0 1 1\r\n2\r\ncas z 0 0 1 1\r\n2\r\nflush_all\r\nget a\r\n",
  );
  const expected: readonly (readonly [name: string, value: number])[] = [
    ["cmd_get", 3],
    ["get_hits", 1],
    ["get_misses", 2],
    ["get_flushed", 1],
    ["cmd_touch", 3],
    ["touch_hits", 2],
    ["touch_misses", 1],
    ["cmd_set", 3],
    ["incr_hits", 1],
    ["incr_misses", 1],
    ["delete_misses", 1],
    ["cas_badval", 1],
    ["cas_misses", 1],
    ["cmd_flush", 1],
    ["curr_items", 0],
    ["bytes", 0],
    ["total_items", 1],
  ];
  for (const [name, value] of expected) {
    assertEquals(stats.get(name), String(value), name);
  }
});

Deno.test("generalStats() shows in words why a page could not move", () => {
  const store = makeStore();
  const status = () => {
    const executor = new Executor(store, defaultSettings(), TEST_SERVER);
    return new Map(generalRows(executor)).get("slab_reassign_last_busy_status");
  };
  assertEquals(status(), "none");
  store.counters.add(Counter.SLAB_REASSIGN_BUSY_ITEMS, 1);
  assertEquals(status(), "busy_active");
});

Deno.test("resetStats() zeroes counters and keeps gauges", () => {
  const stats = statsAfter("set a 0 0 1\r\n1\r\nget a\r\nstats reset\r\n");
  assertEquals(
    ["cmd_get", "cmd_set", "total_items", "curr_items", "bytes"].map((name) => stats.get(name)),
    ["0", "0", "0", "1", "44"],
  );
});

Deno.test("slabsStats() adds up", () => {
  const stats = statsAfter(
    "set a 0 0 1\r\n1\r\nset b 0 0 900\r\n" + "x".repeat(900) + "\r\n",
    " slabs",
  );
  assertEquals(stats.get("active_slabs"), "2");
  assertEquals(stats.get("total_malloced"), String(2 * 2 ** 20));
  assertEquals([stats.get("1:used_chunks"), stats.get("1:total_chunks")], ["1", "13107"]);
});

Deno.test("settingsStats() shows a value for every setting", () => {
  const stats = statsAfter("verbosity 1\r\n", " settings");
  assertEquals([stats.get("maxbytes"), stats.get("verbosity")], ["4194304", "1"]);
});

Deno.test("slabsStats() counts a chunk that a thread keeps as free", () => {
  const stats = statsAfter("set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\ndelete a\r\n", " slabs");
  const [used, free, total] = ["used_chunks", "free_chunks", "total_chunks"].map((name) =>
    Number(stats.get(`1:${name}`))
  );
  assertEquals(used, 1);
  assertEquals(free, (total ?? 0) - 1);
});
