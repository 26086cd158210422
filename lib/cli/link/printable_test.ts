import { assertEquals } from "@std/assert";
import { printable } from "./printable.ts";

Deno.test("printable() lets no byte through that a terminal obeys", () => {
  for (let code = 0; code <= 0xff; code++) {
    const char = String.fromCharCode(code);
    assertEquals(printable(char), code >= 0x20 && code <= 0x7e ? char : "?", `${code}`);
  }
  assertEquals(printable("\x1b]0;title\x07 \u202e\u{1f600}"), "?]0;title? ???");
});

Deno.test("printable() cuts what is long", () => {
  assertEquals(printable("x".repeat(1000)).length, 120);
  assertEquals(printable("abcdef", 3), "abc");
});
