// Goal: the byte constants are what they are called, and ranges compare byte by byte.

import { assertEquals } from "@std/assert";
import * as constants from "./ascii.ts";
import { ascii, equalsWord, latin1 } from "./ascii.ts";

Deno.test("the constants are the bytes of their names", () => {
  const { LF, CR, SPACE, PLUS, MINUS, DIGIT_0, DIGIT_9 } = constants;
  assertEquals(ascii("\n\r +-09"), Uint8Array.of(LF, CR, SPACE, PLUS, MINUS, DIGIT_0, DIGIT_9));
});

Deno.test("latin1() is one character for each byte of the range", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = latin1(bytes);
  assertEquals(text.length, 256);
  assertEquals(new Set(text).size, 256);
  assertEquals(latin1(bytes, 48, 58), "0123456789");
  assertEquals(latin1(bytes, 65), text.slice(65));
  assertEquals(latin1(bytes, 7, 7), "");
});

const WORDS: readonly (readonly [range: string, word: string, equal: boolean])[] = [
  ["noreply", "noreply", true],
  ["", "", true],
  ["noreply", "", false],
  ["", "noreply", false],
  ["norepl", "noreply", false],
  ["noreply", "norepl", false],
  ["Noreply", "noreply", false],
  ["noreplx", "noreply", false],
];

for (const [range, word, equal] of WORDS) {
  Deno.test(`equalsWord() says ${equal} to "${range}" and "${word}"`, () => {
    const bytes = ascii(`xx${range}yyyyyyy`);
    assertEquals(equalsWord(bytes, 2, 2 + range.length, ascii(word)), equal);
  });
}

Deno.test("latin1() makes each byte the character of its number", () => {
  const bytes = Uint8Array.from({ length: 20_000 }, (_, n) => n % 256);
  const text = latin1(bytes, 100);
  assertEquals(text.length, 19_900);
  for (let at = 0; at < text.length; at++) assertEquals(text.charCodeAt(at), (at + 100) % 256);
});
