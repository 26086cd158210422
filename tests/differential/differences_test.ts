// Unit tests: requests follow from the seed, and a known difference explains no more than it says.

import { assertEquals, assertNotEquals } from "@std/assert";
import { Prng } from "../../lib/base/prng.ts";
import { knownDifference, looksPastNumber } from "./differences.ts";
import { show } from "./player.ts";
import { FRESH, Generator, KEY } from "./request.ts";

const K = String.fromCharCode(KEY);
const F = String.fromCharCode(FRESH);
const BAD = "CLIENT_ERROR bad command line format\r\n";

/** Answers of an open connection, and the difference that explains them. */
type Row = readonly [request: string, memcached: string, memden: string, name: string | undefined];

const ROWS: readonly Row[] = [
  ["get\r\n", "ERROR\r\n", BAD, "short or incomplete line"],
  ["get x\r\n", "ERROR\r\n", BAD, undefined],
  ["nonsense\r\n", "ERROR\r\n", BAD, undefined],
  ["get x\r\n", "END\r\n", "ERROR\r\n", undefined],
  [`set ${F} x 0 1\r\na\r\n`, `${BAD}ERROR\r\n`, BAD, "value of a refused storage command"],
  [`set ${F} x 0 1\r\na\r\n`, `${BAD}ERROR\r\n`, "STORED\r\n", undefined],
  [`set ${F} 0 4294967296 1\r\na\r\nget ${F}\r\n`, "A", "B", "expiry of more than 32 bits"],
  [`set ${F} 0 100 1\r\na\r\nget ${F}\r\n`, "A", "B", undefined],
  [`set ${F} 4294967296 0 1\r\na\r\n`, "STORED\r\n", BAD, "flags of more than 32 bits"],
  [`set ${F} 4294967295 0 1\r\na\r\n`, "STORED\r\n", BAD, undefined],
  [" get x\r\n", "END\r\n", "ERROR\r\n", "space before the command"],
  ["get x\r\n", "END\r\n", "", undefined],
];

for (const [request, memcached, memden, name] of ROWS) {
  const title = `${JSON.stringify(show(request))}: ${JSON.stringify(memden)}`;
  Deno.test(`knownDifference() explains ${title}`, () => {
    const known = knownDifference({
      request,
      memcached: { text: memcached, ended: "open" },
      memden: { text: memden, ended: "open" },
    });
    assertEquals(known?.name, name);
  });
}

Deno.test("looksPastNumber() explains a number that memcached takes for none, and no more", () => {
  const BAD_NUMBER = "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n";
  const explains = (request: string, memcached: string, memden: string): boolean =>
    looksPastNumber({
      request,
      memcached: { text: memcached, ended: "open" },
      memden: { text: memden, ended: "open" },
    });
  assertEquals(explains("decr k 100\r\n", BAD_NUMBER, "18446744073709551514\r\n"), true);
  assertEquals(explains("get k\r\nincr k 5\r\n", `END\r\n${BAD_NUMBER}`, "END\r\n3\r\n"), true);
  assertEquals(explains("incr k 5\r\n", BAD_NUMBER, "NOT_FOUND\r\n"), false);
  assertEquals(explains("incr k 5\r\n", "4\r\n", BAD_NUMBER), false);
  assertEquals(explains("get k\r\n", BAD_NUMBER, "3\r\n"), false);
});

Deno.test("Generator makes the same requests of the same seed", () => {
  const conversation = (seed: number): string =>
    new Generator(new Prng(seed)).conversation(200).map(({ text }) => show(text)).join("");
  assertEquals(conversation(5), conversation(5));
  assertNotEquals(conversation(5), conversation(6));
});

Deno.test("Generator keeps odd requests away from shared keys", () => {
  for (const { text, odd } of new Generator(new Prng(7)).conversation(5000)) {
    if (odd) assertEquals(text.includes(K), false, show(text));
  }
});
