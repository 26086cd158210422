// Goal: a delay, a date and "already expired" are distinguished as in memcached.

import { assertEquals } from "@std/assert";
import { EXPTIME_DELAY_MAX, EXPTIME_MAX, toExptime } from "./exptime.ts";

const START = 1_700_000_000;
const NOW = 1000;
const DAY = 86_400;

const CASES: readonly (readonly [what: string, raw: number, expected: number])[] = [
  ["0 is never", 0, 0],
  ["-0 is never", -0, 0],
  ["one second", 1, NOW + 1],
  ["a delay of 30 days", 30 * DAY, NOW + 30 * DAY],
  ["one second more: a date in January 1970", 30 * DAY + 1, 1],
  ["negative", -1, 1],
  ["very negative", -(2 ** 62), 1],
  ["a date before the start", START - 1, 1],
  ["the second of the start", START, 1],
  ["second 1, which is past as well", START + 1, 1],
  ["the second after it", START + 2, 2],
  ["a date that was just now", START + NOW, NOW],
  ["a date to come", START + NOW + 50, NOW + 50],
  ["2038-01-19 03:14:08, which memcached takes for past", 2 ** 31, 2 ** 31 - START],
  ["2106-02-07 06:28:16", 2 ** 32, 2 ** 32 - START],
  ["the last second that an item can hold", START + EXPTIME_MAX, EXPTIME_MAX],
  ["one second more", START + EXPTIME_MAX + 1, EXPTIME_MAX],
  ["the year 292,277,026,596", 2 ** 63, EXPTIME_MAX],
];

for (const [what, raw, expected] of CASES) {
  Deno.test(`toExptime() ${what}`, () => {
    assertEquals(toExptime(raw, { startUnix: START, now: NOW }), expected);
  });
}

Deno.test("EXPTIME_DELAY_MAX is 30 days", () => assertEquals(EXPTIME_DELAY_MAX, 2_592_000));
