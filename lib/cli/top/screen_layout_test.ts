// Goal: the picture fits every window, and says what it should in an ordinary one.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { figuresOf } from "./figures.ts";
import { layout, type Room, type View } from "./screen_layout.ts";
import { ASCII } from "./number_text.ts";
import { plainText, terminalText, widthOf } from "./spans.ts";
import { sampleAfter } from "./sample_fixture.ts";

const ROOM: Room = { columns: 80, rows: 24 };

function viewOf(changes: Partial<View> = {}): View {
  const sample = sampleAfter({
    atMs: 1000,
    general: "uptime 101\ncmd_get 1100\nget_hits 997\nget_misses 103\nevictions 14",
    items: "items:1:evicted 14",
  });
  return {
    label: "127.0.0.1:11211",
    clock: "10:00:00",
    sample,
    figures: figuresOf(sample, sampleAfter(), undefined),
    history: { gets: [50, 100], hitShares: [1, 0.97] },
    since: "since start",
    status: "",
    isStale: false,
    order: 0,
    help: [],
    ...changes,
  };
}

const textOf = (view: View, room = ROOM) => layout(view, room, ASCII, true).map(plainText);

Deno.test("layout() draws all of it in 80 columns and 24 rows", () => {
  assertEquals(textOf(viewOf()), [
    "127.0.0.1:11211  memcached 1.6.45  up 01:41  10:00:00",
    "",
    "conns 3 of 1024, 0 new/s  threads 4  cpu 0%  in 0/s  out 0/s",
    "states 2 read, 1 parse_cmd",
    "memory #....................................... 1.0M of 64.0M  1.6%",
    "items 30  evicted 4/s, 14 since start, last idle for 1m  reclaimed 0/s",
    "",
    "          get    set  touch delete   incr   decr    cas  flush",
    "    /s    100      0      -      0      -      -      -      -",
    "  hits  97.0%      -      -      -      -      -      -      -",
    " total   1100    200      -      4      -      -      -      -",
    "",
    "gets 100/s, at most 100/s                                                     =#",
    "hits 97.0%, 90.6% since start                                                 ##",
    "",
    " class  chunk  pages  items   used evict/s   age    hot   warm   cold   temp",
    "     5    240      3     10   0.1%       0    1m      -      -      -      -",
    "     1     96      1     20   0.2%       4    8m      5      5     10      -",
    "",
    "",
    "",
    "",
    "",
    "q quit  p pause  r reset  s sort  ? help  (by pages)",
  ]);
});

Deno.test("layout() stays within every window", () => {
  const views = [
    viewOf(),
    viewOf({ status: "Connection refused; trying again", isStale: true }),
    viewOf({ help: [["q, Ctrl-C", "quit"], ["p", "pause"]] }),
  ];
  for (const view of views) {
    for (let columns = 1; columns <= 130; columns += 3) {
      for (let rows = 1; rows <= 40; rows++) {
        const lines = layout(view, { columns, rows }, ASCII, true);
        assert(lines.length <= rows, `${lines.length} lines in ${columns}x${rows}`);
        for (const line of lines) assert(widthOf(line) <= columns, `${columns}x${rows}`);
      }
    }
  }
});

Deno.test("layout() keeps what matters in a small window", () => {
  const text = textOf(viewOf(), { columns: 44, rows: 14 }).join("\n");
  for (const word of ["conns 3", "memory", "items 30", "get", "class"]) {
    assert(text.includes(word), `${word} in\n${text}`);
  }
  assertMatch(textOf(viewOf({ status: "gone" }), { columns: 20, rows: 2 }).join("\n"), /gone/);
});

Deno.test("layout() sorts slab classes by the column that is asked for", () => {
  const classOrder = (order: number) =>
    textOf(viewOf({ order })).flatMap((line) => /^ {5}(\d) /.exec(line)?.[1] ?? []);
  assertEquals([0, 1, 2, 3, 4, 5].map(classOrder).map((it) => it.join("")), [
    "51",
    "15",
    "15",
    "15",
    "15",
    "15",
  ]);
});

Deno.test("layout() dims old numbers, and says why in full light", () => {
  const lines = layout(viewOf({ isStale: true, status: "gone" }), ROOM, ASCII, true);
  const styles = (from: number, to: number) =>
    new Set(lines.slice(from, to).flatMap((line) => line.map(([, style]) => style)));
  assertEquals([...styles(1, 2)], ["bad"]);
  assertEquals([...styles(2, 24)], ["dim"]);
});

Deno.test("layout() prints every class where rows have no end", () => {
  const lines = layout(viewOf(), { columns: 80, rows: Infinity }, ASCII, false).map(plainText);
  assertMatch(lines.at(-1) ?? "", /^ {5}1 /);
});

Deno.test("terminalText() uses no colour where none is wanted", () => {
  // deno-lint-ignore no-control-regex -- Escape sequences are what is counted.
  const colours = /\x1b\[(?:\d+;)*3\d/;
  const texts = (hasColour: boolean) =>
    layout(viewOf({ status: "gone" }), ROOM, ASCII, true)
      .map((line) => terminalText(line, hasColour)).join("");
  assertEquals([colours.test(texts(true)), colours.test(texts(false))], [true, false]);
});
