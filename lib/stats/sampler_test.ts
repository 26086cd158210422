// Goal: few events are all looked at, many cost a bounded number of looks, and weights add up to
// the number of events.

import { assert, assertEquals } from "@std/assert";
import { LOOKS_PER_SECOND, Sampler } from "./sampler.ts";

/** Sends `events` through; returns the looks, and the events that they stand for. */
function send(sampler: Sampler, events: number): { looks: number; weight: number } {
  let looks = 0;
  let weight = 0;
  for (let event = 0; event < events; event++) {
    if (!sampler.isDue()) continue;
    looks++;
    weight += sampler.take();
  }
  return { looks, weight };
}

Deno.test("few events are all looked at", () => {
  const sampler = new Sampler(true, 1);
  for (let second = 0; second < 5; second++) {
    assertEquals(send(sampler, 900), { looks: 900, weight: 900 });
    sampler.tick(1);
  }
});

Deno.test("many events take a bounded number of looks, which stand for all of them", () => {
  const sampler = new Sampler(true, 2);
  for (const events of [1_000_000, 50_000, 1_000_000]) {
    for (let second = 0; second < 10; second++) {
      const { looks, weight } = send(sampler, events);
      sampler.tick(1);
      if (second < 5) continue; // It takes a while to see that they are fewer.
      assert(looks <= 2.2 * LOOKS_PER_SECOND, `${looks} looks at ${events}`);
      assert(looks > LOOKS_PER_SECOND / 8, `${looks} looks at ${events}`);
      assert(Math.abs(weight / events - 1) < 0.25, `${weight} for ${events}`);
    }
  }
});

Deno.test("the first second of a burst costs little more than any other", () => {
  const { looks } = send(new Sampler(true, 3), 10_000_000);
  assert(looks < 20 * LOOKS_PER_SECOND, `${looks} looks`);
});

Deno.test("after a rest every event is looked at again", () => {
  const sampler = new Sampler(true, 4);
  send(sampler, 5_000_000);
  sampler.tick(1);
  sampler.tick(60);
  const { looks, weight } = send(sampler, 100);
  assert(looks >= 99 && weight === looks, `${looks} looks for ${weight}`);
});

Deno.test("nothing is looked at where it is off", () => {
  const sampler = new Sampler(false, 5);
  assertEquals(send(sampler, 100_000), { looks: 0, weight: 0 });
  assertEquals(sampler.take(), 0);
});
