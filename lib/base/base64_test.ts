import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { ascii } from "./ascii.ts";
import { base64Bytes, decodeBase64, encodeBase64, NOT_BASE64 } from "./base64.ts";
import { Prng } from "./prng.ts";

Deno.test("encodeBase64() and decodeBase64() are those of RFC 4648, at every length", () => {
  const prng = new Prng(64);
  for (let length = 1; length < 200; length++) {
    const source = Uint8Array.from({ length }, () => prng.below(256));
    const target = new Uint8Array(base64Bytes(length) + 3);
    const end = encodeBase64(source, 0, length, target, 2);
    assertEquals(end, 2 + base64Bytes(length));
    assertEquals(Buffer.from(target.subarray(2, end)).toString(), source.toBase64());
    const decoded = new Uint8Array(256);
    assertEquals(decodeBase64(target, 2, end, decoded), length);
    assertEquals(decoded.subarray(0, length), source);
  }
});

for (
  const text of ["", "A", "AB", "ABC", "ABCDE", "AB=C", "=ABC", "A===", "AB C", "AB-_", "AB==AB=="]
) {
  Deno.test(`decodeBase64() refuses "${text}"`, () => {
    assertEquals(decodeBase64(ascii(text), 0, text.length, new Uint8Array(16)), NOT_BASE64);
  });
}
