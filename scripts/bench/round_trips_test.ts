import { assertEquals } from "@std/assert";
import { RoundTrips } from "./round_trips.ts";

Deno.test("RoundTrips.percentiles() are times that were measured", () => {
  const trips = new RoundTrips(1000);
  for (let ms = 100; ms >= 1; ms--) trips.add(ms);
  assertEquals(trips.percentiles([0, 0.5, 0.99, 0.999, 1]), [1, 50, 99, 100, 100]);
  assertEquals(trips.sent, 100);
});

Deno.test("RoundTrips.add() counts the probes that a slow one held up", () => {
  const trips = new RoundTrips(1);
  trips.add(4.5);
  assertEquals(trips.sent, 1);
  assertEquals(trips.percentiles([0.25, 0.5, 0.75, 1]), [1.5, 2.5, 3.5, 4.5]);
});

Deno.test("RoundTrips.percentiles() of nothing are 0", () => {
  assertEquals(new RoundTrips(1).percentiles([0.5, 1]), [0, 0]);
});
