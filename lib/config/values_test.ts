// Goal: what one row of an option allows is told in the form in which it is written.

import { assertEquals, assertThrows } from "@std/assert";
import { SettingsError } from "./settings_error.ts";
import { Values } from "./values.ts";

const maskOf = (text: string): number =>
  new Values({ flags: new Map([["unix-mask", [text]]]), suboptions: [] }).number("unix-mask");

for (const [text, mode] of [["700", 0o700], ["0750", 0o750], ["0", 0], [" 600", 0o600]] as const) {
  Deno.test(`-a "${text}" is read in octal`, () => assertEquals(maskOf(text), mode));
}

for (const text of ["1777", "abc", "788", "77x", "-1", ""]) {
  Deno.test(`-a "${text}" is refused in octal`, () => {
    const message = `Cannot use -a ${text === "" ? `""` : text}: must be an octal number up to 777`;
    assertThrows(() => maskOf(text), SettingsError, message);
  });
}
