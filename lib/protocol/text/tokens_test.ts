import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { Tokens, TOKENS_MAX } from "./tokens.ts";

function tokensOf(line: string): string[] {
  const tokens = new Tokens();
  tokens.scan(ascii(line), 0, line.length);
  return Array.from({ length: tokens.count }, (_, i) => line.slice(tokens.start[i], tokens.end[i]));
}

const CASES: readonly (readonly [name: string, line: string, tokens: string[]])[] = [
  ["skips runs of spaces", "  set  k 0 0  3 ", ["set", "k", "0", "0", "3"]],
  ["finds nothing in a blank line", "   ", []],
  ["finds nothing in an empty line", "", []],
  ["keeps tabs and control characters in a token", "get a\tb \x00 \r", [
    "get",
    "a\tb",
    "\x00",
    "\r",
  ]],
  ["drops what is too much", "x ".repeat(30), Array.from({ length: TOKENS_MAX }, () => "x")],
];

for (const [name, line, tokens] of CASES) {
  Deno.test(`Tokens.scan() ${name}`, () => assertEquals(tokensOf(line), tokens));
}

Deno.test("Tokens.scan() looks at its range only", () => {
  const tokens = new Tokens();
  tokens.scan(ascii("get key rest"), 4, 7);
  assertEquals([tokens.count, tokens.start[0], tokens.end[0], tokens.length(0)], [1, 4, 7, 3]);
});
