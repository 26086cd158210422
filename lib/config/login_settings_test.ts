// Goal: with a login there is no way around it: no other protocol, no UDP, and never both logins.

import { assertEquals, assertThrows } from "@std/assert";
import { parseCommandLine } from "./parse.ts";
import type { Environment } from "./options.ts";
import { type Settings, settingsFrom } from "./settings.ts";
import { SettingsError } from "./settings_error.ts";

function settingsOf(argv: readonly string[], env: Environment = {}): Settings {
  const line = parseCommandLine(argv);
  if (line.action !== "serve") throw new TypeError(`Expected no action, got ${line.action}`);
  return settingsFrom(line.raw, env);
}
Deno.test("settingsFrom() allows only ascii with a login over the text protocol", () => {
  assertEquals(settingsOf(["-Y", "/f"]).bindingProtocol, "ascii");
  assertEquals(settingsOf(["-Y", "/f", "-B", "ascii"]).bindingProtocol, "ascii");
  assertThrows(() => settingsOf(["-Y", "/f", "-B", "auto"]), SettingsError, "BINARY");
});

const LOGIN_CLASHES: readonly (readonly [argv: string, code: number, message: string])[] = [
  ["-S -B auto", 64, "ERROR: You cannot allow the ASCII protocol while using SASL."],
  ["-S -B ascii", 64, "ERROR: You cannot allow the ASCII protocol while using SASL."],
  ["-S -l proto[ascii]:h", 64, "ERROR: You cannot allow the ASCII protocol while using SASL."],
  ["-S -l proto[negotiating]:h", 64, "You cannot allow the ASCII protocol while using SASL."],
  ["-S -U 1", 64, "ERROR: Cannot enable UDP while using binary SASL authentication."],
  ["-S -Y /f", 64, "BINARY protocol while using ascii authentication tokens."],
  ["-Y /f -B binary", 64, "BINARY protocol while using ascii authentication tokens."],
  ["-Y /f -l proto[binary]:h", 64, "BINARY protocol while using ascii authentication tokens."],
  ["-S", 71, "Error initializing sasl: MEMCACHED_SASL_PWDB must name a file of logins"],
];

for (const [argv, code, message] of LOGIN_CLASHES) {
  Deno.test(`settingsFrom() refuses ${argv}: there would be a way around the login`, () => {
    const error = assertThrows(() => settingsOf(argv.split(" ")), SettingsError, message);
    assertEquals(error.exitCode, code);
  });
}

Deno.test("settingsFrom() allows only binary with SASL", () => {
  const env = { MEMCACHED_SASL_PWDB: "/f" };
  assertEquals(settingsOf(["-S"], env).bindingProtocol, "binary");
  assertEquals(settingsOf(["-S", "-B", "binary"], env).saslFile, "/f");
  assertEquals(settingsOf(["-S", "-l", "h"], env).listen[0]?.protocol, "binary");
});
