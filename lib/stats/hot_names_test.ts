// Goal: of a million names the frequent ones are in the list, with rates near the true ones and
// never far above, and it tells of now.

import { assert, assertEquals } from "@std/assert";
import { ascii } from "../base/ascii.ts";
import { Prng } from "../base/prng.ts";
import type { Control } from "../memory/regions.ts";
import { makeControl } from "../memory/control_fixture.ts";
import { HotList, hotListBytes, hottest } from "./hot_names.ts";

const PLACES = 64;

function makeList(): HotList {
  const control: Control = makeControl({ sampleBytes: hotListBytes(PLACES) });
  return new HotList(control, control.regions.samplesAt, PLACES);
}

/** Counts `name` as a key with that hash would be. */
function note(list: HotList, name: string, hash: number, weight: number, now: number): void {
  const bytes = ascii(`..${name}..`);
  list.note(hash, bytes, 2, 2 + name.length, weight, now);
}

/** A minute of 2,000 samples a second: three names have a share each, the rest are many. */
function fill(list: HotList, weight: number, from = 0): void {
  const prng = new Prng(7);
  for (let second = from; second < from + 60; second++) {
    list.fade(second);
    for (let sample = 0; sample < 2000; sample++) {
      const dice = prng.below(100);
      if (dice < 20) note(list, "a", 1, weight, second);
      else if (dice < 30) note(list, "b", 2, weight, second);
      else if (dice < 35) note(list, "c", 3, weight, second);
      else {
        const other = 10 + prng.below(1_000_000);
        note(list, `other:${other}`, other, weight, second);
      }
    }
  }
  list.fade(from + 60);
}

Deno.test("hottest() finds the frequent names among a million", () => {
  const list = makeList();
  fill(list, 8);
  const found = hottest([list], 60, 3);
  assertEquals(found.map(({ name }) => name), ["a", "b", "c"]);
  for (const [index, share] of [0.2, 0.1, 0.05].entries()) {
    const expected = 2000 * 8 * share;
    const perSecond = found[index]?.perSecond ?? 0;
    assert(Math.abs(perSecond / expected - 1) < 0.15, `${perSecond} for ${expected}`);
  }
  assertEquals(hottest([list], 60, 20).length, 3, "names that came by chance are not told of");
});

Deno.test("hottest() tells of none where all names are asked for alike, however many", () => {
  for (const weight of [1, 64, 4096]) {
    const list = makeList();
    const prng = new Prng(weight);
    for (let second = 0; second < 30; second++) {
      list.fade(second);
      for (let sample = 0; sample < 1000; sample++) {
        const other = 10 + prng.below(1_000_000);
        note(list, `other:${other}`, other, weight, second);
      }
    }
    assertEquals(hottest([list], 30, 20), [], `weight ${weight}`);
  }
});

Deno.test("hottest() adds up several lists, and keeps to the number asked for", () => {
  const lists = [makeList(), makeList()];
  for (const list of lists) fill(list, 1);
  const found = hottest(lists, 60, 2);
  assertEquals(found.map(({ name }) => name), ["a", "b"]);
  assert(Math.abs((found[0]?.perSecond ?? 0) / 800 - 1) < 0.15);
});

Deno.test("what is asked for no more fades away, whether or not the list is written", () => {
  const list = makeList();
  fill(list, 1);
  const [before] = hottest([list], 60, 1);
  const [after] = hottest([list], 70, 1);
  const ratio = (after?.perSecond ?? 0) / (before?.perSecond ?? 1);
  assert(Math.abs(ratio - 0.5) < 0.05, `${ratio} after ten seconds`);
  for (let second = 60; second < 150; second++) {
    list.fade(second);
    for (let sample = 0; sample < 100; sample++) note(list, "new", 9, 1, second);
  }
  const [first, ...rest] = hottest([list], 150, 5);
  assertEquals(first?.name, "new");
  assert(rest.every(({ perSecond }) => perSecond < 2), "what was there before is almost gone");
});

Deno.test("a name that was asked for a few times is not told of", () => {
  const list = makeList();
  note(list, "x", 5, 1, 1);
  assertEquals(hottest([list], 1, 5), []);
  for (let time = 0; time < 9; time++) note(list, "x", 5, 1, 1);
  const [x] = hottest([list], 2, 5);
  assert(x !== undefined && x.perSecond <= 10, `${x?.perSecond}`);
});

Deno.test("names of all lengths and bytes are kept whole", () => {
  const list = makeList();
  const long = "k".repeat(250);
  for (let time = 0; time < 10; time++) {
    note(list, long, 1, 1, 1);
    list.note(2, Uint8Array.of(0, 255, 10), 0, 3, 1, 1);
  }
  const names = hottest([list], 1, 5).map(({ name }) => name);
  assertEquals(names.toSorted(), ["\0\xff\n", long]);
});
