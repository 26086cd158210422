import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { parseExptime, parseStrictExptime } from "./exptime_token.ts";

/** What each parser makes of a token. */
const TOKENS: readonly (readonly [token: string, lenient: number, strict: number])[] = [
  ["0", 0, 0],
  ["5", 5, 5],
  ["+5", 5, NaN],
  ["-1", -1, -1],
  ["2147483647", 2147483647, 2147483647],
  ["2147483648", -2147483648, NaN],
  ["4294967295", -1, NaN],
  ["4294967296", 4294967296, 4294967296],
  ["-2147483648", -2147483648, -2147483648],
  ["-4294967295", -4294967295, -4294967295],
  ["9007199254740992", 2 ** 53, 2 ** 53],
  ["9223372036854775808", NaN, NaN],
  ["", NaN, NaN],
  ["+", NaN, NaN],
  ["5x", NaN, NaN],
  ["1.5", NaN, NaN],
];

for (const [token, lenient, strict] of TOKENS) {
  Deno.test(`parseExptime() and parseStrictExptime() read "${token}"`, () => {
    const bytes = ascii(token);
    assertEquals(parseExptime(bytes, 0, bytes.length), lenient);
    assertEquals(parseStrictExptime(bytes, 0, bytes.length), strict);
  });
}
