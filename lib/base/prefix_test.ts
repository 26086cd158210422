// Goal: a prefix ends at the first delimiter; the hash is the published one.

import { assertEquals } from "@std/assert";
import { ascii } from "./ascii.ts";
import { fnv1a, prefixEnd } from "./prefix.ts";

const COLON = 0x3a;

Deno.test("prefixEnd() finds the first delimiter, or the end", () => {
  const ends = ["a:b:c", ":x", "none", ""].map((key) =>
    prefixEnd(ascii(`..${key}`), 2, 2 + key.length, COLON) - 2
  );
  assertEquals(ends, [1, 0, 4, 0]);
});

Deno.test("fnv1a() has the values of its authors", () => {
  const hashes = ["", "a", "foobar"].map((text) => fnv1a(ascii(`.${text}.`), 1, 1 + text.length));
  assertEquals(hashes, [0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});
