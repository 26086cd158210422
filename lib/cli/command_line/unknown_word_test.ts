import { assertEquals } from "@std/assert";
import { mistakesBetween, unknownWord } from "./unknown_word.ts";

const WORDS: readonly (readonly [word: string, meant: string | undefined])[] = [
  ["topp", "top"],
  ["tpo", "top"],
  ["TOP", "top"],
  ["pign", "ping"],
  ["pong", "ping"],
  ["help", "--help"],
  ["port=11311", "--port"],
  ["memory-limt=64", "--memory-limit"],
  ["memcached", undefined],
  ["start", undefined],
  ["11211", undefined],
  ["/usr/bin/memden", undefined],
];

Deno.test("unknownWord() names what may have been meant", () => {
  for (const [word, meant] of WORDS) {
    const { message, exitCode } = unknownWord(word);
    const hint = meant === undefined ? "memden -h lists what there is" : `did you mean ${meant}?`;
    assertEquals(message, `memden: ${word} is no option and no command; ${hint}`);
    assertEquals(exitCode, 64);
  }
});

Deno.test("mistakesBetween() counts letters and changed places", () => {
  const pairs = [["", "top", 3], ["top", "top", 0], ["otp", "top", 1], ["toop", "top", 1]] as const;
  for (const [typed, meant, mistakes] of pairs) {
    assertEquals(mistakesBetween(typed, meant), mistakes, typed);
  }
});
