import { assertEquals, assertThrows } from "@std/assert";
import { SettingsError } from "../../config/settings_error.ts";
import { labelOf, parseServerAddress } from "./server_address.ts";

const FORMS: readonly (readonly [text: string, label: string])[] = [
  ["", "127.0.0.1:11211"],
  ["cache", "cache:11211"],
  ["cache.example-1.net:11300", "cache.example-1.net:11300"],
  [":11300", "127.0.0.1:11300"],
  ["10.0.0.5:65535", "10.0.0.5:65535"],
  ["[::1]:11300", "[::1]:11300"],
  ["[::1]", "[::1]:11211"],
  ["::1", "[::1]:11211"],
  ["fe80::1%eth0", "[fe80::1%eth0]:11211"],
  ["unix:memden.sock", "unix:memden.sock"],
  ["unix:/run/memden.sock", "unix:/run/memden.sock"],
  ["./memden.sock", "unix:./memden.sock"],
  ["/run/a:b.sock", "unix:/run/a:b.sock"],
];

Deno.test("parseServerAddress() reads every form", () => {
  for (const [text, label] of FORMS) assertEquals(labelOf(parseServerAddress(text)), label);
});

Deno.test("parseServerAddress() refuses what is no address", () => {
  for (const text of ["a:0", "a:65536", "a:b", "a b", "[::1", "a:1:2x", "a\x1b[2J"]) {
    assertThrows(() => parseServerAddress(text), SettingsError, "must be host, host:port", text);
  }
});
