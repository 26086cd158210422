// Goal: a meta line is read as memcached reads it, and refused with its words.

import { assertEquals } from "@std/assert";
import { ascii, latin1 } from "../../base/ascii.ts";
import { Block } from "../../base/block.ts";
import { Tokens } from "../text/tokens.ts";
import { Flag, FLAG_ROWS, FLAG_TOKENS, FlagToken, NO_FLAG } from "./flags.ts";
import { LINE_TOKENS_MAX, MetaRequest } from "./meta_request.ts";

const request = new MetaRequest();

/** Reads `mg <rest>`; returns the refusal, empty when there is none. */
function read(rest: string): string {
  const block = Block.of(ascii(`mg ${rest}`));
  const tokens = new Tokens();
  tokens.scan(block.bytes, 0, block.bytes.length);
  return request.read(block, tokens, 2)
    ? ""
    : latin1(request.error?.bytes ?? ascii("refused without a word"));
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

/** Lines at their limits that are read. */
const ACCEPTED = [
  "k".repeat(250),
  `k O${"o".repeat(31)}`,
  "k F4294967295",
  "k E18446744073709551615",
  "k T-1 N0 R1",
];

for (const rest of ACCEPTED) {
  Deno.test(`read() accepts ${rest.slice(0, 40)}`, () => assertEquals(read(rest), ""));
}

/** Bytes on both sides of those that a flag may be. */
for (const byte of ["/", ":", "@", "[", "`", "{"]) {
  Deno.test(`read() takes ${byte} for no flag`, () => assertEquals(read(`k ${byte}`), BAD_FORMAT));
}

for (const letter of ["0", "9", "A", "Z", "a", "z"]) {
  Deno.test(`read() takes ${letter} for a flag`, () => {
    const isKnown = FLAG_TOKENS[letter.charCodeAt(0)] !== NO_FLAG;
    assertEquals(read(`k ${letter}`) === "CLIENT_ERROR invalid flag\r\n", !isKnown);
    assertEquals(read(`k ${letter}`) === BAD_FORMAT, false);
  });
}

Deno.test("read() leaves nothing of the line before", () => {
  assertEquals(read("k v v T7 A"), "CLIENT_ERROR duplicate flag\r\n");
  assertEquals(request.isFlagFault, true);
  assertEquals(read("k MA T7"), "");
  assertEquals([request.error, request.isFlagFault], [undefined, false]);
  assertEquals([request.has(Flag.v), request.has(Flag.T)], [false, true]);
  assertEquals(read("k"), "");
  assertEquals([request.mode, request.has(Flag.T), request.firstFlag], [0, false, 2]);
});

/** Refusals, and whether a flag is at fault: with q, that line is answered all the same. */
const FAULTS: readonly (readonly [rest: string, isFlagFault: boolean])[] = [
  [`${"k".repeat(251)} v`, false],
  ["k !", false],
  ["k Z", true],
  ["k v v", true],
  ["k Tx", true],
  ["k C", true],
  ["k Fx", true],
  ["k b", true],
  [`k O${"o".repeat(32)}`, false],
];

for (const [rest, isFlagFault] of FAULTS) {
  Deno.test(`read() refuses ${rest.slice(0, 9)}: a flag's fault is ${isFlagFault}`, () => {
    assertEquals(read(rest) === "", false);
    assertEquals(request.isFlagFault, isFlagFault);
  });
}

Deno.test("read() tells the times of T, N and R apart, and a mode from none", () => {
  assertEquals(read("k T1 N2 R3 M"), "");
  assertEquals([request.ttl, request.vivifyTtl, request.recacheTtl], [1, 2, 3]);
  assertEquals(request.mode < 0, true, "an M without a character is a mode of no command");
});

Deno.test("read() finds the key in the line, also behind a line whose key was decoded", () => {
  read("Zm9vYmE= b");
  const block = Block.of(ascii("ms key 3 T1"));
  const tokens = new Tokens();
  tokens.scan(block.bytes, 0, block.bytes.length);
  assertEquals(request.read(block, tokens, 3), true);
  const { keyBlock, keyFrom, nkey, firstFlag } = request;
  assertEquals([keyBlock === block, keyFrom, nkey, firstFlag], [true, 3, 3, 3]);
});

Deno.test("read() takes as many tokens as a line may have, and no more", () => {
  const words = FLAG_ROWS.map(([letter, token]) => letter + (token === FlagToken.NONE ? "" : "1"))
    .filter((word) => word !== "b");
  const most = words.slice(0, LINE_TOKENS_MAX - 2);
  assertEquals(most.length, LINE_TOKENS_MAX - 2);
  assertEquals(read(`k ${most.join(" ")}`), "");
  assertEquals(
    read(`k ${most.join(" ")} ${words[most.length] ?? "z"}`),
    "CLIENT_ERROR options flags are too long\r\n",
  );
});
