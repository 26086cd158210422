// Goal: keys, resets and lost servers change what is shown as they should.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { keysOf } from "./keys.ts";
import { TopModel } from "./model.ts";
import { sampleAfter } from "./sample_fixture.ts";

const total = (model: TopModel) => model.view().figures.kinds[0]?.total;

function started(): TopModel {
  const model = new TopModel("here:1", [["q", "quit"]]);
  model.take(sampleAfter(), "10:00:00");
  return model;
}

Deno.test("TopModel holds the view while it is paused, and gathers on", () => {
  const model = started();
  model.press("pause", "");
  model.take(sampleAfter({ atMs: 1000, general: "cmd_get 1500" }), "10:00:01");
  model.take(sampleAfter({ atMs: 2000, general: "cmd_get 1600" }), "10:00:02");
  assertEquals([total(model), model.view().status], [1000, "PAUSED"]);
  model.press("pause", "");
  assertEquals([total(model), model.view().status], [1600, ""]);
  assertEquals(model.view().history.gets, [500, 100]);
});

Deno.test("TopModel counts from now on after reset", () => {
  const model = started();
  model.press("reset", "10:00:00");
  assertEquals([total(model), model.view().since], [0, "since 10:00:00"]);
  model.take(sampleAfter({ atMs: 1000, general: "cmd_get 1500" }), "10:00:01");
  assertEquals(total(model), 500);
});

Deno.test("TopModel counts from zero when the server's counters do", () => {
  const model = started();
  model.press("reset", "10:00:00");
  model.take(sampleAfter({ atMs: 1000, general: "cmd_get 7" }), "10:00:01");
  assertEquals([total(model), model.view().since], [7, "since reset"]);
  assertStringIncludes(model.view().status, "anew");
  model.take(sampleAfter({ atMs: 2000, general: "cmd_get 8" }), "10:00:02");
  assertEquals([total(model), model.view().status], [8, ""]);
  model.take(sampleAfter({ atMs: 3000, general: "uptime 1\ncmd_get 9000" }), "10:00:03");
  assertEquals([total(model), model.view().since], [9000, "since start"]);
});

Deno.test("TopModel keeps the last numbers of a server that is gone", () => {
  const model = started();
  model.lose("Connection refused", "10:00:01");
  model.lose("no answer within 3 s", "10:00:02");
  assertEquals([total(model), model.view().isStale], [1000, true]);
  assertStringIncludes(model.view().status, "no answer within 3 s");
  assertStringIncludes(model.view().status, "since 10:00:01");
  model.take(sampleAfter({ atMs: 4000 }), "10:00:04");
  assertEquals([model.view().isStale, model.view().status], [false, ""]);
  assertEquals(model.view().history.gets, [undefined, undefined, 0]);
});

Deno.test("TopModel shows the keys until another key is pressed", () => {
  const model = started();
  assertEquals(model.press("help", ""), "redraw");
  assertEquals(model.view().help.length, 1);
  model.press("pause", "");
  assertEquals([model.view().help.length, model.view().status], [0, ""]);
  assertEquals(model.press("quit", ""), "quit");
});

Deno.test("TopModel sorts by one column after the other", () => {
  const model = started();
  const orders = Array.from({ length: 7 }, () => {
    model.press("sort", "");
    return model.view().order;
  });
  assertEquals(orders, [1, 2, 3, 4, 5, 0, 1]);
});

Deno.test("keysOf() knows its keys, and no key in what arrows send", () => {
  assertEquals(keysOf("qPr?"), ["quit", "pause", "reset", "help"]);
  assertEquals(keysOf("\x03"), ["quit"]);
  assertEquals(keysOf("\x1b[A\x1bOq\x1b[1;5q\x1bs"), ["other", "other", "other", "other"]);
  assert(keysOf("x\x1b\n").every((key) => key === "other"));
});
