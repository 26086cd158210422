import { assertEquals } from "@std/assert";
import { ascii } from "../../base/ascii.ts";
import { U64 } from "../../base/u64.ts";
import { endsInNoreply, skipSpaces, Tokens, TOKENS_MAX } from "./tokens.ts";

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

/** Numbers of 64 bits as the only token, and what is read; undefined for a refusal. */
const NUMBERS: readonly (readonly [token: string, value: bigint | undefined])[] = [
  ["0", 0n],
  ["18446744073709551615", 2n ** 64n - 1n],
  ["18446744073709551616", undefined],
  ["0000000000000000000007", 7n],
  ["00000000000000000000007", undefined],
  ["7x", undefined],
];

for (const [token, value] of NUMBERS) {
  Deno.test(`Tokens.readU64() reads ${token} as ${value}`, () => {
    const tokens = new Tokens();
    const number = new U64();
    tokens.scan(ascii(token), 0, token.length);
    const isRead = tokens.readU64(ascii(token), 0, number);
    assertEquals(isRead ? BigInt(number.hi) << 32n | BigInt(number.lo) : undefined, value);
  });
}

Deno.test("Tokens.readU64() refuses a token that only an earlier line had", () => {
  const tokens = new Tokens();
  tokens.scan(ascii("1 2"), 0, 3);
  tokens.scan(ascii("1"), 0, 1);
  assertEquals(tokens.readU64(ascii("1 2"), 1, new U64()), false);
});

const ENDINGS: readonly (readonly [rest: string, isSilent: boolean])[] = [
  [" k 0 0 1 noreply", true],
  [" k 0 0 1 noreply  ", true],
  [" noreply", true],
  ["noreply", false],
  [" knoreply", false],
  [" noreplyx", false],
  [" norepl", false],
  ["", false],
];

for (const [rest, isSilent] of ENDINGS) {
  Deno.test(`endsInNoreply() ${JSON.stringify(rest)}: ${isSilent}`, () => {
    assertEquals(endsInNoreply(ascii(rest), 0, rest.length), isSilent);
    assertEquals(endsInNoreply(ascii(`${rest} noreply`), 0, rest.length), isSilent);
  });
}

Deno.test("skipSpaces() stops at the first byte that is none, and at the end", () => {
  const bytes = ascii("  a ");
  assertEquals([0, 2, 3].map((from) => skipSpaces(bytes, from, 4)), [2, 2, 4]);
  assertEquals(skipSpaces(bytes, 0, 1), 1);
});
