// Goal: --admin takes a port, or an address with one, and is of this machine only unless told.

import { assertEquals, assertThrows } from "@std/assert";
import { parseAdmin } from "./admin_address.ts";
import { defaultSettings, warningsFor } from "./settings.ts";
import { SettingsError } from "./settings_error.ts";

const ADDRESSES: readonly (readonly [text: string, host: string, port: number])[] = [
  ["9150", "127.0.0.1", 9150],
  [":9150", "127.0.0.1", 9150],
  ["0", "127.0.0.1", 0],
  ["localhost:1", "localhost", 1],
  ["10.0.0.5:65535", "10.0.0.5", 65535],
  ["[::1]:9150", "::1", 9150],
  ["*:9150", "0.0.0.0", 9150],
];

for (const [text, host, port] of ADDRESSES) {
  Deno.test(`parseAdmin() reads ${text}`, () => assertEquals(parseAdmin(text), { host, port }));
}

for (
  const text of ["", ":", "a", "a:", "a:b", "65536", "::1", "::1:9150", "[::1]", "-1", "a:1:2"]
) {
  Deno.test(`parseAdmin() refuses "${text}"`, () => {
    const error = assertThrows(() => parseAdmin(text), SettingsError, `--admin=${text}: must be`);
    assertEquals(error.exitCode, 64);
  });
}

for (const [text, isOpen] of [["1", false], ["[::1]:1", false], ["*:1", true], ["db1:1", true]]) {
  Deno.test(`warningsFor() ${isOpen ? "warns" : "does not warn"} of --admin=${text}`, () => {
    const warnings = warningsFor({ ...defaultSettings(), admin: parseAdmin(String(text)) });
    assertEquals(warnings.some((warning) => warning.includes("--admin is open")), isOpen);
  });
}

Deno.test("there is no admin server unless one is asked for", () => {
  assertEquals(defaultSettings().admin, null);
});
