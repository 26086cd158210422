// Goal: a meta line is read as memcached reads it, and refused with its words.

import { assertEquals } from "@std/assert";
import { ascii, latin1 } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { Tokens } from "../text/tokens.ts";
import { Flag, FLAG_ROWS, FLAG_TOKENS, FlagToken, NO_FLAG } from "./flags.ts";
import { MetaRequest } from "./meta_request.ts";

const request = new MetaRequest();

/** Reads `mg <rest>`; returns the refusal, empty when there is none. */
function read(rest: string): string {
  const block = Block.of(ascii(`mg ${rest}`));
  const tokens = new Tokens();
  tokens.scan(block.bytes, 0, block.bytes.length);
  return request.read(block, tokens, 2) ? "" : latin1(request.error?.bytes ?? new Uint8Array());
}

const BAD_FORMAT = "CLIENT_ERROR bad command line format\r\n";
const BAD_TOKEN = "CLIENT_ERROR bad token in command line format\r\n";

const REFUSED: readonly (readonly [rest: string, error: string])[] = [
  [`${"k".repeat(251)} v`, BAD_FORMAT],
  ["k !", BAD_FORMAT],
  ["k 9", "CLIENT_ERROR invalid flag\r\n"],
  ["k Z", "CLIENT_ERROR invalid flag\r\n"],
  ["k v v", "CLIENT_ERROR duplicate flag\r\n"],
  ["k T1 T2", "CLIENT_ERROR duplicate flag\r\n"],
  ["k T", BAD_TOKEN],
  ["k Tx", BAD_TOKEN],
  ["k N1x", BAD_TOKEN],
  ["k R", BAD_TOKEN],
  ["k C", BAD_TOKEN],
  ["k C-1", BAD_TOKEN],
  ["k E18446744073709551616", BAD_TOKEN],
  ["k F4294967296", BAD_FORMAT],
  ["k Fx", BAD_FORMAT],
  ["k Jx", "CLIENT_ERROR invalid numeric initial value\r\n"],
  ["k D-1", "CLIENT_ERROR invalid numeric delta value\r\n"],
  [`k O${"o".repeat(32)}`, "CLIENT_ERROR opaque token too long\r\n"],
  ["k b", "CLIENT_ERROR error decoding key\r\n"],
  ["Zm9 b", "CLIENT_ERROR error decoding key\r\n"],
  [`k ${"abcdefghijklmnopqrs".split("").join(" ")}`, "CLIENT_ERROR options flags are too long\r\n"],
];

for (const [rest, error] of REFUSED) {
  Deno.test(`read() refuses "${rest.slice(0, 30)}"`, () => assertEquals(read(rest), error));
}

Deno.test("read() knows which flags a line has, and forgets those of the line before", () => {
  assertEquals(read(`k v k T30 N10 R5 C7 E8 F9 J1 D2 MA O${"o".repeat(31)} q`), "");
  for (const letter of "vkTNRCEFJDMOq") {
    assertEquals(request.has(letter.charCodeAt(0)), true, letter);
  }
  for (const letter of "bcfhlstuxIPL") {
    assertEquals(request.has(letter.charCodeAt(0)), false, letter);
  }
  assertEquals([request.ttl, request.vivifyTtl, request.recacheTtl], [30, 10, 5]);
  assertEquals([request.compare.lo, request.explicit.lo, request.clientFlags], [7, 8, 9]);
  assertEquals([request.initial.lo, request.delta.lo, request.mode], [1, 2, "A".charCodeAt(0)]);
  assertEquals(read("k"), "");
  assertEquals([request.has(Flag.v), request.mode], [false, 0]);
});

Deno.test("read() decodes a key in Base64", () => {
  assertEquals(read("Zm9vYmE= b"), "");
  const { keyBlock, keyFrom, nkey } = request;
  assertEquals(latin1(keyBlock.bytes, keyFrom, keyFrom + nkey), "fooba");
});

Deno.test("FLAG_TOKENS has the rows and nothing else", () => {
  const letters = FLAG_ROWS.map(([letter]) => letter);
  assertEquals(new Set(letters).size, letters.length);
  for (let code = 0; code < 256; code++) {
    const row = FLAG_ROWS.find(([letter]) => letter.charCodeAt(0) === code);
    assertEquals(FLAG_TOKENS[code], row?.[1] ?? NO_FLAG);
  }
  for (const [letter, code] of Object.entries(Flag)) {
    assertEquals(letter.charCodeAt(0), code);
    assertEquals(FLAG_TOKENS[code] !== NO_FLAG, true);
  }
  assertEquals(FLAG_TOKENS[Flag.T], FlagToken.TTL);
});
