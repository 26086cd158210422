// Goal: a clock goes on in another process, with the time between the two counted.

import { assert, assertEquals } from "@std/assert";
import { CLOCK_START } from "../../base/clock.ts";
import { secondsSince, ServerClock } from "./server_clock.ts";

Deno.test("ServerClock begins at its start", () => {
  const { clock } = new ServerClock();
  assertEquals(clock.now, CLOCK_START);
  assert(Math.abs(clock.startUnix + clock.now - Date.now() / 1000) <= 2);
});

Deno.test("ServerClock goes on from where an earlier one began", () => {
  const hourAgo = Math.floor(Date.now() / 1000) - 3600;
  const clock = new ServerClock(hourAgo);
  assert(clock.clock.now >= 3600 && clock.clock.now <= 3602);
  const { startUnix, now } = clock.state;
  assertEquals(startUnix, hourAgo);
  assert(now >= 3600 && now <= 3602);
  assert(Math.abs(secondsSince(startUnix) - now) <= 1);
});
