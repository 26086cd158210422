// Goal: words are those that a shell would make of the same text.

import { assertEquals, assertThrows } from "@std/assert";
import { SettingsError } from "./settings_error.ts";
import { splitWords } from "./words.ts";

/** Each row was held against `sh -c 'printf "%s\n" …'`. */
const SPLIT: readonly (readonly [text: string, words: readonly string[]])[] = [
  ["", []],
  ["  -m 64\t-vv \n", ["-m", "64", "-vv"]],
  [`-l '127.0.0.1 , ::1'`, ["-l", "127.0.0.1 , ::1"]],
  [`-D "#" -Y "a b"c`, ["-D", "#", "-Y", "a bc"]],
  [`a\\ b \\"c\\" \\\\`, ["a b", `"c"`, "\\"]],
  [`"a\\"b\\n" 'a\\'`, [`a"b\\n`, "a\\"]],
  [`'' ""`, ["", ""]],
  [`--x="y z"`, ["--x=y z"]],
  ["$HOME *", ["$HOME", "*"]],
];

for (const [text, words] of SPLIT) {
  Deno.test(`splitWords() splits ${JSON.stringify(text)}`, () => {
    assertEquals(splitWords(text), words);
  });
}

const COMMENTS: readonly (readonly [text: string, words: readonly string[]])[] = [
  ["# -v", []],
  ["-v # -m 1", ["-v"]],
  ["-m 64#x", ["-m", "64"]],
  ["-D \\#", ["-D", "#"]],
  [`-D "#" # x`, ["-D", "#"]],
];

for (const [text, words] of COMMENTS) {
  Deno.test(`splitWords() leaves the comment out of ${JSON.stringify(text)}`, () => {
    assertEquals(splitWords(text, "#"), words);
  });
}

for (const text of [`'`, `"`, `a "b`, `"\\"`]) {
  Deno.test(`splitWords() refuses ${text}`, () => {
    assertThrows(() => splitWords(text), SettingsError, "is not closed");
  });
}
